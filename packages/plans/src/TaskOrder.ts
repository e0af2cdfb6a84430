/** Which task of a plan has its turn. Pure. */
import type { Plan } from "./Plan.js"
import * as PlanState from "./PlanState.js"
import type { TaskType } from "./PlanTask.js"
import * as Precedence from "./Precedence.js"

/** Whether the plan goes on past a task that fails. @category combinators */
export const goesOn = ({ type }: Plan): boolean => Precedence.rules[type].needs !== undefined

/**
 * Index of the task that is worked on next, but for those of `tried`, which had their turn; -1 when there is none. In most plans that is the
 * first one that is not Complete, whatever it waits for.
 *
 * @category combinators
 */
export const next = (plan: Plan, tried: ReadonlySet<number>): number => {
  const { needs } = Precedence.rules[plan.type]
  if (needs === undefined) return PlanState.currentIndex(plan)
  const isAs = (type: TaskType, test: (status: "Pending" | "Complete" | "Failed") => boolean) =>
    plan.tasks.every((task) => task.type !== type || test(task.status))
  return plan.tasks.findIndex(({ status, type }, index) =>
    status === "Pending" && !tried.has(index) &&
    (needs[type]?.complete ?? []).every((needed) => isAs(needed, (status) => status === "Complete")) &&
    (needs[type]?.over ?? []).every((needed) => isAs(needed, (status) => status !== "Pending"))
  )
}

/** Everything that went wrong, in one sentence: what failed, and what was not tried because of that. @category combinators */
export const failures = ({ tasks }: Plan): string => {
  const failed = tasks.flatMap(({ error, status, type }) => status === "Failed" ? [`${type}: ${error ?? "it failed"}`] : [])
  const kept = tasks.flatMap(({ status, type }) => status === "Pending" ? [type] : [])
  return `${failed.join("; ")}${kept.length === 0 ? "" : `; not tried because of that: ${kept.join(", ")}`}`
}
