/** What an operator can observe of the watch cache. */
import * as Metric from "effect/Metric"

/** Open watches. @category metrics */
export const watchers = Metric.gauge("reddwarf_event_bus_watchers", { description: "open watches" })

/** Changes that went through the cache. @category metrics */
export const events = Metric.counter("reddwarf_event_bus_events_total", { description: "changes seen", incremental: true })

/** Events put before watchers, also those that their filter refused. @category metrics */
export const deliveries = Metric.counter("reddwarf_event_bus_deliveries_total", {
  description: "events offered to watchers",
  incremental: true
})

/** Watches that were ended or refused with `WatchExpired`. @category metrics */
export const expired = Metric.counter("reddwarf_event_bus_expired_total", { description: "expired watches", incremental: true })

/** Current entries. @category metrics */
export const entries = Metric.gauge("reddwarf_event_bus_entries", { description: "current entries" })

/** Bytes held by the event history. @category metrics */
export const historyBytes = Metric.gauge("reddwarf_event_bus_history_bytes", { description: "bytes held by the event history" })
