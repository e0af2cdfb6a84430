/** Questions about the state of a pod that several components ask. */
import type * as CoreV1 from "./generated/CoreV1.js"

/** All containers ended and none will start again: the phase is Succeeded or Failed. @category combinators */
export const isTerminal = (pod: CoreV1.Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed"

/** A delete was requested and the pod still exists. @category combinators */
export const isTerminating = (pod: CoreV1.Pod): boolean => pod.metadata.deletionTimestamp !== undefined

/** A node was chosen. @category combinators */
export const isBound = (pod: CoreV1.Pod): boolean => (pod.spec?.nodeName ?? "") !== ""

/** The condition of this type, if the status has it. @category combinators */
export const condition = (pod: CoreV1.Pod, type: string): CoreV1.PodCondition | undefined =>
  pod.status?.conditions?.find((each) => each.type === type)

/** Whether the condition of this type is True. @category combinators */
export const isConditionTrue = (pod: CoreV1.Pod, type: string): boolean => condition(pod, type)?.status === "True"

/** The pod serves: its condition Ready is True. @category combinators */
export const isReady = (pod: CoreV1.Pod): boolean => isConditionTrue(pod, "Ready")

/** Scheduling waits until somebody removes the pod's scheduling gates. @category combinators */
export const isGated = (pod: CoreV1.Pod): boolean => (pod.spec?.schedulingGates ?? []).length > 0
