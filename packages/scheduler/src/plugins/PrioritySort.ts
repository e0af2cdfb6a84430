/** Important pods first, then those that wait longest. */
import type { QueuedPod, SchedulerPlugin } from "../SchedulerPlugin.js"

/**
 * Priority, descending, then the time in the queue.
 *
 * @category combinators
 */
export const order = (a: QueuedPod, b: QueuedPod): number =>
  b.info.priority - a.info.priority || a.queuedAt - b.queuedAt || a.sequence - b.sequence

/**
 * Sorts the queue by `order`.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = {
  name: "PrioritySort",
  requeueOn: [],
  queueSort: order
}
