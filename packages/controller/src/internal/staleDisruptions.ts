/**
 * Takes back what a pod's status says about its disruption when nothing came of it: somebody announced to evict the pod, and then did not
 * delete it. Otherwise a later failure of its own would be taken for a disruption.
 */
import { type CoreV1, Kinds, PodPhase, Timestamp } from "@reddwarf/api-types"
import { type ApiClient, type ClientError, type Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Controller from "../Controller.js"
import { Outcome } from "../Reconciler.js"
import * as conditions from "./conditions.js"
import { isRoutine } from "./routine.js"

/** Time after which an announced disruption does not happen any more, in milliseconds. */
const patience = 2 * 60_000

export interface Options {
  readonly client: ApiClient.Service
  /** All pods, with the indexes of `ClusterInformers`. */
  readonly pods: Informer.Informer<CoreV1.Pod>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const announced = (pod: CoreV1.Pod): CoreV1.PodCondition | undefined => {
  const condition = PodPhase.isTerminating(pod) || PodPhase.isTerminal(pod) ? undefined : PodPhase.condition(pod, "DisruptionTarget")
  return condition?.status === "True" ? condition : undefined
}

/** Runs as long as the scope. */
export const run = Effect.fnUntraced(function*({ client, now, pods }: Options): Effect.fn.Return<void, never, Scope.Scope> {
  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const pod = pods.get(key)
    const condition = pod === undefined ? undefined : announced(pod)
    if (pod === undefined || condition === undefined) return Outcome.Settled()
    const left = (Timestamp.toMillis(condition.lastTransitionTime) ?? 0) + patience - now()
    if (left > 0) return Outcome.RequeueAfter({ delay: left })
    const { resourceVersion } = pod.metadata
    const taken = { type: condition.type, status: "False" }
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== condition.type)
    yield* client.patch(Kinds.pod, ObjectRef.of(pod), {
      metadata: { resourceVersion },
      status: { conditions: conditions.set<CoreV1.PodCondition>(others, taken, now()) }
    }, { subresource: "status" })
    return Outcome.Settled()
  })

  yield* Controller.run({
    name: "stale-pod-disruption",
    isRoutine,
    sources: [
      Controller.dependents(
        pods,
        (pod) => (announced(pod) === undefined ? [] : [ObjectRef.keyOf(pod)]),
        () => pods.byIndex("state", "disrupted").map(ObjectRef.keyOf)
      )
    ],
    reconcile
  })
})
