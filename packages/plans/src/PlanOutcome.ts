/** What the end of a plan means for its zone: conditions, history, back-off, rollback. Pure. */
import { Timestamp } from "@reddwarf/api-types"
import * as Conditions from "./Conditions.js"
import type { Digests, Plan } from "./Plan.js"
import { PlanLimits } from "./Plan.js"
import type { TaskType } from "./PlanTask.js"
import * as PlanState from "./PlanState.js"
import * as Target from "./Target.js"
import type { Status, ZoneInstance } from "./ZoneInstance.js"

/** @category models */
export interface Input {
  readonly instance: ZoneInstance
  readonly status: Status
  /** Milliseconds since the epoch. */
  readonly now: number
  /** From 0 to 1. */
  readonly jitter: number
}

const second = 1000

/** Wait after the `failures`-th failure in a row: 10 s doubling to 5 min, and up to a tenth more. In ms. @category combinators */
export const backoff = (failures: number, jitter: number): number =>
  Math.min(10 * second * 2 ** Math.max(0, failures - 1), 300 * second) * (1 + jitter / 10)

/** Failures at these tasks, or after them, speak against the new image. */
const bootTasks: ReadonlySet<TaskType> = new Set(["boot-zone", "wait-init", "observe-image", "open-gates", "soak"])

/** How long a zone must be without a failure until earlier ones are forgotten, in ms. @category models */
export const healthyAfter = 600 * second

/** Whether the plan that just ended has to be undone by a rollback. @category combinators */
export const needsRollback = (status: Status): boolean =>
  status.lastPlan?.type === "image-update" && status.lastPlan.outcome === "Failed" && status.failedDigests !== undefined &&
  status.previousDigests !== undefined

const changed = (target: Digests, before: Digests | undefined): Digests =>
  Object.fromEntries(Object.entries(target).filter(([name, digest]) => before?.[name] !== digest))

const afterFailure = (status: Status, plan: Plan, { instance, jitter, now }: Input): Status => {
  const failures = (status.consecutiveFailures?.[plan.type] ?? 0) + 1
  const counted: Status = {
    ...status,
    consecutiveFailures: { ...status.consecutiveFailures, [plan.type]: failures },
    healthySince: undefined,
    nextPlanNotBefore: Timestamp.microsFromMillis(now + backoff(failures, jitter)),
    backoffTarget: Target.key(instance)
  }
  if (plan.type !== "image-update") return counted
  const detail = plan.failedTaskDetail
  const policy = instance.spec.updatePolicy?.rollback ?? "OnBootFailure"
  if (detail !== undefined && bootTasks.has(detail.type) && policy === "OnBootFailure" && status.previousDigests !== undefined) {
    return {
      ...counted,
      // The rollback follows at once.
      nextPlanNotBefore: undefined,
      backoffTarget: undefined,
      failedDigests: { specHash: plan.target.specHash, digests: changed(plan.target.digests, status.previousDigests) }
    }
  }
  const down = PlanState.isDown(plan) || (detail !== undefined && bootTasks.has(detail.type))
  const kept: Status = { ...counted, previousDigests: undefined }
  return down ? PlanState.setPhase(kept, "Degraded", now) : kept
}

/** Wait after the `count`-th approval in a row until the next one: 10 s, from the third on doubling to 5 min. In ms. */
const approvalDelay = (count: number): number => Math.min(10 * second * 2 ** Math.max(0, count - approvalsUntilStuck), 300 * second)

/** Approvals in a row after which a gate that is still closed counts as stuck. @category models */
export const approvalsUntilStuck = 3

const afterApproval = (status: Status, plan: Plan, now: number): Status => {
  const gates = { ...status.gates }
  for (const { params } of plan.tasks) {
    const name = gateName(params["gate"])
    if (name === undefined) continue
    const approvals = (gates[name]?.approvals ?? 0) + 1
    // The probe verifies: until it had its turn the gate is not approved again.
    gates[name] = { ...gates[name], approvals, notBefore: Timestamp.microsFromMillis(now + approvalDelay(approvals)) }
  }
  return { ...status, gates }
}

const gateName = (gate: unknown): string | undefined =>
  typeof gate === "object" && gate !== null && "name" in gate && typeof gate.name === "string" ? gate.name : undefined

const afterCompletion = (status: Status, plan: Plan, { instance, now }: Input): Status => {
  const { [plan.type]: _forgotten, ...failures } = status.consecutiveFailures ?? {}
  const reset: Status = { ...status, consecutiveFailures: failures, nextPlanNotBefore: undefined, backoffTarget: undefined }
  const { generation } = instance.metadata
  if (plan.type === "gate-reapproval") return afterApproval(reset, plan, now)
  if (plan.type === "image-update") {
    return Conditions.clear(
      { ...reset, failedDigests: undefined, previousDigests: undefined },
      { type: "ImageUpdateRolledBack", reason: "UpdateComplete", message: "the zone runs the wanted images" },
      generation,
      now
    )
  }
  return plan.type !== "rollback" ? reset : Conditions.set(
    { ...reset, previousDigests: undefined },
    {
      type: "ImageUpdateRolledBack",
      status: "True",
      reason: "BootFailed",
      message: "the new image did not come up: the former one runs, until the spec or annotation reddwarf.io/retry-plan changes"
    },
    generation,
    now
  )
}

/** What is shown of an image update that ended. */
const updateReason = (plan: Plan): { readonly reason: string; readonly message: string } =>
  plan.phase === "Complete"
    ? { reason: "UpdateComplete", message: "the zone runs the wanted images" }
    : plan.phase === "Failed"
    ? {
      reason: "UpdateFailed",
      message: plan.failedTaskDetail === undefined ? "the update failed" : `${plan.failedTaskDetail.type}: ${plan.failedTaskDetail.error}`
    }
    : { reason: "Superseded", message: "something else is wanted by now" }

/**
 * The status after `status.plan`, which has ended: the plan is kept as a record, and the field is free for the next one. Unchanged where
 * there is no plan, or one that is active.
 *
 * @category combinators
 */
export const finish = (input: Input): Status => {
  const { instance, now, status } = input
  const { plan } = status
  if (plan === undefined || plan.phase === "Active") return status
  const { generation } = instance.metadata
  const record = PlanState.record(plan, now)
  const after = plan.phase === "Failed"
    ? afterFailure(status, plan, input)
    : plan.phase === "Complete"
    ? afterCompletion(status, plan, input)
    : status
  const shown = plan.type !== "image-update"
    ? after
    : Conditions.set(after, { type: "UpdateInProgress", status: "False", ...updateReason(plan) }, generation, now)
  return Conditions.set(
    {
      ...shown,
      plan: undefined,
      lastPlan: record,
      planHistory: [record, ...status.planHistory ?? []].slice(0, PlanLimits.history)
    },
    { type: "PlanActive", status: "False", reason: "Idle", message: "nothing is being done to the zone" },
    generation,
    now
  )
}
