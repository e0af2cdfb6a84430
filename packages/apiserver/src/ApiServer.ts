/**
 * The Kubernetes API over the registry of kinds, the object store and the watch cache, free of any transport. What it is given
 * is a request with the identity of its caller; what it gives back is a response.
 */
import { KindRegistry, Status } from "@reddwarf/api-types"
import { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore, type StoreError } from "@reddwarf/store"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { randomInt } from "node:crypto"
import * as Admission from "./admission/Admission.js"
import type * as ApiRequest from "./ApiRequest.js"
import type { ApiResponse } from "./ApiResponse.js"
import * as Response from "./ApiResponse.js"
import * as Authorizer from "./authorization/Authorizer.js"
import * as CertificateApproval from "./admission/CertificateApproval.js"
import * as TrustBundleAttest from "./admission/TrustBundleAttest.js"
import { ComputedResources } from "./ComputedResources.js"
import * as Discovery from "./discovery/Discovery.js"
import * as Health from "./Health.js"
import * as Impersonation from "./authentication/Impersonation.js"
import * as History from "./handlers/History.js"
import { type ApiContext, objectOf } from "./internal/apiContext.js"
import { bootstrap } from "./internal/bootstrap.js"
import { ClusterIndexes, layer as clusterIndexes } from "./internal/clusterIndexes.js"
import * as customKinds from "./internal/customKinds.js"
import * as eager from "./internal/eager.js"
import * as definitionLoop from "./internal/definitionLoop.js"
import { dispatch, type Handled, pageNotFound } from "./internal/dispatch.js"
import { serverChecks } from "./internal/serverChecks.js"
import { forbiddenMessage } from "./internal/forbidden.js"
import * as historyKinds from "./internal/historyKinds.js"
import { keyOf, prefixOf } from "./internal/keys.js"
import * as leaseRenewal from "./internal/leaseRenewal.js"
import * as metricsPage from "./internal/metricsPage.js"
import * as openIdDocuments from "./internal/openIdDocuments.js"
import * as render from "./internal/render.js"
import { bounded } from "./internal/requestTimeout.js"
import * as webhookClient from "./internal/webhookClient.js"
import { KubeletClient } from "./KubeletClient.js"
import * as OpenApiV2 from "./discovery/OpenApiV2.js"
import * as OpenApiV3 from "./discovery/OpenApiV3.js"
import * as RequestInfo from "./RequestInfo.js"
import * as ResourceQuotas from "./admission/ResourceQuotas.js"
import * as PodServiceAccount from "./admission/PodServiceAccount.js"
import * as ServiceAddresses from "./admission/ServiceAddresses.js"
import * as ServiceAccountTokens from "./authentication/ServiceAccountTokens.js"
import * as TokenAuthenticator from "./authentication/TokenAuthenticator.js"
import type { UserInfo } from "./authentication/UserInfo.js"
import * as ValidatingPolicies from "./admission/ValidatingPolicies.js"
import * as Version from "./Version.js"
import * as WebhookAdmission from "./admission/WebhookAdmission.js"

/**
 * The API.
 *
 * @category services
 */
export class ApiServer extends Context.Tag("@reddwarf/apiserver/ApiServer")<ApiServer, {
  /**
   * The answer, at once where memory holds it (most reads), else as an effect. Plain function because it is on the path of
   * every request; the effect never fails.
   */
  readonly respond: (request: ApiRequest.ApiRequest) => ApiResponse | Effect.Effect<ApiResponse>
  /** The same as an effect. */
  readonly handle: (request: ApiRequest.ApiRequest) => Effect.Effect<ApiResponse>
  /**
   * The current objects of all kinds that name this uid among their owners, in the order of their keys. Plain and as cheap as
   * its result.
   */
  readonly dependentsOf: (ownerUid: string) => ReadonlyArray<WatchCache.CacheEntry>
  /** Makes `/readyz` fail from now on, so that load balancers look elsewhere. */
  readonly drain: Effect.Effect<void>
}>() {}

