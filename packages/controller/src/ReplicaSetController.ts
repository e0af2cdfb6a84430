/**
 * Keeps as many pods as a ReplicaSet asks for: creates those that are missing, deletes those that are too many, takes in pods without a
 * controller that match its selector and lets those go that no longer do, and reports how many there are.
 *
 * Pods are created in batches of 1, 2, 4 and so on, so that a template that the server refuses is refused once and not a hundred times.
 */
import { type AppsV1, type CoreV1, Kinds, LabelSelector, OwnerReference, PodPhase } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as ownWrites from "./internal/ownWrites.js"
import * as podRanks from "./internal/podRanks.js"
import * as statuses from "./internal/replicaSetStatus.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many sets are looked at, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** Sets that are looked at concurrently: 5 unless given. */
  readonly workers?: number
  /** Time between visits of all sets: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

/** Pods that one pass creates or deletes at most. */
const burst = 500

const selectorOf = (set: AppsV1.ReplicaSet): LabelSelector.LabelSelector =>
  Either.getOrElse(LabelSelector.fromObject(set.spec?.selector), () => LabelSelector.nothing)

const uidOf = (object: AppsV1.ReplicaSet | CoreV1.Pod): string => object.metadata.uid ?? ""

const isActive = (pod: CoreV1.Pod): boolean => !PodPhase.isTerminal(pod) && !PodPhase.isTerminating(pod)

