/** What an operator can observe of the store. All layers of a process share them. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

/** Writes that were committed. @category metrics */
export const writes = Metric.counter("reddwarf_store_writes_total", { description: "committed writes", incremental: true })

/** Writes that were refused: conflicts, missing or existing keys, oversize objects. @category metrics */
export const refused = Metric.counter("reddwarf_store_refused_total", { description: "refused writes", incremental: true })

/** Transactions that could not be committed. @category metrics */
export const failures = Metric.counter("reddwarf_store_failures_total", { description: "failed transactions", incremental: true })

/** Listeners that threw while they were shown a group. @category metrics */
export const listenerFaults = Metric.counter("reddwarf_store_listener_faults_total", {
  description: "change listeners that threw",
  incremental: true
})

/** Versions that compaction has dropped. @category metrics */
export const compactedVersions = Metric.counter("reddwarf_store_compacted_versions_total", {
  description: "versions dropped by compaction",
  incremental: true
})

/** How many writes shared one transaction. @category metrics */
export const groupSize = Metric.histogram(
  "reddwarf_store_group_size",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 11 }),
  "writes per transaction"
)

/** How long transactions took, in seconds. @category metrics */
export const commitSeconds = Metric.histogram(
  "reddwarf_store_commit_seconds",
  MetricBoundaries.exponential({ start: 0.0001, factor: 2, count: 16 }),
  "seconds from the start of a transaction until it was durable"
)

/** Revision of the last committed write. @category metrics */
export const revision = Metric.gauge("reddwarf_store_revision", { description: "last committed revision" })

/** Number of current objects. @category metrics */
export const objects = Metric.gauge("reddwarf_store_objects", { description: "current objects" })

/** 1 when the store has declared itself failed, else 0. @category metrics */
export const failed = Metric.gauge("reddwarf_store_failed", { description: "1 when the store no longer accepts writes" })