/** Settings, all with defaults. @category models */
export interface Options {
  /** Version of this software, shown in `/version`. Default `0.0.0`. */
  readonly version?: string
  /** Host and port that unaggregated discovery tells clients. Default `127.0.0.1:6443`. */
  readonly advertise?: string
  /** Time between bookmarks of a watch. Default one minute. */
  readonly bookmarkInterval?: Duration.DurationInput
  /**
   * Pods run as a ServiceAccount that exists, and get its token. For clusters whose controllers make the accounts and the
   * ConfigMaps `kube-root-ca.crt`. Default false.
   */
  readonly serviceAccounts?: boolean
  /** Addresses and ports that services get. */
  readonly services?: ServiceAddresses.Options
  /** Health checks besides those of store and cache. */
  readonly checks?: ReadonlyArray<Health.Check>
}

interface Answers {
  readonly context: ApiContext
  readonly authorizer: Context.Tag.Service<Authorizer.Authorizer>
  readonly checks: ReadonlyArray<Health.Check>
  readonly discovery: Discovery.Discovery
  readonly openApiV2: OpenApiV2.OpenApiV2
  readonly openApiV3: OpenApiV3.OpenApiV3
  readonly version: ApiResponse
  readonly advertise: string
  /** Follows the registry. */
  readonly paths: () => object
}

const isVersion = (path: string): boolean => path === "/version" || path === "/version/"

const oneName = /^metadata\.name==?([^,=!\\]+)$/

// A list or watch of one name is permitted to those who may read that name.
const nameSelected = ({ query, verb }: RequestInfo.RequestInfo): string | undefined => {
  if (query.size === 0 || verb !== "list" && verb !== "watch" && verb !== "deletecollection") return undefined
  const terms = (query.get("fieldSelector") ?? "").split(",").flatMap((term) => oneName.exec(term)?.[1] ?? [])
  return terms.length === 1 ? terms[0] : undefined
}

const attributes = (info: RequestInfo.RequestInfo, user: UserInfo): Authorizer.Attributes => ({
  user,
  verb: info.verb,
  isResource: info.isResource,
  group: info.group,
  version: info.version,
  resource: info.resource,
  subresource: info.subresource,
  namespace: info.namespace,
  name: info.name ?? nameSelected(info),
  path: info.path
})

const nonResource = (answers: Answers, request: ApiRequest.ApiRequest, info: RequestInfo.RequestInfo): Handled => {
  const { path, query } = info
  if (info.method !== "GET" && info.method !== "HEAD") return render.status(Status.methodNotAllowed())
  if (path === metricsPage.path) return metricsPage.respond
  const found = answers.discovery(request, path) ?? answers.openApiV2(request, path) ?? answers.openApiV3(request, path, query)
  if (found !== undefined) return found
  const document = openIdDocuments.respond(answers.context, path, answers.advertise)
  if (document !== undefined) return document
  if (path === "/" || path === "") return Response.json(200, answers.paths())
  const below = ["/api/", "/apis/", "/openapi/"].some((root) => path.startsWith(root))
  return below ? pageNotFound() : Response.json(404, answers.paths())
}

const answer = (answers: Answers, request: ApiRequest.ApiRequest): Handled => {
  const parsed = RequestInfo.parse(request.method, request.url)
  if (Either.isLeft(parsed)) return render.status(Status.badRequest("the path of the request is not validly encoded"))
  const info = parsed.right
  if (!info.isResource && (info.method === "GET" || info.method === "HEAD")) {
    if (Health.isHealthPath(info.path)) return Health.respond(answers.checks, info.path, info.query)
    if (isVersion(info.path)) return answers.version
  }
  if (request.user === undefined) return render.status(Status.unauthorized())
  const identity = Impersonation.resolve(request, request.user, answers.authorizer.authorize)
  if (Either.isLeft(identity)) return render.status(identity.left)
  const user = identity.right
  // The right to a history is that to its object.
  if (historyKinds.isHistory(info)) return bounded(info, () => History.respond(answers.context, request, info, user))
  const asked = attributes(info, user)
  const decision = answers.authorizer.authorize(asked)
  if (!decision.allowed) return render.status(forbiddenMessage(asked, decision.reason))
  return info.isResource ? bounded(info, () => dispatch(answers.context, request, info, user)) : nonResource(answers, request, info)
}

