/** What is counted of the start of an agent, of its passes over everything, and of what it holds back. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

/** Seconds of a pass over everything, by `mode`. @category metrics */
export const passDuration = Metric.histogram(
  "reddwarf_reconcile_pass_duration_seconds",
  MetricBoundaries.fromIterable([0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300]),
  "Seconds of a pass over everything, by mode"
)

/** What passes did, by `action`. @category metrics */
export const actions = Metric.counter("reddwarf_reconcile_actions_total", { description: "What passes did, by action", incremental: true })

/** What failed in passes, by `kind`: the tag of the error. @category metrics */
export const failures = Metric.counter("reddwarf_reconcile_failures_total", { description: "What failed in passes, by kind: the tag of the error", incremental: true })

/** Seconds since the epoch at which the last pass ended. @category metrics */
export const lastSuccess = Metric.gauge("reddwarf_reconcile_last_success_timestamp_seconds", { description: "Seconds since the epoch at which the last pass ended" })

/** Seconds from the start of the agent until what ran was adopted. @category metrics */
export const adoptionDuration = Metric.gauge("reddwarf_adoption_duration_seconds", { description: "Seconds from the start of the agent until what ran was adopted" })

/** Zones without a tag of any agent. @category metrics */
export const unmanagedZones = Metric.gauge("reddwarf_unmanaged_zones", { description: "Zones without a tag of any agent" })

/** Zones of another cluster. @category metrics */
export const foreignZones = Metric.gauge("reddwarf_foreign_zones", { description: "Zones of another cluster" })

/** Zones nobody touches until an operator has decided. @category metrics */
export const quarantinedZones = Metric.gauge("reddwarf_quarantined_zones", { description: "Zones nobody touches until an operator has decided" })

/** 1 for a `source` of pods that is completely known. @category metrics */
export const sourceSynced = Metric.gauge("reddwarf_source_synced", { description: "1 for a source of pods that is completely known" })

/** Pods whose removal waits, by `reason`. @category metrics */
export const deletionsHeld = Metric.gauge("reddwarf_deletions_held", { description: "Pods whose removal waits, by reason" })

/** Seconds that a `step` of the recovery after a crash took. @category metrics */
export const bootRecovery = Metric.gauge("reddwarf_boot_recovery_seconds", { description: "Seconds that a step of the recovery after a crash took" })

/** 1 when the agent went on although the recovery was not complete. @category metrics */
export const bootRecoveryTimedOut = Metric.gauge("reddwarf_boot_recovery_timed_out", { description: "1 when the agent went on although the recovery was not complete" })

/** Records of the ledger of which no copy was good. @category metrics */
export const ledgerRebuilt = Metric.counter("reddwarf_ledger_rebuilt_total", { description: "Records of the ledger of which no copy was good", incremental: true })

/** Static manifests, by `result`. @category metrics */
export const staticManifests = Metric.gauge("reddwarf_static_manifests", { description: "Static manifests, by result" })
