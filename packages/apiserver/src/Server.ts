/** A whole API server over a store: certificates, policy, admission, API and port, with defaults that are safe. */
import { KindRegistry } from "@reddwarf/api-types"
import { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore, type StoreError } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Admission from "./admission/Admission.js"
import * as ApiServer from "./ApiServer.js"
import * as Authenticator from "./authentication/Authenticator.js"
import * as Certificates from "./Certificates.js"
import * as DefaultClasses from "./admission/DefaultClasses.js"
import * as HttpsEdge from "./HttpsEdge.js"
import * as KubeletClient from "./KubeletClient.js"
import * as LimitRanges from "./admission/LimitRanges.js"
import type * as MetricsScraper from "./metrics/MetricsScraper.js"
import * as ResourceMetrics from "./metrics/ResourceMetrics.js"
import * as NamespaceLifecycle from "./admission/NamespaceLifecycle.js"
import * as NodeRestriction from "./admission/NodeRestriction.js"
import * as PodPriority from "./admission/PodPriority.js"
import * as PodUpdateDefaults from "./admission/PodUpdateDefaults.js"
import * as RbacAuthorizer from "./authorization/RbacAuthorizer.js"
import * as ServerRecords from "./ServerRecords.js"
import * as ServiceAccountTokens from "./authentication/ServiceAccountTokens.js"
import * as StaticTokens from "./authentication/StaticTokens.js"
import * as TokenAuthenticator from "./authentication/TokenAuthenticator.js"
import * as ZoneInstances from "./admission/ZoneInstances.js"

/** The admission plugins that are always there. @category constructors */
export const plugins: ReadonlyArray<Admission.Plugin> = [
  PodUpdateDefaults.plugin,
  PodPriority.plugin,
  DefaultClasses.plugin,
  LimitRanges.plugin,
  NamespaceLifecycle.plugin,
  NodeRestriction.plugin,
  ZoneInstances.plugin
]

/**
 * The API without a port, for programs that embed it: built-in kinds, policy and admission, a watch cache with the given
 * bounds, and `metrics.k8s.io` if agents are to be asked for metrics.
 *
 * @category layers
 */
export const layerApiWith = (
  options: ApiServer.Options,
  cache: WatchCache.CacheOptions,
  metrics?: MetricsScraper.Options
): Layer.Layer<
  ApiServer.ApiServer | WatchCache.WatchCache | TokenAuthenticator.TokenAuthenticator,
  StoreError.StoreError,
  ObjectStore.ObjectStore | KubeletClient.KubeletClient
> => Layer.provide(layerApiOver(options, WatchCache.layerWith(cache), {}, metrics), ServiceAccountTokens.layerEphemeral())

/** The same over an issuer of ServiceAccount tokens. */
const layerApiOver = <R>(
  options: ApiServer.Options,
  cache: Layer.Layer<WatchCache.WatchCache, StoreError.StoreError, R>,
  tokens: TokenAuthenticator.Options,
  metrics?: MetricsScraper.Options
) =>
  ApiServer.layer(options).pipe(
    Layer.provide(metrics === undefined ? Layer.empty : ResourceMetrics.layer(metrics)),
    Layer.provideMerge(TokenAuthenticator.layer(tokens)),
    Layer.provide(RbacAuthorizer.layer),
    Layer.provideMerge(cache),
    Layer.provide([KindRegistry.layer, Admission.layerOf(plugins)])
  )

/** The same with default bounds. @category layers */
export const layerApi = (options: ApiServer.Options = {}): ReturnType<typeof layerApiWith> => layerApiWith(options, {})

/** Settings of a whole server. @category models */
export interface Options {
  /** Where the port is opened and how much it takes. Default 127.0.0.1:6443. */
  readonly edge?: Omit<HttpsEdge.Options, "serving" | "clientAuthority" | "renewal" | "startup">
  /** PEM files made elsewhere, in place of this server's own certificates. */
  readonly external?: Certificates.ExternalFiles
  readonly api?: ApiServer.Options
  /** Bounds of the watch cache. */
  readonly cache?: WatchCache.CacheOptions
  /** Tokens of ServiceAccounts. */
  readonly tokens?: ServiceAccountTokens.Options
  /** File of bearer tokens that do not come from ServiceAccounts, see `StaticTokens`. */
  readonly tokenFile?: string
  /** Collects what nodes and pods use, and serves it as `metrics.k8s.io`. Absent: that group is not served. */
  readonly metrics?: MetricsScraper.Options
  /** Requests without credentials are those of `system:anonymous`. Default true. */
  readonly anonymous?: boolean
}

