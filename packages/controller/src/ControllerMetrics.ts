/** What controllers measure about themselves. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

/**
 * Passes by `controller` and `result`: `settled`, `requeued`, `failed` or `terminal`.
 *
 * @category metrics
 */
export const reconciles = Metric.counter("controller_reconcile_total", { description: "Reconcile passes", incremental: true })

/**
 * Seconds that one pass took, by `controller`.
 *
 * @category metrics
 */
export const reconcileSeconds = Metric.histogram(
  "controller_reconcile_time_seconds",
  MetricBoundaries.exponential({ start: 0.001, factor: 4, count: 10 }),
  "Duration of reconcile passes"
)

/**
 * Workers that are in a pass, by `controller`.
 *
 * @category metrics
 */
export const activeWorkers = Metric.gauge("controller_active_workers", { description: "Workers that are in a pass" })

/**
 * Objects that a controller removed, by `controller`.
 *
 * @category metrics
 */
export const removals = Metric.counter("controller_removals_total", { description: "Objects removed by controllers", incremental: true })
