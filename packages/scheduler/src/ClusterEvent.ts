/** Changes of the cluster that may make a pod schedulable which was not before. */
import type { CoreV1 } from "@reddwarf/api-types"
import { isDeepStrictEqual } from "node:util"

/**
 * What happened. `AssignedPod` events are about pods that have a node; deletion includes termination, which frees the resources as well.
 *
 * @category models
 */
export type ClusterEvent =
  | "NodeAdd"
  | "NodeDelete"
  | "NodeUpdateAllocatable"
  | "NodeUpdateLabels"
  | "NodeUpdateTaints"
  | "NodeUpdateConditions"
  | "AssignedPodAdd"
  | "AssignedPodUpdate"
  | "AssignedPodDelete"

const conditionStates = (node: CoreV1.Node): Readonly<Record<string, string>> =>
  Object.fromEntries(node.status?.conditions?.map((condition) => [condition.type, condition.status]) ?? [])

/**
 * What differs between two versions of a node, as far as placement can depend on it. Heartbeats give nothing.
 *
 * @category constructors
 */
export const ofNodeUpdate = (old: CoreV1.Node, next: CoreV1.Node): ReadonlyArray<ClusterEvent> => {
  const events: Array<ClusterEvent> = []
  if (!isDeepStrictEqual(old.status?.allocatable, next.status?.allocatable)) events.push("NodeUpdateAllocatable")
  if (
    !isDeepStrictEqual(old.metadata.labels, next.metadata.labels) || !isDeepStrictEqual(old.metadata.annotations, next.metadata.annotations)
  ) {
    events.push("NodeUpdateLabels")
  }
  if (!isDeepStrictEqual(old.spec?.taints, next.spec?.taints) || old.spec?.unschedulable !== next.spec?.unschedulable) {
    events.push("NodeUpdateTaints")
  }
  if (!isDeepStrictEqual(conditionStates(old), conditionStates(next))) events.push("NodeUpdateConditions")
  return events
}
