/**
 * Removes pods that nobody else would remove: those on nodes that no longer exist, the oldest terminated ones above a threshold, those
 * that are being deleted but were never placed on a node, and those that are being deleted on a node that was taken out of service.
 *
 * A node counts as gone only after it has been missing for a quarantine time and the server itself confirms it.
 */
import { type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { ApiClient, ClientError } from "@reddwarf/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as ControllerMetrics from "./ControllerMetrics.js"
import * as conditions from "./internal/conditions.js"
import * as Reconciler from "./Reconciler.js"

/**
 * Which pods may stay, and how often to look.
 *
 * @category models
 */
export interface Options {
  /** Terminated pods that may stay: 12,500 unless given. 0 or less keeps all. */
  readonly terminatedPodThreshold?: number
  /** How long a node must be missing before its pods go: 40 seconds unless given. */
  readonly quarantine?: Duration.DurationInput
  /** Time between passes: 20 seconds unless given. */
  readonly every?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

const maxRemovalsPerPass = 1000
const concurrency = 8

const byAge = (a: CoreV1.Pod, b: CoreV1.Pod): number =>
  (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") ||
  (a.metadata.name ?? "").localeCompare(b.metadata.name ?? "")

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const clock = yield* Effect.clock
  const threshold = options.terminatedPodThreshold ?? 12_500
  const quarantineMillis = Duration.toMillis(options.quarantine ?? "40 seconds")
  const { nodes, pods } = options.informers ?? { nodes: yield* ClusterInformers.nodes, pods: yield* ClusterInformers.pods }
  const removals = Metric.tagged(ControllerMetrics.removals, "controller", "pod-garbage-collector")
  /** Nodes that pods name but that do not exist, with the time at which that was first seen. */
  const missingSince = new Map<string, number>()

  const remove = (pod: CoreV1.Pod) => {
    const { name = "", namespace, uid } = pod.metadata
    return client.delete(Kinds.pod, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } }).pipe(
      Effect.tap(() => Effect.sync(() => removals.unsafeUpdate(1, []))),
      // Gone, or replaced by another pod of that name: either way there is nothing left to do.
      Effect.catchIf((error) => ClientError.isNotFound(error) || ClientError.isConflict(error), () => Effect.void)
    )
  }

  /** Says why the pod goes, for those who watch it, before it goes. */
  const fail = (pod: CoreV1.Pod) => {
    if (PodPhase.isTerminal(pod)) return Effect.void
    const { name = "", namespace, resourceVersion } = pod.metadata
    const disrupted = { type: "DisruptionTarget", status: "True", reason: "DeletionByPodGC", message: "PodGC: node no longer exists" }
    const next = conditions.set<CoreV1.PodCondition>(pod.status?.conditions ?? [], disrupted, clock.unsafeCurrentTimeMillis())
    const patch = { metadata: { resourceVersion }, status: { phase: "Failed", conditions: next } }
    return client.patch(Kinds.pod, { namespace, name }, patch, { subresource: "status" }).pipe(
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(pod))
    )
  }

  const removeAll = (kind: string, doomed: ReadonlyArray<CoreV1.Pod>, before: (pod: CoreV1.Pod) => Effect.Effect<unknown, ClientError.ClientError>) =>
    Effect.forEach(
      doomed.slice(0, maxRemovalsPerPass),
      (pod) =>
        Effect.zipRight(before(pod), remove(pod)).pipe(
          Effect.zipRight(Effect.logInfo(`removed ${kind} pod`).pipe(Effect.annotateLogs({ pod: `${pod.metadata.namespace}/${pod.metadata.name}` }))),
          // One pod that cannot be removed must not save the others.
          Effect.catchAll((error) => Effect.logWarning(`cannot remove ${kind} pod`, error))
        ),
      { concurrency, discard: true }
    )

  const isGone = (node: string) =>
    client.get(Kinds.node, { name: node }).pipe(
      Effect.as(false),
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(true))
    )

  const orphaned = Effect.gen(function*() {
    const now = clock.unsafeCurrentTimeMillis()
    const missing = new Set(pods.indexValues("node").filter((node) => nodes.get(node) === undefined))
    for (const node of missingSince.keys()) if (!missing.has(node)) missingSince.delete(node)
    for (const node of missing) if (!missingSince.has(node)) missingSince.set(node, now)
    const due = [...missingSince].filter(([, since]) => now - since >= quarantineMillis).map(([node]) => node)
    const gone = yield* Effect.filter(due, isGone, { concurrency })
    yield* removeAll("orphaned", gone.flatMap((node) => pods.byIndex("node", node)), fail)
  })

  const terminated = Effect.suspend(() => {
    if (threshold <= 0) return Effect.void
    const all = [...pods.byIndex("state", "terminal")]
    const surplus = all.length - threshold
    return surplus <= 0 ? Effect.void : removeAll("terminated", all.sort(byAge).slice(0, surplus), () => Effect.void)
  })

  const unscheduled = Effect.suspend(() =>
    removeAll("unscheduled terminating", pods.byIndex("state", "terminating").filter((pod) => !PodPhase.isBound(pod)), () => Effect.void)
  )

  /** The taint by which an operator says that the node is down and will not come back by itself. */
  const isOutOfService = (name: string): boolean => {
    const node = nodes.get(name)
    return node !== undefined && conditions.find(node.status?.conditions, "Ready")?.status !== "True" &&
      (node.spec?.taints ?? []).some(({ key }) => key === "node.kubernetes.io/out-of-service")
  }

  const stranded = Effect.suspend(() =>
    removeAll(
      "stranded terminating",
      pods.byIndex("state", "terminating").filter((pod) => isOutOfService(pod.spec?.nodeName ?? "")),
      () => Effect.void
    )
  )

  yield* Effect.zipRight(nodes.hasSynced, pods.hasSynced)
  yield* Reconciler.periodic({
    name: "pod-garbage-collector",
    every: options.every ?? "20 seconds",
    pass: Effect.all([terminated, orphaned, unscheduled, stranded], { discard: true })
  })
})
