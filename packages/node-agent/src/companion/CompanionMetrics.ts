/** What is counted of companions. */
import { TaggedMetrics } from "@reddwarf/telemetry"
import * as Metric from "effect/Metric"

/** 1 for the state a companion is in, 0 for the others. @category metrics */
export const state = TaggedMetrics.make(Metric.gauge("reddwarf_companion_state", { description: "1 for the state in which a companion service is" }), ["name", "state"])

/** What was done to companions. @category metrics */
export const repairs = TaggedMetrics.make(
  Metric.counter("reddwarf_companion_repairs_total", { description: "Repairs of companion services, by what was done", incremental: true }),
  ["name", "action"]
)
