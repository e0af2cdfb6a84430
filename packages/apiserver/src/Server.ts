/** A whole API server over a store: certificates, policy, admission, API and port, with defaults that are safe. */
import { KindRegistry } from "@reddwarf/api-types"
import { WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore, StoreError } from "@reddwarf/store"
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

/** The admission plugins that are always there. @category constructors */
export const plugins: ReadonlyArray<Admission.Plugin> = [
  PodUpdateDefaults.plugin,
  PodPriority.plugin,
  DefaultClasses.plugin,
  LimitRanges.plugin,
  NamespaceLifecycle.plugin,
  NodeRestriction.plugin
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
> => Layer.provide(layerApiOver(options, cache, {}, metrics), ServiceAccountTokens.layerEphemeral())

/** The same over an issuer of ServiceAccount tokens. */
const layerApiOver = (
  options: ApiServer.Options,
  cache: WatchCache.CacheOptions,
  tokens: TokenAuthenticator.Options,
  metrics?: MetricsScraper.Options
) =>
  ApiServer.layer(options).pipe(
    Layer.provide(metrics === undefined ? Layer.empty : ResourceMetrics.layer(metrics)),
    Layer.provideMerge(TokenAuthenticator.layer(tokens)),
    Layer.provide(RbacAuthorizer.layer),
    Layer.provideMerge(WatchCache.layerWith(cache)),
    Layer.provide([KindRegistry.layer, Admission.layerOf(plugins)])
  )

/** The same with default bounds. @category layers */
export const layerApi = (options: ApiServer.Options = {}): ReturnType<typeof layerApiWith> => layerApiWith(options, {})

/** Settings of a whole server. @category models */
export interface Options {
  /** Where the port is opened and how much it takes. Default 127.0.0.1:6443. */
  readonly edge?: Omit<HttpsEdge.Options, "serving" | "clientAuthority" | "renewal">
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

const credentials = (options: Options) =>
  Effect.gen(function*() {
    const certificates = yield* Certificates.Certificates
    const edge = options.external === undefined
      ? yield* ownCertificate(certificates)
      : yield* Effect.map(
        Certificates.fromFiles(options.external),
        ({ authority, serving }) => ({ serving, clientAuthority: authority })
      )
    const staticTokens = options.tokenFile === undefined ? StaticTokens.none : yield* StaticTokens.read(options.tokenFile)
    return { edge, staticTokens, kubelet: { authority: certificates.authority, credentials: yield* certificates.kubeletClient } }
  })

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
> =>
  Layer.unwrapEffect(
    Effect.map(credentials(options), ({ edge, kubelet, staticTokens }) =>
      HttpsEdge.layer({ ...options.edge, ...edge }).pipe(
        Layer.merge(ServerRecords.layer({ clientAuthority: edge.clientAuthority })),
        Layer.provide(Authenticator.layerWith(options.anonymous === undefined ? {} : { anonymous: options.anonymous })),
        Layer.provideMerge(layerApiOver(
          {
            advertise: `${options.edge?.host ?? "127.0.0.1"}:${options.edge?.port ?? 6443}`,
            ...options.api
          },
          options.cache ?? {},
          { staticTokens },
          options.metrics
        )),
        Layer.provide([ServiceAccountTokens.layer(options.tokens), KubeletClient.layer(kubelet)])
      ))
  )
