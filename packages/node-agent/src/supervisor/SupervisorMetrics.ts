/** What the supervisor counts. */
import * as Metric from "effect/Metric"

/** Attempts of containers that were started. @category metrics */
export const containerStarts = Metric.counter("reddwarf_container_starts_total", { description: "Attempts of containers that were started", incremental: true })

/** Containers whose start failed before a process existed. @category metrics */
export const containerStartFailures = Metric.counter("reddwarf_container_start_failures_total", { description: "Containers whose start failed before a process existed", incremental: true })

/** Chunks of output that could not be written to a log file. @category metrics */
export const logWriteFailures = Metric.counter("reddwarf_container_log_write_failures_total", { description: "Chunks of output that could not be written to a log file", incremental: true })

/** Pods that are supervised now. @category metrics */
export const supervisedPods = Metric.gauge("reddwarf_supervised_pods", { description: "Pods that are supervised now" })