const ownCertificate = (certificates: Context.Tag.Service<Certificates.Certificates>) =>
  Effect.map(certificates.serving, (serving) => ({
    serving,
    clientAuthority: certificates.authority,
    renewal: {
      every: "12 hours" as const,
      // The certificate in use is good for weeks yet when it is renewed, so a failure is tried again at the next turn.
      pair: certificates.serving.pipe(
        Effect.tapError((error) => Effect.logWarning("the certificate was not renewed", error)),
        Effect.orElseSucceed(() => serving)
      )
    }
  }))

/** What `/readyz` tells of while the server starts, by the names that its checks have afterwards. */
const startup = ["store", "watch-cache"]

/**
 * The port alone. It opens at once and says that the server is starting until `layerBehind` is there, so that a store can be read
 * behind it. Fails when the port is in use, or when a certificate cannot be read or made.
 *
 * @category layers
 */
export const layerEdge = (
  options: Options = {}
): Layer.Layer<HttpsEdge.HttpsEdge, Certificates.CertificateFailure | HttpsEdge.EdgeUnavailable, Certificates.Certificates> =>
  Layer.unwrapEffect(
    Effect.gen(function*() {
      const certificates = yield* Certificates.Certificates
      const edge = options.external === undefined
        ? yield* ownCertificate(certificates)
        : yield* Effect.map(
          Certificates.fromFiles(options.external),
          ({ authority, serving }) => ({ serving, clientAuthority: authority })
        )
      return HttpsEdge.layer({ startup, ...options.edge, ...edge })
    })
  )

/** Tells the port that something is done. */
const passed = (check: string) => Layer.effectDiscard(Effect.flatMap(HttpsEdge.HttpsEdge, (edge) => edge.pass(check)))

const credentials = (options: Options) =>
  Effect.gen(function*() {
    const certificates = yield* Certificates.Certificates
    const clientAuthority = options.external === undefined
      ? certificates.authority
      : (yield* Certificates.fromFiles(options.external)).authority
    const staticTokens = options.tokenFile === undefined ? StaticTokens.none : yield* StaticTokens.read(options.tokenFile)
    return { clientAuthority, staticTokens, kubelet: { authority: certificates.authority, credentials: yield* certificates.kubeletClient } }
  })

/**
 * The API behind an open port, over a store. Fails when a certificate or the file of tokens cannot be read, or when the store
 * does.
 *
 * @category layers
 */
export const layerBehind = (
  options: Options = {}
): Layer.Layer<
  ApiServer.ApiServer | WatchCache.WatchCache,
  StoreError.StoreError | Certificates.CertificateFailure | StaticTokens.TokenFileInvalid,
  ObjectStore.ObjectStore | Certificates.Certificates | HttpsEdge.HttpsEdge
> =>
  Layer.unwrapEffect(
    Effect.gen(function*() {
      const edge = yield* HttpsEdge.HttpsEdge
      yield* ObjectStore.ObjectStore
      yield* edge.pass("store")
      const { clientAuthority, kubelet, staticTokens } = yield* credentials(options)
      const api = { advertise: `${edge.host}:${edge.port}`, ...options.api }
      const cache = passed("watch-cache").pipe(Layer.provideMerge(WatchCache.layerWith(options.cache ?? {})))
      return HttpsEdge.layerServe.pipe(
        Layer.merge(ServerRecords.layer({ clientAuthority })),
        Layer.provide(Authenticator.layerWith(options.anonymous === undefined ? {} : { anonymous: options.anonymous })),
        Layer.provideMerge(layerApiOver(api, cache, { staticTokens }, options.metrics)),
        Layer.provide([ServiceAccountTokens.layer(options.tokens), KubeletClient.layer(kubelet)])
      )
    })
  )

/**
 * The API on a TLS port, with the certificates of `Certificates`. Fails when the port is in use, when a certificate cannot be
 * read or made, or when the store does.
 *
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<
  ApiServer.ApiServer | HttpsEdge.HttpsEdge | WatchCache.WatchCache,
  StoreError.StoreError | Certificates.CertificateFailure | StaticTokens.TokenFileInvalid | HttpsEdge.EdgeUnavailable,
  ObjectStore.ObjectStore | Certificates.Certificates
> => Layer.provideMerge(layerBehind(options), layerEdge(options))
