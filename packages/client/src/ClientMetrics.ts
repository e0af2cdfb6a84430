/** What the client measures about itself, under the names that Kubernetes dashboards know. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

/**
 * Keys waiting in a work queue, by queue `name`.
 *
 * @category metrics
 */
export const workQueueDepth = Metric.gauge("workqueue_depth", { description: "Keys waiting in a work queue" })

/**
 * Keys accepted by a work queue, by queue `name`. A key that was waiting already is not counted again.
 *
 * @category metrics
 */
export const workQueueAdds = Metric.counter("workqueue_adds_total", { description: "Keys accepted by a work queue", incremental: true })

/**
 * Keys that a full work queue refused, by queue `name`.
 *
 * @category metrics
 */
export const workQueueDropped = Metric.counter("workqueue_dropped_total", {
  description: "Keys refused by a full work queue",
  incremental: true
})

/**
 * Keys added with back-off after a failure, by queue `name`.
 *
 * @category metrics
 */
export const workQueueRetries = Metric.counter("workqueue_retries_total", {
  description: "Keys added again after a failure",
  incremental: true
})

/**
 * Seconds from the moment a key was added until a worker took it, by queue `name`.
 *
 * @category metrics
 */
export const workQueueLatency = Metric.histogram(
  "workqueue_queue_duration_seconds",
  MetricBoundaries.exponential({ start: 0.000_1, factor: 10, count: 8 }),
  "Seconds that keys wait in a work queue"
)

/**
 * Full lists made by informers, by `kind`.
 *
 * @category metrics
 */
export const informerLists = Metric.counter("informer_lists_total", { description: "Full lists made by informers", incremental: true })

/**
 * Watches opened by informers, by `kind`.
 *
 * @category metrics
 */
export const informerWatches = Metric.counter("informer_watches_total", {
  description: "Watches opened by informers",
  incremental: true
})

/**
 * Events that were not recorded, by `reason`: `queue_full`, `spam` or `failed`.
 *
 * @category metrics
 */
export const eventsDropped = Metric.counter("events_dropped_total", { description: "Events that were not recorded", incremental: true })

/**
 * 1 while this process leads, by lease `name`.
 *
 * @category metrics
 */
export const leaderStatus = Metric.gauge("leader_election_master_status", { description: "1 while this process leads" })