const isGone = (error: ClientError.ClientError): boolean => ClientError.isNotFound(error)

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const recorder = yield* EventRecorder.EventRecorder
  const clock = yield* Effect.clock
  const now = () => clock.unsafeCurrentTimeMillis()
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const sets = yield* Informer.make({
    kind: Kinds.replicaSet,
    indexers: {
      namespace: ({ metadata }) => [metadata.namespace ?? ""],
      owner: (set) => [OwnerReference.controller(set)?.uid ?? ""]
    }
  })
  const writes = ownWrites.make()

  /** The sets that a pod matters to: its own, or those that may take it in. */
  const keysOf = (pod: CoreV1.Pod): ReadonlyArray<string> => {
    const { namespace = "" } = pod.metadata
    const controller = OwnerReference.controller(pod)
    if (controller !== undefined) return controller.kind === "ReplicaSet" ? [ObjectRef.key({ namespace, name: controller.name })] : []
    return sets.byIndex("namespace", namespace).filter((set) => LabelSelector.matches(selectorOf(set), pod.metadata.labels)).map(ObjectRef.keyOf)
  }

  const unsubscribe = pods.onChange((event) => {
    const { object } = event
    for (const key of keysOf(object)) writes.seen(key, uidOf(object), event.type === "deleted" || PodPhase.isTerminating(object))
  })
  yield* Effect.addFinalizer(() => Effect.sync(unsubscribe))

  const adopt = (set: AppsV1.ReplicaSet, pod: CoreV1.Pod) => {
    const { resourceVersion, uid } = pod.metadata
    const ownerReferences = [...(pod.metadata.ownerReferences ?? []), OwnerReference.controllerOf(Kinds.replicaSet, set)]
    return client.patch(Kinds.pod, ObjectRef.of(pod), { metadata: { uid, resourceVersion, ownerReferences } })
  }

  const release = (set: AppsV1.ReplicaSet, pod: CoreV1.Pod) => {
    const { resourceVersion, uid } = pod.metadata
    const kept = (pod.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uidOf(set))
    return Effect.asVoid(client.patch(Kinds.pod, ObjectRef.of(pod), { metadata: { uid, resourceVersion, ownerReferences: kept.length === 0 ? null : kept } })).pipe(
      Effect.catchIf(isGone, () => Effect.void)
    )
  }

  /** The pods of the set, after taking in and letting go. */
  const claim = Effect.fnUntraced(function*(set: AppsV1.ReplicaSet): Effect.fn.Return<ReadonlyArray<CoreV1.Pod>, ClientError.ClientError> {
    const selector = selectorOf(set)
    const matches = (pod: CoreV1.Pod) => LabelSelector.matches(selector, pod.metadata.labels)
    const own = pods.byIndex("controller", uidOf(set))
    const isLeaving = set.metadata.deletionTimestamp !== undefined
    if (!isLeaving) yield* Effect.forEach(own.filter((pod) => !matches(pod) && !PodPhase.isTerminating(pod)), (pod) => release(set, pod), { discard: true })
    const free = isLeaving ? [] : pods.byIndex("uncontrolled", set.metadata.namespace ?? "").filter((pod) => matches(pod) && isActive(pod))
    if (free.length === 0) return own.filter(matches)
    // A set that was deleted and made again, or is being deleted, must not take pods in.
    const live = yield* client.get(Kinds.replicaSet, ObjectRef.of(set))
    if (uidOf(live) !== uidOf(set) || live.metadata.deletionTimestamp !== undefined) return own.filter(matches)
    const adopted = yield* Effect.forEach(free, (pod) => Effect.asSome(adopt(set, pod)).pipe(Effect.catchIf(isGone, () => Effect.succeedNone)))
    return [...own.filter(matches), ...adopted.flatMap((pod) => (pod._tag === "Some" ? [pod.value] : []))]
  })

  const create = (set: AppsV1.ReplicaSet, key: string): Effect.Effect<void, ClientError.ClientError> => {
    const { annotations, finalizers, labels } = set.spec?.template?.metadata ?? {}
    return client.create(Kinds.pod, {
      metadata: {
        generateName: `${set.metadata.name ?? ""}-`,
        ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
        ...(finalizers === undefined ? {} : { finalizers }),
        ownerReferences: [OwnerReference.controllerOf(Kinds.replicaSet, set)]
      },
      ...(set.spec?.template?.spec === undefined ? {} : { spec: set.spec.template.spec })
    }).pipe(
      Effect.tap((pod) => {
        // The watch may have been quicker than the answer.
        if (pods.get(ObjectRef.keyOf(pod)) === undefined) writes.created(key, uidOf(pod), now())
        return recorder.event(set, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name ?? ""}`)
      }),
      Effect.tapError((error) =>
        ClientError.isNamespaceTerminating(error)
          ? Effect.void
          : recorder.event(set, "Warning", "FailedCreate", `Error creating: ${error.message}`)),
      Effect.asVoid
    )
  }

  /** Creates in batches that double; the first batch with a failure is the last. */
  const createAll = Effect.fnUntraced(function*(set: AppsV1.ReplicaSet, key: string, count: number): Effect.fn.Return<void, ClientError.ClientError> {
    for (let [left, batch] = [count, 1]; left > 0; left -= batch, batch *= 2) {
      const results = yield* Effect.forEach(Array.from({ length: Math.min(batch, left) }), () => Effect.either(create(set, key)), { concurrency: 16 })
      const refused = results.find(Either.isLeft)
      if (refused !== undefined) yield* Effect.fail(refused.left)
    }
  })

  const remove = (set: AppsV1.ReplicaSet, key: string, pod: CoreV1.Pod) =>
    client.delete(Kinds.pod, ObjectRef.of(pod), { preconditions: { uid: uidOf(pod) } }).pipe(
      Effect.zipRight(Effect.suspend(() => {
        const seen = pods.get(ObjectRef.keyOf(pod))
        if (seen !== undefined && isActive(seen)) writes.deleted(key, uidOf(pod), now())
        return recorder.event(set, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name ?? ""}`)
      })),
      Effect.catchIf(isGone, () => Effect.void),
      Effect.tapError((error) => recorder.event(set, "Warning", "FailedDelete", `Error deleting: ${error.message}`))
    )

  const related = (set: AppsV1.ReplicaSet): ReadonlyArray<CoreV1.Pod> => {
    const owner = OwnerReference.controller(set)?.uid
    return (owner === undefined ? [set] : sets.byIndex("owner", owner)).flatMap((each) => pods.byIndex("controller", uidOf(each)).filter(isActive))
  }

  /** Creates or deletes what is missing or too much. */
  const scale = (set: AppsV1.ReplicaSet, key: string, active: ReadonlyArray<CoreV1.Pod>): Effect.Effect<void, ClientError.ClientError> => {
    if (set.metadata.deletionTimestamp !== undefined) return Effect.void
    const missing = (set.spec?.replicas ?? 1) - active.length - writes.pendingCreations(key, now())
    if (missing > 0) return createAll(set, key, Math.min(missing, burst))
    const surplus = podRanks.deletionOrder(active, related(set)).slice(0, Math.min(-missing, burst))
    return Effect.forEach(surplus, (pod) => remove(set, key, pod), { concurrency: 16, discard: true })
  }

  const report = (set: AppsV1.ReplicaSet, status: AppsV1.ReplicaSetStatus) =>
    statuses.isSame(set.status, status) ? Effect.void : Effect.asVoid(client.updateStatus(Kinds.replicaSet, { ...set, status }))

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const set = sets.get(key)
    if (set === undefined) {
      writes.forget(key)
      return Outcome.Settled()
    }
    const claimed = yield* claim(set)
    const active = claimed.filter((pod) => isActive(pod) && !writes.isPendingDeletion(key, uidOf(pod), now()))
    const terminating = claimed.filter((pod) => PodPhase.isTerminating(pod) && !PodPhase.isTerminal(pod)).length
    const result = yield* Effect.either(scale(set, key, active))
    const failure: statuses.Failure | undefined = Either.isLeft(result)
      ? { reason: active.length < (set.spec?.replicas ?? 1) ? "FailedCreate" : "FailedDelete", message: result.left.message }
      : undefined
    yield* report(set, statuses.describe(set, active, terminating, failure, now()))
    if (Either.isLeft(result)) return yield* Effect.fail(result.left)
    const waits = active.flatMap((pod) => statuses.untilAvailable(pod, set.spec?.minReadySeconds ?? 0, now()) ?? []).filter((wait) => wait > 0)
    return waits.length === 0 ? Outcome.Settled() : Outcome.RequeueAfter({ delay: Math.min(...waits) })
  })

  yield* Controller.run({
    name: "replica-set",
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    isRoutine: (error: ClientError.ClientError) => ClientError.isConflict(error) || isGone(error) || ClientError.isNamespaceTerminating(error),
    sources: [Controller.source(sets, (set) => [ObjectRef.keyOf(set)]), Controller.source(pods, keysOf)],
    reconcile
  })
})
