/** The pod condition `PodScheduled`: how a user learns why a pod has no node. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as DateTime from "effect/DateTime"

/**
 * `Unschedulable`: no node fits. `SchedulerError`: the attempt itself failed. (`SchedulingGated` is written by the API server.)
 *
 * @category models
 */
export type Reason = "Unschedulable" | "SchedulerError"

const type = "PodScheduled"

const seconds = (millis: number): string => DateTime.formatIso(DateTime.unsafeMake(millis)).replace(/\.\d{3}Z$/, "Z")

/**
 * The pod's conditions with `PodScheduled` false for this reason, or `undefined` when they say so already. The transition time moves only
 * when the status changes. `now` is milliseconds since the epoch.
 *
 * @category constructors
 */
export const notScheduled = (
  pod: CoreV1.Pod,
  reason: Reason,
  message: string,
  now: number
): ReadonlyArray<CoreV1.PodCondition> | undefined => {
  const conditions = pod.status?.conditions ?? []
  const old = conditions.find((condition) => condition.type === type)
  const { generation } = pod.metadata
  if (old?.status === "False" && old.reason === reason && old.message === message && old.observedGeneration === generation) return undefined
  const next: CoreV1.PodCondition = {
    type,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    status: "False",
    lastTransitionTime: old?.status === "False" && old.lastTransitionTime !== undefined ? old.lastTransitionTime : seconds(now),
    reason,
    message
  }
  return old === undefined ? [...conditions, next] : conditions.map((condition) => condition === old ? next : condition)
}
