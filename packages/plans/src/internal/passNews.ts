/** What a pass has to tell: events for people and counts for metrics. */
import { Timestamp } from "@reddwarf/api-types"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Plan } from "../Plan.js"
import type { LedgerFailed } from "../PlanError.js"
import * as PlanMetrics from "../PlanMetrics.js"
import * as Precedence from "../Precedence.js"
import type { Status, ZoneInstance } from "../ZoneInstance.js"

export interface PlanEvent {
  readonly type: "Normal" | "Warning"
  readonly reason: string
  readonly message: string
}

/** How a reconciler tells something. */
export interface Teller {
  readonly controller: string
  readonly event: (instance: ZoneInstance, event: PlanEvent) => Effect.Effect<void>
}

const namespaceOf = ({ metadata }: ZoneInstance): string => metadata.namespace ?? ""

const count = (metric: Metric.Metric.Counter<number>, labels: Readonly<Record<string, string>>) =>
  Metric.increment(Object.entries(labels).reduce((tagged, [name, value]) => Metric.tagged(tagged, name, value), metric))

export const created = ({ event }: Teller, instance: ZoneInstance, plan: Plan): ReadonlyArray<Effect.Effect<void>> =>
  Precedence.rules[plan.type].disruptive
    ? [event(instance, {
      type: "Normal",
      reason: "PlanCreated",
      message: `plan ${plan.type} was made: ${plan.reason.map(({ detail, kind }) => `${kind}: ${detail}`).join("; ") || "the pod is deleted"}`
    })]
    : []

const completed = (plan: Plan): ReadonlyArray<PlanEvent> => {
  const rolledBack: PlanEvent = {
    type: "Warning",
    reason: "ImageRolledBack",
    message: "the new image did not come up: the former one runs again"
  }
  if (!Precedence.rules[plan.type].disruptive) return []
  const done: PlanEvent = { type: "Normal", reason: "PlanCompleted", message: `plan ${plan.type} is complete` }
  return plan.type === "rollback" ? [done, rolledBack] : [done]
}

const outcomeEvents: Readonly<Record<Plan["phase"], (plan: Plan) => ReadonlyArray<PlanEvent>>> = {
  Active: () => [],
  Complete: completed,
  Failed: ({ failedTaskDetail, type }) => [{
    type: "Warning",
    reason: "PlanFailed",
    message: `plan ${type} failed at ${failedTaskDetail?.type ?? "its end"}: ${failedTaskDetail?.error ?? "no reason was given"}`
  }],
  Superseded: ({ type }) => [{ type: "Normal", reason: "PlanSuperseded", message: `plan ${type} makes way: something else is wanted` }]
}

/** The end of a plan. */
export const ended = ({ controller, event }: Teller, instance: ZoneInstance, plan: Plan): ReadonlyArray<Effect.Effect<void>> => {
  const news = outcomeEvents[plan.phase](plan).map((it) => event(instance, it))
  const outcome = plan.phase === "Complete" ? "complete" : plan.phase === "Failed" ? "failed" : "superseded"
  const spent = (Timestamp.toMillis(plan.endedAt) ?? 0) - (Timestamp.toMillis(plan.createdAt) ?? 0)
  news.push(
    Metric.update(
      PlanMetrics.planDurationSeconds.pipe(
        Metric.tagged("controller", controller),
        Metric.tagged("namespace", namespaceOf(instance)),
        Metric.tagged("plan_type", plan.type),
        Metric.tagged("outcome", outcome)
      ),
      Duration.millis(Math.max(0, spent))
    )
  )
  if (plan.phase === "Superseded") news.push(count(PlanMetrics.planSuperseded, { plan_type: plan.type }))
  if (plan.phase === "Failed") {
    news.push(count(PlanMetrics.planFailures, {
      plan_type: plan.type,
      task_type: plan.failedTaskDetail?.type ?? "",
      reason: plan.failedTaskDetail?.reason ?? ""
    }))
  }
  return news
}

/** A change of the phase: how long the former one lasted is measured from its own beginning. */
export const phase = ({ event }: Teller, instance: ZoneInstance, before: Status, after: Status): ReadonlyArray<Effect.Effect<void>> => {
  if (after.phase === undefined || before.phase === after.phase) return []
  const from = before.phase ?? ""
  const news = [
    event(instance, { type: "Normal", reason: "PhaseTransition", message: `phase ${from === "" ? "none" : from} -> ${after.phase}` }),
    count(PlanMetrics.zonePhaseTransitions, { namespace: namespaceOf(instance), from_phase: from, to_phase: after.phase })
  ]
  const [since, until] = [Timestamp.toMillis(before.phaseTransitionTime), Timestamp.toMillis(after.phaseTransitionTime)]
  if (before.phase !== undefined && since !== undefined && until !== undefined) {
    news.push(Metric.update(
      PlanMetrics.zonePhaseDurationSeconds.pipe(
        Metric.tagged("namespace", namespaceOf(instance)),
        Metric.tagged("phase", before.phase)
      ),
      Duration.millis(Math.max(0, until - since))
    ))
  }
  if (after.phase === "Failed") {
    news.push(event(instance, {
      type: "Warning",
      reason: "ZoneFailed",
      message: `the zone is given up: ${after.lastPlan?.error ?? "see its last plan"}; change the spec or annotation reddwarf.io/retry-plan to try again`
    }))
  }
  return news
}

/** The ledger cannot be written: a plan waits for it, the end of a pod does not. */
export const ledgerUnavailable = ({ detail, operation, path }: LedgerFailed, deleting: boolean): PlanEvent => ({
  type: "Warning",
  reason: "LedgerUnavailable",
  message: `cannot ${operation} ${path} of the plan ledger: ${detail}; ${deleting ? "the pod is removed without a record of it" : "plans for the zone wait for that"}`
})

export const drift = (kind: string) => count(PlanMetrics.driftDetected, { kind })

export const probed = ({ controller }: Teller, instance: ZoneInstance, outcome: string) =>
  count(PlanMetrics.sidecarHealthProbes, { controller, namespace: namespaceOf(instance), outcome })

export const failedPass = (controller: string, key: string) =>
  count(PlanMetrics.reconcileErrors, { controller, namespace: key.slice(0, Math.max(0, key.indexOf("/"))) })
