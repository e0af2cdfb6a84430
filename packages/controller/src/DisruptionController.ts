/**
 * Keeps the status of PodDisruptionBudgets: how many of their pods are healthy, and how many may be evicted now. The API server spends what
 * is allowed when it evicts, so a status that lags is never too generous.
 */
import { type AppsV1, type CoreV1, Kinds, LabelSelector, OwnerReference, PodPhase, type PolicyV1, Timestamp } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { isDeepStrictEqual } from "node:util"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as budgets from "./internal/budgetStatus.js"
import * as newest from "./internal/newest.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many budgets are looked at, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** Budgets that are looked at concurrently: 5 unless given. */
  readonly workers?: number
  /** Time between visits of all budgets: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

/** Pods that somebody has asked to evict and that are still there after this time, in milliseconds, stay. */
const evictionPatience = 2 * 60_000

const selectorOf = ({ spec }: PolicyV1.PodDisruptionBudget): LabelSelector.LabelSelector =>
  Either.getOrElse(LabelSelector.fromObject(spec?.selector), () => LabelSelector.nothing)

/** How many pods a controller wants; undefined when it cannot be told. */
interface Wanted {
  readonly uid: string
  readonly replicas: number
}

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
  const all = yield* Informer.make({ kind: Kinds.podDisruptionBudget, indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ""] } })
  const latest = newest.make<PolicyV1.PodDisruptionBudget>()

  const keysOf = (pod: CoreV1.Pod): ReadonlyArray<string> =>
    all.byIndex("namespace", pod.metadata.namespace ?? "").filter((budget) => LabelSelector.matches(selectorOf(budget), pod.metadata.labels)).map(ObjectRef.keyOf)

  const found = <A>(effect: Effect.Effect<A, ClientError.ClientError>) =>
    effect.pipe(Effect.map((value): A | undefined => value), Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined)))

  const replicasOf = (object: { readonly metadata: { readonly uid?: string }; readonly spec?: { readonly replicas?: number } } | undefined, uid: string): Wanted | undefined =>
    object?.metadata.uid === uid ? { uid, replicas: object.spec?.replicas ?? 1 } : undefined

  const ofDeployment = (set: AppsV1.ReplicaSet): Effect.Effect<Wanted | undefined, ClientError.ClientError> => {
    const owner = OwnerReference.controller(set)
    if (owner?.kind !== "Deployment") return Effect.succeed(undefined)
    const ref = { namespace: set.metadata.namespace, name: owner.name }
    return Effect.map(found(client.get(Kinds.deployment, ref)), (deployment) => replicasOf(deployment, owner.uid))
  }

  /** The topmost controller that says how many pods there should be. */
  const wantedBy = (pod: CoreV1.Pod): Effect.Effect<Wanted | undefined, ClientError.ClientError> => {
    const owner = OwnerReference.controller(pod)
    if (owner === undefined) return Effect.succeed(undefined)
    const ref = { namespace: pod.metadata.namespace, name: owner.name }
    switch (owner.kind) {
      case "ReplicaSet":
        return Effect.flatMap(found(client.get(Kinds.replicaSet, ref)), (set) =>
          set?.metadata.uid !== owner.uid ? Effect.succeed(undefined) : Effect.map(ofDeployment(set), (above) => above ?? replicasOf(set, owner.uid)))
      case "StatefulSet":
        return Effect.map(found(client.get(Kinds.statefulSet, ref)), (set) => replicasOf(set, owner.uid))
      case "ReplicationController":
        return Effect.map(found(client.get(Kinds.replicationController, ref)), (controller) => replicasOf(controller, owner.uid))
      default:
        return Effect.succeed(undefined)
    }
  }

  /** What the pods' controllers want altogether, each asked once; the left side says which pod has none. */
  const scaleOf = Effect.fnUntraced(function*(matching: ReadonlyArray<CoreV1.Pod>): Effect.fn.Return<Either.Either<number, string>, ClientError.ClientError> {
    const byOwner = new Map<string, Wanted>()
    const known = new Map<string, Wanted | undefined>()
    for (const pod of matching) {
      const uid = OwnerReference.controller(pod)?.uid
      if (uid === undefined) continue
      if (!known.has(uid)) known.set(uid, yield* wantedBy(pod))
      const wanted = known.get(uid)
      if (wanted === undefined) return Either.left(`found no controllers for pod ${JSON.stringify(pod.metadata.name ?? "")}`)
      byOwner.set(wanted.uid, wanted)
    }
    return Either.right([...byOwner.values()].reduce((sum, { replicas }) => sum + replicas, 0))
  })

  const report = (key: string, budget: PolicyV1.PodDisruptionBudget, status: PolicyV1.PodDisruptionBudgetStatus) =>
    isDeepStrictEqual(budget.status ?? {}, status)
      ? Effect.void
      : Effect.map(client.updateStatus(Kinds.podDisruptionBudget, { ...budget, status }), (stored) => latest.wrote(key, stored))

  /** Evictions that have not shown an effect yet. A pod that goes, or that stayed too long, is forgotten. */
  const disrupted = (budget: PolicyV1.PodDisruptionBudget, matching: ReadonlyArray<CoreV1.Pod>) => {
    const entries = Object.entries(budget.status?.disruptedPods ?? {})
    const kept = entries.filter(([name, time]) => {
      const pod = matching.find(({ metadata }) => metadata.name === name)
      return pod !== undefined && !PodPhase.isTerminating(pod) && (Timestamp.toMillis(time) ?? 0) + evictionPatience > now()
    })
    const stuck = entries.flatMap(([name, time]) => {
      const pod = matching.find(({ metadata }) => metadata.name === name)
      return pod !== undefined && !PodPhase.isTerminating(pod) && (Timestamp.toMillis(time) ?? 0) + evictionPatience <= now() ? [pod] : []
    })
    const wait = Math.min(...kept.map(([, time]) => (Timestamp.toMillis(time) ?? 0) + evictionPatience - now()))
    return { kept: Object.fromEntries(kept), stuck, wait: kept.length === 0 ? undefined : Math.max(1, wait) }
  }

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const budget = latest.of(key, all.get(key))
    if (budget === undefined) return Outcome.Settled()
    const selector = selectorOf(budget)
    const matching = pods.byIndex("namespace", budget.metadata.namespace ?? "").filter((pod) => LabelSelector.matches(selector, pod.metadata.labels))
    if (matching.length === 0 && budget.status?.observedGeneration !== budget.metadata.generation) {
      yield* recorder.event(budget, "Normal", "NoPods", "No matching pods found")
    }
    const { kept, stuck, wait } = disrupted(budget, matching)
    for (const pod of stuck) {
      yield* recorder.event(pod, "Warning", "NotDeleted", "Pod was expected by PDB to be deleted but it wasn't")
    }
    const scale = budgets.needsScale(budget) ? yield* scaleOf(matching) : Either.right(matching.length)
    if (Either.isLeft(scale)) yield* recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", `Failed to calculate the number of expected pods: ${scale.left}`)
    yield* report(key, budget, budgets.describe(budget, matching, scale, kept, now()))
    return wait === undefined ? Outcome.Settled() : Outcome.RequeueAfter({ delay: wait })
  })

  yield* Controller.run({
    name: "disruption",
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    isRoutine: (error: ClientError.ClientError) => ClientError.isConflict(error) || ClientError.isNotFound(error),
    sources: [Controller.source(all, (budget) => [ObjectRef.keyOf(budget)]), Controller.dependents(pods, keysOf)],
    reconcile
  })
})
