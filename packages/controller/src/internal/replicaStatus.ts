/** What a ReplicaSet or ReplicationController says of its pods. Pure. */
import { type CoreV1, type KubeObject, LabelSelector } from "@reddwarf/api-types"
import { untilAvailable } from "./availability.js"
import * as conditions from "./conditions.js"

/** What both kinds have in common. */
export interface Replicated extends KubeObject.KubeObject {
  readonly spec?: {
    readonly replicas?: number
    readonly minReadySeconds?: number
    readonly template?: CoreV1.PodTemplateSpec
  }
  readonly status?: ReplicaStatus
}

export interface ReplicaStatus {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly terminatingReplicas?: number
  readonly observedGeneration?: number
  readonly conditions?: ReadonlyArray<conditions.Condition>
}

/** Why pods could not be created or deleted. */
export interface Failure {
  readonly reason: "FailedCreate" | "FailedDelete"
  readonly message: string
}

/** The status; the conditions of others stay. `active` are the pods that count. `terminating` those on their way out, where a kind counts them. */
export const describe = (
  set: Replicated,
  active: ReadonlyArray<CoreV1.Pod>,
  terminating: number | undefined,
  failure: Failure | undefined,
  now: number
): ReplicaStatus => {
  const labelled = LabelSelector.fromLabels(set.spec?.template?.metadata?.labels ?? {})
  const waits = active.map((pod) => untilAvailable(pod, set.spec?.minReadySeconds ?? 0, now))
  const before = set.status?.conditions ?? []
  // The first failure stays until all is well: messages name another pod each time, and each would be a change to look at again.
  const next = failure === undefined
    ? before.filter(({ type }) => type !== "ReplicaFailure")
    : conditions.find(before, "ReplicaFailure") !== undefined
    ? before
    : conditions.set<conditions.Condition>(before, { type: "ReplicaFailure", status: "True", ...failure }, now)
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => LabelSelector.matches(labelled, pod.metadata.labels)).length,
    readyReplicas: waits.filter((wait) => wait !== undefined).length,
    availableReplicas: waits.filter((wait) => wait === 0).length,
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    observedGeneration: set.metadata.generation ?? 0,
    ...(next.length === 0 ? {} : { conditions: next })
  }
}

/** Whether two statuses say the same; numbers that are 0 may be left out. */
export const isSame = (a: ReplicaStatus | undefined, b: ReplicaStatus): boolean =>
  a !== undefined &&
  (["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas", "observedGeneration"] as const)
    .every((name) => (a[name] ?? 0) === (b[name] ?? 0)) &&
  JSON.stringify(a.conditions ?? []) === JSON.stringify(b.conditions ?? [])
