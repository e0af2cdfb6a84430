/** What holds a plan back, and what is noted when nothing does. Pure. */
import * as Conditions from "../Conditions.js"
import type { Plan } from "../Plan.js"
import * as PlanOutcome from "../PlanOutcome.js"
import * as PlanState from "../PlanState.js"
import * as Precedence from "../Precedence.js"
import type { Status, ZoneInstance } from "../ZoneInstance.js"
import * as ZoneInstances from "../ZoneInstance.js"

export type Reason = "APIUnavailable" | "Concurrency" | "LedgerUnavailable"

const messages: Readonly<Record<Reason, string>> = {
  APIUnavailable: "the plan takes the workload away for a time: it waits until the API has it",
  Concurrency: "other plans of this node go first",
  LedgerUnavailable: "the agent's ledger cannot be written, and nothing begins without a record of it; look at the space and the permissions of its data directory"
}

export const condition = (reason: Reason): Conditions.ConditionValue => ({
  type: "PlanBlocked",
  status: "True",
  reason,
  message: messages[reason]
})

/** Nothing holds the plan back. */
export const free = (status: Status, instance: ZoneInstance, now: number): Status =>
  Conditions.clear(
    status,
    { type: "PlanBlocked", reason: "NotBlocked", message: "nothing holds plans back" },
    instance.metadata.generation,
    now
  )

/**
 * Whether a plan waits until the API has it: all that take the workload away, but not the restart of a zone that is down, nor the end of a
 * pod that is wanted gone.
 */
export const needsApi = (plan: Plan, isStatic: boolean): boolean =>
  Precedence.isDisruptive(plan) && !isStatic && plan.type !== "teardown" &&
  !(plan.type === "restart" && plan.reason.some(({ kind }) => kind === "missing"))

/** A soak that began counts restarts from what is seen now. */
export const soaking = (status: Status): Status => {
  const { plan } = status
  if (plan?.currentTask !== "soak") return status
  const index = PlanState.currentIndex(plan)
  const task = plan.tasks[index]
  return task === undefined || task.submittedAt === undefined || task.params["restarts"] !== undefined
    ? status
    : { ...status, plan: PlanState.withTask(plan, index, { ...task, params: { ...task.params, restarts: status.restarts ?? 0 } }) }
}

export const writerConflict: Conditions.ConditionValue = {
  type: "WriterConflict",
  status: "True",
  reason: "DifferentPlans",
  message: "the API has an active plan that this agent did not make: nothing is done to the zone; make sure that only one agent runs for "
    + "this node, then change annotation reddwarf.io/retry-plan"
}

export const writerConflictEvent = { type: "Warning", reason: "WriterConflict", message: writerConflict.message } as const

export const noConflict = { type: "WriterConflict", reason: "OneWriter", message: "only this agent writes plans" }

/** Whether an operator asked anew to go on. */
export const isRetried = ({ metadata }: ZoneInstance, { retryPlan }: Status): boolean => {
  const asked = metadata.annotations?.[ZoneInstances.annotations.retryPlan]
  return asked !== undefined && asked !== retryPlan
}

/** The status with its plan put away. */
export const withoutPlan = (status: Status, instance: ZoneInstance, now: number): Status =>
  status.plan === undefined
    ? status
    : PlanOutcome.finish({ instance, status: { ...status, plan: PlanState.supersede(status.plan, now) }, now, jitter: 0 })
