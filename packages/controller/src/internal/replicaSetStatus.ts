/** What a ReplicaSet says of its pods. Pure. */
import { type AppsV1, type CoreV1, LabelSelector, PodPhase, Timestamp } from "@reddwarf/api-types"
import * as conditions from "./conditions.js"

/** Milliseconds until a ready pod counts as available, 0 if it does; undefined if it is not ready. */
export const untilAvailable = (pod: CoreV1.Pod, minReadySeconds: number, now: number): number | undefined => {
  const ready = PodPhase.condition(pod, "Ready")
  if (ready?.status !== "True") return undefined
  const since = Timestamp.toMillis(ready.lastTransitionTime)
  return minReadySeconds === 0 ? 0 : since === undefined ? 1000 * minReadySeconds : Math.max(0, since + 1000 * minReadySeconds - now)
}

/** Why pods could not be created or deleted. */
export interface Failure {
  readonly reason: "FailedCreate" | "FailedDelete"
  readonly message: string
}

/** The status; the conditions of others stay. `active` are the pods that count, `terminating` those on their way out. */
export const describe = (
  set: AppsV1.ReplicaSet,
  active: ReadonlyArray<CoreV1.Pod>,
  terminating: number,
  failure: Failure | undefined,
  now: number
): AppsV1.ReplicaSetStatus => {
  const labelled = LabelSelector.fromLabels(set.spec?.template?.metadata?.labels ?? {})
  const waits = active.map((pod) => untilAvailable(pod, set.spec?.minReadySeconds ?? 0, now))
  const before = set.status?.conditions ?? []
  const next = failure === undefined
    ? before.filter(({ type }) => type !== "ReplicaFailure")
    : conditions.set<AppsV1.ReplicaSetCondition>(before, { type: "ReplicaFailure", status: "True", ...failure }, now)
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => LabelSelector.matches(labelled, pod.metadata.labels)).length,
    readyReplicas: waits.filter((wait) => wait !== undefined).length,
    availableReplicas: waits.filter((wait) => wait === 0).length,
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation ?? 0,
    ...(next.length === 0 ? {} : { conditions: next })
  }
}

/** Whether two statuses say the same; numbers that are 0 may be left out. */
export const isSame = (a: AppsV1.ReplicaSetStatus | undefined, b: AppsV1.ReplicaSetStatus): boolean =>
  a !== undefined &&
  (["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas", "observedGeneration"] as const)
    .every((name) => (a[name] ?? 0) === (b[name] ?? 0)) &&
  JSON.stringify(a.conditions ?? []) === JSON.stringify(b.conditions ?? [])
