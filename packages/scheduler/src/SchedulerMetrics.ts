/** What an operator watches of a scheduler. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

const attempts = Metric.counter("scheduler_schedule_attempts_total", {
  description: "Attempts to place a pod, by result",
  incremental: true
})

/**
 * Attempts that found a node and bound the pod.
 *
 * @category metrics
 */
export const scheduled = Metric.tagged(attempts, "result", "scheduled")

/**
 * Attempts that found no node.
 *
 * @category metrics
 */
export const unschedulable = Metric.tagged(attempts, "result", "unschedulable")

/**
 * Attempts that failed for another reason: a plugin broke, or the binding failed.
 *
 * @category metrics
 */
export const failed = Metric.tagged(attempts, "result", "error")

/**
 * Time to decide for one pod, without the binding, in seconds.
 *
 * @category metrics
 */
export const algorithmSeconds = Metric.histogram(
  "scheduler_scheduling_algorithm_duration_seconds",
  MetricBoundaries.exponential({ start: 0.0001, factor: 2, count: 16 }),
  "Time to choose a node for one pod"
)

const pendingPods = Metric.gauge("scheduler_pending_pods", { description: "Pods without a node, by the place where they wait" })

const gauges = {
  active: Metric.tagged(pendingPods, "queue", "active"),
  backoff: Metric.tagged(pendingPods, "queue", "backoff"),
  unschedulable: Metric.tagged(pendingPods, "queue", "unschedulable"),
  gated: Metric.tagged(pendingPods, "queue", "gated"),
  inFlight: Metric.tagged(pendingPods, "queue", "in_flight")
}

/**
 * Sets the number of pods waiting in one place of the queue.
 *
 * @category metrics
 */
export const pending = (place: keyof typeof gauges, count: number): void => gauges[place].unsafeUpdate(count, [])
