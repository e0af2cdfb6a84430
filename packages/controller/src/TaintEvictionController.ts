/**
 * Removes pods from nodes whose `NoExecute` taints they do not tolerate, or tolerate only for `tolerationSeconds`.
 *
 * The time counts from when this process first saw the pod on the tainted node: a controller that has just started gives every pod the
 * whole time, because agents need time to report after an outage, too. Nothing is removed before the server itself says that the taint is
 * still there.
 */
import { type CoreV1, Kinds, PodPhase, Taints } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as ControllerMetrics from "./ControllerMetrics.js"
import * as conditions from "./internal/conditions.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many pods are looked at, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** Pods that are looked at concurrently: 8 unless given. */
  readonly workers?: number
  /** Time between visits of all pods: 1 minute unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

const keyOf = (pod: CoreV1.Pod): string => `${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""}`

/** Milliseconds that the pod may stay on the node; undefined: as long as it likes. */
const allowance = (pod: CoreV1.Pod, node: CoreV1.Node): number | undefined => {
  const limits = (node.spec?.taints ?? [])
    .filter((taint) => taint.effect === "NoExecute")
    .map((taint) => Taints.tolerationSeconds(pod.spec?.tolerations ?? [], taint))
    .filter((seconds) => seconds !== undefined)
  return limits.length === 0 ? undefined : 1000 * Math.min(...limits)
}

const evicts = (node: CoreV1.Node): boolean => node.spec?.taints?.some(({ effect }) => effect === "NoExecute") === true

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
  const { nodes, pods } = options.informers ?? { nodes: yield* ClusterInformers.nodes, pods: yield* ClusterInformers.pods }
  const removals = Metric.tagged(ControllerMetrics.removals, "controller", "taint-eviction")
  /** Pods whose time on their node is limited, with the uid of the pod and the time from which it counts. */
  const limited = new Map<string, { readonly uid: string | undefined; readonly sinceMillis: number }>()

  const cancel = (key: string, pod: CoreV1.Pod | undefined): Effect.Effect<Outcome> =>
    Effect.suspend(() => {
      const known = limited.get(key)
      limited.delete(key)
      const goes = pod === undefined || PodPhase.isTerminating(pod) || known?.uid !== pod.metadata.uid
      return known === undefined || goes
        ? Effect.succeed(Outcome.Settled())
        : Effect.as(recorder.event(pod, "Normal", "TaintManagerEviction", `Cancelling deletion of Pod ${key}`), Outcome.Settled())
    })

  const evict = (key: string, pod: CoreV1.Pod) => {
    const { name = "", namespace, resourceVersion, uid } = pod.metadata
    const disrupted = { type: "DisruptionTarget", status: "True", reason: "DeletionByTaintManager", message: "Taint manager: deleting due to NoExecute taint" }
    const next = conditions.set<CoreV1.PodCondition>(pod.status?.conditions ?? [], disrupted, clock.unsafeCurrentTimeMillis())
    const patch = { metadata: { resourceVersion }, status: { conditions: next } }
    return recorder.event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${key}`).pipe(
      Effect.zipRight(client.patch(Kinds.pod, { namespace, name }, patch, { subresource: "status" })),
      Effect.zipRight(client.delete(Kinds.pod, { namespace, name }, { preconditions: { uid } })),
      Effect.tap(() =>
        Effect.sync(() => {
          limited.delete(key)
          removals.unsafeUpdate(1, [])
        })
      ),
      Effect.catchIf(ClientError.isNotFound, () => Effect.void)
    )
  }

  const since = (key: string, pod: CoreV1.Pod, now: number): number => {
    const known = limited.get(key)
    if (known !== undefined && known.uid === pod.metadata.uid) return known.sinceMillis
    limited.set(key, { uid: pod.metadata.uid, sinceMillis: now })
    return now
  }

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const pod = pods.get(key)
    const name = pod?.spec?.nodeName ?? ""
    const node = nodes.get(name)
    if (pod === undefined || node === undefined || PodPhase.isTerminating(pod)) return yield* cancel(key, pod)
    const allowed = allowance(pod, node)
    if (allowed === undefined) return yield* cancel(key, pod)
    const now = clock.unsafeCurrentTimeMillis()
    const left = since(key, pod, now) + allowed - now
    if (left > 0) return Outcome.RequeueAfter({ delay: left })
    // The watch may lag behind a taint that is gone, or behind the whole node.
    const current = yield* client.get(Kinds.node, { name }).pipe(Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined)))
    const still = current === undefined ? undefined : allowance(pod, current)
    if (still === undefined) return yield* cancel(key, pod)
    if (still > allowed) return Outcome.RequeueAfter({ delay: "1 second" })
    yield* evict(key, pod)
    return Outcome.Settled()
  })

  const podsOf = (node: CoreV1.Node) => evicts(node) ? pods.byIndex("node", node.metadata.name ?? "").map(keyOf) : []
  // Most pods are on nodes where everything may stay.
  const concerned = (pod: CoreV1.Pod): ReadonlyArray<string> => {
    const node = nodes.get(pod.spec?.nodeName ?? "")
    const key = keyOf(pod)
    return limited.has(key) || (node !== undefined && evicts(node)) ? [key] : []
  }
  yield* Controller.run({
    name: "taint-eviction",
    workers: options.workers ?? 8,
    resync: options.resync ?? "1 minute",
    isRoutine: ClientError.isConflict,
    sources: [Controller.source(nodes, podsOf), Controller.dependents(pods, concerned)],
    reconcile
  })
})