const make = (options: Options) =>
  Effect.gen(function*() {
    const builtIn = yield* KindRegistry.KindRegistry
    const store = yield* ObjectStore.ObjectStore
    const cache = yield* WatchCache.WatchCache
    const computed = yield* ComputedResources
    const served = KindRegistry.make([...builtIn.kinds, ...computed.map(({ kind }) => kind)])
    const registry = yield* customKinds.make(historyKinds.addTo(served), store, cache)
    const authorizer = yield* Authorizer.Authorizer
    const { plugins } = yield* Admission.Admission
    const kubelet = yield* KubeletClient
    const { byOwner, podsByNode } = yield* ClusterIndexes
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()
    let draining = false
    const view: Admission.ClusterView = {
      get: (kind, namespace, name) => {
        const entry = cache.get(keyOf(kind, namespace, name))
        return entry === undefined ? undefined : objectOf(entry)
      },
      list: (kind, namespace) => cache.list(prefixOf(kind, namespace)).map(objectOf)
    }
    const random = () => randomInt(2 ** 32) / 2 ** 32
    const addresses = yield* ServiceAddresses.make(store, cache, now, random, options.services)
    const webhooks = yield* webhookClient.make(view, random)
    const filling = [
      ...(options.serviceAccounts === true ? [PodServiceAccount.make(random)] : []),
      ...plugins,
      CertificateApproval.make(authorizer.authorize, now),
      TrustBundleAttest.make(authorizer.authorize)
    ]
    const context: ApiContext = {
      registry,
      computed: new Map(computed.map((resource) => [resource.kind, resource])),
      store,
      cache,
      podsByNode,
      kubelet,
      tokens: yield* ServiceAccountTokens.ServiceAccountTokens,
      holders: yield* TokenAuthenticator.TokenAuthenticator,
      authorizer,
      plugins: [
        ...filling,
        ...(authorizer.plugins ?? []),
        ValidatingPolicies.make({ registry, webhooks, authorize: authorizer.authorize }),
        WebhookAdmission.make({ registry, webhooks, now, authorize: authorizer.authorize, reinvoked: filling }),
        // Once it is certain what kind of service it is going to be.
        addresses,
        // Last, when it is certain what is going to be stored.
        ResourceQuotas.make(now)
      ],
      view,
      renewals: leaseRenewal.make(),
      webhooks,
      now,
      random,
      bookmarkMillis: Duration.toMillis(options.bookmarkInterval ?? "1 minute")
    }
    yield* bootstrap(context)
    yield* definitionLoop.run(context)
    const version = options.version ?? "0.0.0"
    const info = { title: "Kubernetes", version: `v1.${Version.minor}.0` }
    const advertise = options.advertise ?? "127.0.0.1:6443"
    const answers: Answers = {
      context,
      authorizer,
      checks: [
        ...serverChecks(store, cache),
        {
          name: "shutdown",
          paths: ["readyz"],
          run: Effect.suspend(() => draining ? Effect.fail("the server is shutting down") : Effect.void)
        },
        ...(options.checks ?? [])
      ],
      discovery: Discovery.make(registry, () => advertise),
      openApiV2: OpenApiV2.make(registry, info),
      openApiV3: OpenApiV3.make(registry, info, now),
      version: Version.respond(version),
      advertise,
      paths: () => ({
        paths: [...Discovery.paths(registry), ...openIdDocuments.paths, "/healthz", "/livez", metricsPage.path, "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
      })
    }
    const respond = (request: ApiRequest.ApiRequest) => {
      const handled = answer(answers, request)
      return Effect.isEffect(handled)
        ? eager.catchAll(handled, (status) => Effect.succeed(render.status(status)))
        : handled
    }
    return ApiServer.of({
      respond,
      handle: (request) =>
        Effect.suspend(() => {
          const response = respond(request)
          return Effect.isEffect(response) ? response : Effect.succeed(response)
        }),
      dependentsOf: (ownerUid) =>
        byOwner.keysOf(ownerUid).flatMap((key) => {
          const entry = cache.get(key)
          return entry === undefined ? [] : [entry]
        }),
      drain: Effect.sync(() => {
        draining = true
      })
    })
  })

/**
 * The API over its neighbours. Creates the initial namespaces. Fails when the store does.
 *
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<
  ApiServer,
  StoreError.StoreError,
  | KindRegistry.KindRegistry
  | ObjectStore.ObjectStore
  | WatchCache.WatchCache
  | Authorizer.Authorizer
  | Admission.Admission
  | KubeletClient
  | ServiceAccountTokens.ServiceAccountTokens
  | TokenAuthenticator.TokenAuthenticator
> => Layer.provide(Layer.scoped(ApiServer, make(options)), clusterIndexes)
