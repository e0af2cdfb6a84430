/**
 * Keeps the status of ResourceQuotas: what the objects of their namespace use. It tells operators; that nobody exceeds a quota is seen to by
 * the API server.
 */
import { isDeepStrictEqual } from "node:util"
import { type CoreV1, type Kind, Kinds, type KubeObject, Quantity, QuotaUsage } from "@reddwarf/api-types"
import { ApiClient, type ClientError, Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as newest from "./internal/newest.js"
import { isRoutine } from "./internal/routine.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many quotas are looked at, 5 unless given, and how often all are visited: every 30 seconds unless given.
 *
 * @category models
 */
export type Options = Controller.Tuning

/** The objects of one kind, in a namespace. */
type Lister = (namespace: string) => ReadonlyArray<KubeObject.KubeObject>

/**
 * What objects use, by the object as an informer has it: most do not change between two passes over their namespace. What is being
 * deleted is counted anew, for its use ends with its grace period.
 */
const remembered = () => {
  const known = new WeakMap<KubeObject.KubeObject, QuotaUsage.Usage>()
  return (kind: Kind.Kind, object: KubeObject.KubeObject, now: number): QuotaUsage.Usage => {
    if (object.metadata.deletionTimestamp !== undefined) return QuotaUsage.ofObject(kind, object, now)
    const usage = known.get(object) ?? QuotaUsage.ofObject(kind, object, now)
    known.set(object, usage)
    return usage
  }
}

/** How long a kind that was not counted before is waited for, in milliseconds. */
const patience = 5000

/** How long it is believed that the server does not serve a kind, in milliseconds. */
const askAgainMillis = 30_000

/** Names of nothing that are remembered. */
const maxUnknown = 1000

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
  const usageOf = remembered()
  const keysIn = (namespace: string): ReadonlyArray<string> => quotas.byIndex("namespace", namespace).map(ObjectRef.keyOf)
  let notify: (key: string) => void = () => undefined

  /** When discovery is asked again, in milliseconds, for a name of which it knew nothing: not with every change of the namespace. */
  const askAgainAt = new Map<string, number>()

  /** Kinds that some quota has counted, each copied from then on. */
  const counted = new Map<string, { readonly kind: Kind.Kind; readonly list: Lister; readonly isSynced: () => boolean; readonly since: number }>()

  const follow = (resource: string, kind: Kind.Kind) =>
    Effect.gen(function*() {
      const informer = yield* Informer.makeMetadata({ kind, indexers: byNamespace })
      const entry = { kind, list: (namespace: string) => informer.byIndex("namespace", namespace), isSynced: informer.isSynced, since: clock.unsafeCurrentTimeMillis() }
      counted.set(resource, entry)
      informer.onChange(({ object }) => {
        for (const key of keysIn(object.metadata.namespace ?? "")) notify(key)
      })
      return entry
    }).pipe(Scope.extend(scope), Effect.provideService(ApiClient.ApiClient, client))

  // One at a time: two quotas that count the same must not copy it twice.
  const gate = yield* Effect.makeSemaphore(1)

  /** Whoever counts objects of the resource; undefined when the server does not serve it. */
  const counterOf = (resource: string) => {
    const found = counted.get(resource)
    return found === undefined ? gate.withPermits(1)(findCounter(resource)) : Effect.succeed(found)
  }

  const findCounter = Effect.fnUntraced(function*(resource: string) {
    const found = counted.get(resource)
    if (found !== undefined) return found
    const bare = bareKinds[resource]
    if (bare !== undefined) return yield* follow(resource, bare)
    if (!resource.startsWith("count/") || (askAgainAt.get(resource) ?? 0) > clock.unsafeCurrentTimeMillis()) return undefined
    const kind = (yield* client.discover).find((each) => each.namespaced && QuotaUsage.countName(each) === resource)
    if (kind !== undefined) return yield* follow(resource, kind)
    if (askAgainAt.size >= maxUnknown) askAgainAt.clear()
    askAgainAt.set(resource, clock.unsafeCurrentTimeMillis() + askAgainMillis)
    return undefined
  })

  /** What is used; `open` says for how long kinds were not known. Of such a kind the last count stays: zero would be wrong. */
  const usedOf = Effect.fnUntraced(function*(
    quota: CoreV1.ResourceQuota
  ): Effect.fn.Return<{ readonly used: Readonly<Record<string, string>>; readonly open: ReadonlyArray<number> }, ClientError.ClientError> {
    const open = new Map<string, number>()
    const before = quota.status?.used ?? {}
    const { namespace = "" } = quota.metadata
    const names = new Set(Object.keys(quota.spec?.hard ?? {}))
    const sum = new Map<string, Quantity.Quantity>()
    const now = clock.unsafeCurrentTimeMillis()
    const add = (kind: Kind.Kind, objects: ReadonlyArray<KubeObject.KubeObject>) => {
      for (const object of objects) if (QuotaUsage.isInScope(quota, object)) QuotaUsage.addInto(sum, usageOf(kind, object, now), names)
    }
    add(Kinds.pod, pods.byIndex("namespace", namespace))
    add(Kinds.service, services.byIndex("namespace", namespace))
    add(Kinds.persistentVolumeClaim, claims.byIndex("namespace", namespace))
    const whole = new Set([Kinds.pod, Kinds.service, Kinds.persistentVolumeClaim].map(QuotaUsage.countName))
    for (const name of names) {
      if (whole.has(name)) continue
      const counter = yield* counterOf(name)
      if (counter === undefined) continue
      if (!counter.isSynced()) {
        open.set(name, now - counter.since)
        continue
      }
      // Objects of these kinds are within no scope.
      const isScoped = (quota.spec?.scopes ?? []).length > 0 || (quota.spec?.scopeSelector?.matchExpressions ?? []).length > 0
      if (!isScoped) sum.set(name, Quantity.fromNumber(counter.list(namespace).length))
    }
    const used = [...names].flatMap((name): ReadonlyArray<readonly [string, string]> => {
      const amount = open.has(name) ? before[name] : Quantity.toCanonical(sum.get(name) ?? Quantity.zero)
      return amount === undefined ? [] : [[name, amount]]
    })
    return { used: Object.fromEntries(used), open: [...open.values()] }
  })

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const quota = latest.of(key, quotas.get(key))
    if (quota === undefined) return Outcome.Settled()
    const { hard = {} } = quota.spec ?? {}
    const { open, used } = yield* usedOf(quota)
    // At first it is worth a moment to say all at once.
    if (quota.status?.used === undefined && open.some((millis) => millis < patience)) return Outcome.RequeueAfter({ delay: "100 millis" })
    const status = { hard, used }
    if (!isDeepStrictEqual(quota.status ?? {}, status)) {
      latest.wrote(key, yield* client.updateStatus(Kinds.resourceQuota, { ...quota, status }))
    }
    return open.length === 0 ? Outcome.Settled() : Outcome.RequeueAfter({ delay: "1 second" })
  })

  const inNamespace = <A extends KubeObject.KubeObject>(informer: Informer.Informer<A>) =>
    Controller.dependents(informer, ({ metadata }) => keysIn(metadata.namespace ?? ""))
  const queue = yield* Controller.run({
    name: "resource-quota",
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [Controller.source(quotas, (quota) => [ObjectRef.keyOf(quota)]), inNamespace(pods), inNamespace(services), inNamespace(claims)],
    reconcile
  })
  notify = (key) => void queue.unsafeAdd(key)
})
