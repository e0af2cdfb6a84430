/** What is counted about plans. Series that belong to one object are computed when they are asked for: see `series`. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"

const boundaries = (values: Iterable<number>) => MetricBoundaries.fromIterable(Chunk.fromIterable(values))

const seconds = (name: string, values: Iterable<number>, description: string) =>
  Metric.histogram(name, boundaries(values), description).pipe(Metric.mapInput((duration: Duration.Duration) => Duration.toSeconds(duration)))

/** From `createdAt` to the end. Labels: controller, namespace, plan_type, outcome. @category metrics */
export const planDurationSeconds = seconds(
  "reddwarf_plan_duration_seconds",
  [1, 5, 10, 30, 60, 120, 300, 600, 1800],
  "Time from the making of a plan to its end."
)

/** Labels: plan_type, task_type, reason. @category metrics */
export const planFailures = Metric.counter("reddwarf_plan_failures_total", {
  incremental: true,
  description: "Plans that failed, by the task that made them fail."
})

/** Label: plan_type. @category metrics */
export const planSuperseded = Metric.counter("reddwarf_plan_superseded_total", {
  incremental: true,
  description: "Plans that made way for something else."
})

/** Label: kind. @category metrics */
export const driftDetected = Metric.counter("reddwarf_drift_detected_total", {
  incremental: true,
  description: "Differences seen for the first time."
})

/** Labels: controller, namespace, outcome. @category metrics */
export const sidecarHealthProbes = Metric.counter("reddwarf_sidecar_health_probes_total", {
  incremental: true,
  description: "Probes of gates."
})

/** Labels: namespace, from_phase, to_phase. @category metrics */
export const zonePhaseTransitions = Metric.counter("reddwarf_zone_phase_transitions_total", {
  incremental: true,
  description: "Changes of the phase of zones."
})

/** How long a zone was in the phase that it left. Labels: namespace, phase. @category metrics */
export const zonePhaseDurationSeconds = seconds(
  "reddwarf_zone_phase_duration_seconds",
  [10, 30, 60, 300, 600, 1800, 3600],
  "Time that zones spent in a phase."
)

/** Labels: controller, namespace. @category metrics */
export const reconcileErrors = Metric.counter("reddwarf_reconcile_errors_total", {
  incremental: true,
  description: "Passes that failed."
})

/** Zones for which somebody else was found to write plans. @category metrics */
export const writerConflicts = Metric.counter("reddwarf_writer_conflicts_total", {
  incremental: true,
  description: "Zones for which somebody else was found to write plans."
})

/** What the names of `series` mean. @category metrics */
export const seriesHelp: Readonly<Record<string, string>> = {
  reddwarf_plans_active: "Plans that are being carried out.",
  reddwarf_gate_open: "1 when the gate is open.",
  reddwarf_sidecar_ready: "1 when the sidecar of the pod approves of it.",
  reddwarf_zone_phase: "1 for the phase that the zone is in."
}

/** @category metrics */
export const ledgerFsyncSeconds = seconds(
  "reddwarf_ledger_fsync_seconds",
  [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
  "Time to bring a piece of the plan ledger to the disk."
)

/** Pods whose records were lost or fell back to an older copy. @category metrics */
export const ledgerRebuilt = Metric.counter("reddwarf_ledger_rebuilt_total", {
  incremental: true,
  description: "Records of the plan ledger that were not whole."
})

/** A value of a gauge with labels. @category models */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}
