/**
 * Pods with scheduling gates wait until whoever set the gates has removed them all. The condition that tells the user so is written by the
 * API server when the pod is created.
 */
import { PodPhase } from "@reddwarf/api-types"
import * as Rejection from "../Rejection.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"

const gated = Rejection.unresolvable("Scheduling is blocked due to non-empty scheduling gates")

/**
 * Keeps gated pods out of the queue.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = {
  name: "SchedulingGates",
  requeueOn: [],
  preEnqueue: ({ pod }) => PodPhase.isGated(pod) ? gated : undefined
}
