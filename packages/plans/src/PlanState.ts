/** Changes of a plan and of the phase of its zone. Pure. */
import { Timestamp } from "@reddwarf/api-types"
import * as text from "./internal/text.js"
import type { FailedTaskDetail, Plan, PlanRecord, ZonePhase } from "./Plan.js"
import { PlanLimits } from "./Plan.js"
import type { PlanTask, TaskType } from "./PlanTask.js"
import type { Status } from "./ZoneInstance.js"

/** Index of the first task that is not Complete; -1 when all are. @category combinators */
export const currentIndex = (plan: Plan): number => plan.tasks.findIndex(({ status }) => status !== "Complete")

/** The plan with another task at `index`. @category combinators */
export const withTask = (plan: Plan, index: number, task: PlanTask): Plan => {
  const tasks = plan.tasks.with(index, task)
  return { ...plan, tasks, currentTask: tasks.find(({ status }) => status !== "Complete")?.type ?? "" }
}

/** Whether an attempt at the task was begun. @category combinators */
export const isBegun = (task: PlanTask): boolean => task.deadline !== undefined

/** Whether the plan took the zone down and did not bring it up again yet. @category combinators */
export const isDown = ({ tasks }: Plan): boolean => {
  const at = (type: TaskType) => tasks.find((task) => task.type === type)
  const halt = at("halt-zone")
  const boot = at("boot-zone")
  return halt !== undefined && boot !== undefined && boot.status !== "Complete" && (halt.status === "Complete" || isBegun(halt))
}

/** @category combinators */
export const complete = (plan: Plan, now: number): Plan => ({
  ...plan,
  phase: "Complete",
  currentTask: "",
  endedAt: Timestamp.microsFromMillis(now)
})

/** @category combinators */
export const supersede = (plan: Plan, now: number): Plan => ({ ...plan, phase: "Superseded", endedAt: Timestamp.microsFromMillis(now) })

/** The plan failed by its task at `index`. @category combinators */
export const fail = (
  plan: Plan,
  index: number,
  cause: { readonly reason: string; readonly detail: string; readonly terminal: boolean },
  now: number
): Plan => {
  const task = plan.tasks[index]
  const error = text.bounded(cause.detail, PlanLimits.errorBytes)
  const ended: Plan = { ...plan, phase: "Failed", endedAt: Timestamp.microsFromMillis(now) }
  if (task === undefined) return ended
  const { id, maxRetries, retryCount, type } = task
  return {
    ...withTask(ended, index, { ...task, status: "Failed", error }),
    failedTaskIndex: index,
    failedTaskDetail: {
      type,
      id,
      error,
      reason: text.bounded(cause.reason, 128),
      ...(cause.terminal ? { terminal: true } : {}),
      retryCount,
      maxRetries
    } satisfies FailedTaskDetail
  }
}

/** What is kept of an ended plan. @category combinators */
export const record = (plan: Plan, now: number): PlanRecord => ({
  id: plan.id,
  type: plan.type,
  outcome: plan.phase === "Active" ? "Superseded" : plan.phase,
  createdAt: plan.createdAt,
  endedAt: plan.endedAt ?? Timestamp.microsFromMillis(now),
  ...(plan.failedTaskDetail === undefined ? {} : { error: plan.failedTaskDetail.error, failedTask: plan.failedTaskDetail }),
  tasks: plan.tasks.map(({ retryCount, status, type }) => ({ type, status, retryCount }))
})

/** The time of the phase changes only when the phase does. @category combinators */
export const setPhase = (status: Status, phase: ZonePhase, now: number): Status =>
  status.phase === phase ? status : { ...status, phase, phaseTransitionTime: Timestamp.microsFromMillis(now) }

const move = (text: string | undefined, by: number): string | undefined => {
  const millis = Timestamp.toMillis(text)
  return millis === undefined ? text : Timestamp.microsFromMillis(millis + by)
}

/** Moves every absolute time that something waits for: the wall clock was set. @category combinators */
export const rebase = (status: Status, by: number): Status => ({
  ...status,
  nextPlanNotBefore: move(status.nextPlanNotBefore, by),
  ...(status.gates === undefined ? {} : {
    gates: Object.fromEntries(
      Object.entries(status.gates).map(([name, memory]) => [name, { ...memory, notBefore: move(memory.notBefore, by) }])
    )
  }),
  ...(status.plan?.phase !== "Active" ? {} : {
    plan: {
      ...status.plan,
      createdAt: move(status.plan.createdAt, by) ?? status.plan.createdAt,
      deadline: move(status.plan.deadline, by) ?? status.plan.deadline,
      tasks: status.plan.tasks.map((task) =>
        task.status !== "Pending" ? task : {
          ...task,
          submittedAt: move(task.submittedAt, by),
          deadline: move(task.deadline, by),
          notBefore: move(task.notBefore, by)
        }
      )
    }
  })
})
