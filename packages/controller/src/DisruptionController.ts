/**
 * Keeps the status of PodDisruptionBudgets: how many of their pods are healthy, and how many may be evicted now. The API server spends what
 * is allowed when it evicts, so a status that lags is never too generous. And takes back announced evictions of which nothing came.
 */
import { type AppsV1, type CoreV1, type Kind, Kinds, LabelSelector, type MetaV1, OwnerReference, PodPhase, type PolicyV1, Timestamp } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { isDeepStrictEqual } from "node:util"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as budgets from "./internal/budgetStatus.js"
import * as environment from "./internal/environment.js"
import * as newest from "./internal/newest.js"
import { isRoutine } from "./internal/routine.js"
import * as scales from "./internal/scales.js"
import * as staleDisruptions from "./internal/staleDisruptions.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many budgets are looked at, 5 unless given, and how often all are visited: every 30 seconds unless given.
 *
 * @category models
 */
export type Options = Controller.Tuning

/** Pods that somebody has asked to evict and that are still there after this time, in milliseconds, stay. */
const evictionPatience = 2 * 60_000

const selectorOf = ({ spec }: PolicyV1.PodDisruptionBudget): LabelSelector.LabelSelector =>
  Either.getOrElse(LabelSelector.fromObject(spec?.selector), () => LabelSelector.nothing)

/** Whether the reference names an object of the kind, in any version. */
const isOf = ({ apiVersion, kind }: MetaV1.OwnerReference, wanted: Kind.Kind): boolean =>
  kind === wanted.kind && (apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "") === wanted.group

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
  const { client, now, recorder } = yield* environment.get
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const replicaSets = options.informers?.replicaSets ?? (yield* ClusterInformers.replicaSets)
  const all = yield* Informer.make({ kind: Kinds.podDisruptionBudget, indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ""] } })
  const scaling = scales.make(client)
  const latest = newest.make<PolicyV1.PodDisruptionBudget>()

  const keysOf = (pod: CoreV1.Pod): ReadonlyArray<string> =>
    all.byIndex("namespace", pod.metadata.namespace ?? "").filter((budget) => LabelSelector.matches(selectorOf(budget), pod.metadata.labels)).map(ObjectRef.keyOf)

  const found = <A>(effect: Effect.Effect<A, ClientError.ClientError>) =>
    effect.pipe(Effect.map((value): A | undefined => value), Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined)))

  const replicasOf = (object: { readonly metadata: { readonly uid?: string }; readonly spec?: { readonly replicas?: number } } | undefined, uid: string): Wanted | undefined =>
    object?.metadata.uid === uid ? { uid, replicas: object.spec?.replicas ?? 1 } : undefined

  const ofDeployment = (set: AppsV1.ReplicaSet): Effect.Effect<Wanted | undefined, ClientError.ClientError> => {
    const owner = OwnerReference.controller(set)
    if (owner === undefined || !isOf(owner, Kinds.deployment)) return Effect.succeed(undefined)
    const ref = { namespace: set.metadata.namespace, name: owner.name }
    return Effect.map(found(client.get(Kinds.deployment, ref)), (deployment) => replicasOf(deployment, owner.uid))
  }

  /** The topmost controller that says how many pods there should be. */
  const wantedBy = (pod: CoreV1.Pod): Effect.Effect<Wanted | undefined, ClientError.ClientError> => {
    const owner = OwnerReference.controller(pod)
    if (owner === undefined) return Effect.succeed(undefined)
    const { namespace = "" } = pod.metadata
    const ref = { namespace, name: owner.name }
    if (isOf(owner, Kinds.replicaSet)) {
      const shown = replicaSets.get(ObjectRef.key(ref))
      const get = shown?.metadata.uid === owner.uid ? Effect.succeed(shown) : found(client.get(Kinds.replicaSet, ref))
      return Effect.flatMap(get, (set) =>
        set?.metadata.uid !== owner.uid ? Effect.succeed(undefined) : Effect.map(ofDeployment(set), (above) => above ?? replicasOf(set, owner.uid)))
    }
    if (isOf(owner, Kinds.statefulSet)) return Effect.map(found(client.get(Kinds.statefulSet, ref)), (set) => replicasOf(set, owner.uid))
    if (isOf(owner, Kinds.replicationController)) {
      return Effect.map(found(client.get(Kinds.replicationController, ref)), (controller) => replicasOf(controller, owner.uid))
    }
    // No other built-in kind says how many pods it wants; a custom one does where it can be scaled.
    return Kinds.all.some((kind) => isOf(owner, kind))
      ? Effect.succeed(undefined)
      : Effect.map(found(scaling.read(namespace, owner)), (read) => replicasOf(read?.scale, owner.uid))
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
    isRoutine,
    sources: [Controller.source(all, (budget) => [ObjectRef.keyOf(budget)]), Controller.dependents(pods, keysOf)],
    reconcile
  })
  yield* staleDisruptions.run({ client, pods, now })
})
