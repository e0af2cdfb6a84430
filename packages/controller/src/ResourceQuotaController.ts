/**
 * Keeps the status of ResourceQuotas: what the objects of their namespace use. It tells operators; that nobody exceeds a quota is seen to by
 * the API server.
 */
import { isDeepStrictEqual } from "node:util"
import { type CoreV1, type Kind, Kinds, type KubeObject, Quantity, QuotaUsage } from "@reddwarf/api-types"
import { ApiClient, ClientError, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as newest from "./internal/newest.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many quotas are looked at, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** Quotas that are looked at concurrently: 5 unless given. */
  readonly workers?: number
  /** Time between visits of all quotas: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

/** The objects of one kind, in a namespace. */
type Lister = (namespace: string) => ReadonlyArray<KubeObject.KubeObject>

/** Names that are not `count/…` but count objects all the same. */
const bareKinds: Readonly<Record<string, Kind.Kind>> = {
  replicationcontrollers: Kinds.replicationController,
  resourcequotas: Kinds.resourceQuota,
  secrets: Kinds.secret,
  configmaps: Kinds.configMap
}

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const scope = yield* Effect.scope
  const clock = yield* Effect.clock
  const byNamespace = { namespace: ({ metadata }: KubeObject.KubeObject) => [metadata.namespace ?? ""] }
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const quotas = yield* Informer.make({ kind: Kinds.resourceQuota, indexers: byNamespace })
  const services = options.informers?.services ?? (yield* ClusterInformers.services)
  const claims = yield* Informer.make({ kind: Kinds.persistentVolumeClaim, indexers: byNamespace })
  const latest = newest.make<CoreV1.ResourceQuota>()
  const keysIn = (namespace: string): ReadonlyArray<string> => quotas.byIndex("namespace", namespace).map(ObjectRef.keyOf)
  let notify: (key: string) => void = () => undefined

  /** Kinds that some quota has counted, each copied from then on. */
  const counted = new Map<string, { readonly kind: Kind.Kind; readonly list: Lister; readonly hasSynced: Effect.Effect<void> }>()

  const follow = (resource: string, kind: Kind.Kind) =>
    Effect.gen(function*() {
      const informer = yield* Informer.makeMetadata({ kind, indexers: byNamespace })
      const entry = { kind, list: (namespace: string) => informer.byIndex("namespace", namespace), hasSynced: informer.hasSynced }
      counted.set(resource, entry)
      informer.onChange(({ object }) => {
        for (const key of keysIn(object.metadata.namespace ?? "")) notify(key)
      })
      return entry
    }).pipe(Scope.extend(scope), Effect.provideService(ApiClient.ApiClient, client))

  /** Whoever counts objects of the resource; undefined when the server does not serve it. */
  const counterOf = Effect.fnUntraced(function*(resource: string) {
    const found = counted.get(resource)
    if (found !== undefined) return found
    const bare = bareKinds[resource]
    if (bare !== undefined) return yield* follow(resource, bare)
    if (!resource.startsWith("count/")) return undefined
    const kind = (yield* client.discover).find((each) => each.namespaced && QuotaUsage.countName(each) === resource)
    return kind === undefined ? undefined : counted.get(resource) ?? (yield* follow(resource, kind))
  })

  const usedOf = Effect.fnUntraced(function*(quota: CoreV1.ResourceQuota): Effect.fn.Return<Readonly<Record<string, string>>, ClientError.ClientError> {
    const { namespace = "" } = quota.metadata
    const names = new Set(Object.keys(quota.spec?.hard ?? {}))
    const sum = new Map<string, Quantity.Quantity>()
    const now = clock.unsafeCurrentTimeMillis()
    const add = (kind: Kind.Kind, objects: ReadonlyArray<KubeObject.KubeObject>) => {
      for (const object of objects) if (QuotaUsage.isInScope(quota, object)) QuotaUsage.addInto(sum, QuotaUsage.ofObject(kind, object, now), names)
    }
    add(Kinds.pod, pods.byIndex("namespace", namespace))
    add(Kinds.service, services.byIndex("namespace", namespace))
    add(Kinds.persistentVolumeClaim, claims.byIndex("namespace", namespace))
    const whole = new Set([Kinds.pod, Kinds.service, Kinds.persistentVolumeClaim].map(QuotaUsage.countName))
    for (const name of names) {
      if (whole.has(name)) continue
      const counter = yield* counterOf(name)
      if (counter === undefined) continue
      yield* counter.hasSynced
      // Objects of these kinds are within no scope.
      const isScoped = (quota.spec?.scopes ?? []).length > 0 || (quota.spec?.scopeSelector?.matchExpressions ?? []).length > 0
      if (!isScoped) sum.set(name, Quantity.fromNumber(counter.list(namespace).length))
    }
    return Object.fromEntries([...names].map((name) => [name, Quantity.toCanonical(sum.get(name) ?? Quantity.zero)]))
  })

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const quota = latest.of(key, quotas.get(key))
    if (quota === undefined) return Outcome.Settled()
    const { hard = {} } = quota.spec ?? {}
    const status = { hard, used: yield* usedOf(quota) }
    if (!isDeepStrictEqual(quota.status ?? {}, status)) {
      latest.wrote(key, yield* client.updateStatus(Kinds.resourceQuota, { ...quota, status }))
    }
    return Outcome.Settled()
  })

  const inNamespace = <A extends KubeObject.KubeObject>(informer: Informer.Informer<A>) =>
    Controller.dependents(informer, ({ metadata }) => keysIn(metadata.namespace ?? ""))
  const queue = yield* Controller.run({
    name: "resource-quota",
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    isRoutine: (error: ClientError.ClientError) => ClientError.isConflict(error) || ClientError.isNotFound(error),
    sources: [Controller.source(quotas, (quota) => [ObjectRef.keyOf(quota)]), inNamespace(pods), inNamespace(services), inNamespace(claims)],
    reconcile
  })
  notify = (key) => void queue.unsafeAdd(key)
})
