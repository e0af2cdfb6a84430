/** What the built-in admission plugins and the create strategy give a new pod. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { orElse } from "../internal/strings.js"
import { qosClass } from "../PodResources.js"

const graceTolerations: ReadonlyArray<CoreV1.Toleration> = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }
]

// A pod stays five minutes on a node that stopped answering, unless it says something about that itself.
const withGraceTolerations = (tolerations: ReadonlyArray<CoreV1.Toleration>): ReadonlyArray<CoreV1.Toleration> => {
  if (tolerations.length === 0) return graceTolerations
  const covers = (toleration: CoreV1.Toleration, key: string): boolean =>
    ((toleration.key ?? "") === key || (toleration.key ?? "") === "") &&
    ((toleration.effect ?? "") === "NoExecute" || (toleration.effect ?? "") === "")
  const missing = graceTolerations.filter(({ key = "" }) => !tolerations.some((toleration) => covers(toleration, key)))
  return missing.length === 0 ? tolerations : [...tolerations, ...missing]
}

/** Values of the priority classes that every cluster has. @category models */
export const systemPriorities: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000
}

const priorityOf = (className: string | undefined): number => systemPriorities[className ?? ""] ?? 0

const gatedCondition: CoreV1.PodCondition = {
  type: "PodScheduled",
  status: "False",
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates"
}

/** @category combinators */
export const podAdmissionDefaults = (pod: CoreV1.Pod): CoreV1.Pod => {
  if (pod.spec === undefined) return pod
  const spec: CoreV1.PodSpec = {
    ...pod.spec,
    tolerations: withGraceTolerations(pod.spec.tolerations ?? []),
    priority: pod.spec.priority ?? priorityOf(pod.spec.priorityClassName),
    preemptionPolicy: orElse(pod.spec.preemptionPolicy, "PreemptLowerPriority")
  }
  const status: CoreV1.PodStatus = {
    phase: "Pending",
    qosClass: qosClass({ ...pod, spec }),
    ...((spec.schedulingGates ?? []).length > 0 ? { conditions: [gatedCondition] } : {})
  }
  return { ...pod, spec, status }
}
