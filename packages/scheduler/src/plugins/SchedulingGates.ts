/** Pods with scheduling gates wait until whoever set the gates has removed them all. */
import * as Rejection from "../Rejection.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"

/**
 * The message of a gated pod's condition.
 *
 * @category constructors
 */
export const message = "Scheduling is blocked due to non-empty scheduling gates"

const gated = Rejection.unresolvable(message)

/**
 * Keeps gated pods out of the queue.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = {
  name: "SchedulingGates",
  requeueOn: [],
  preEnqueue: ({ pod }) => (pod.spec?.schedulingGates?.length ?? 0) > 0 ? gated : undefined
}
