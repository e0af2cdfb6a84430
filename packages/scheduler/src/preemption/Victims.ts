/** Which pods of one node have to go so that a more important pod fits: as few as possible, and those of budgets last. */
import { Timestamp } from "@reddwarf/api-types"
import type { PodInfo } from "../PodInfo.js"
import * as Rejection from "../Rejection.js"
import * as DisruptionBudgets from "./DisruptionBudgets.js"

/**
 * The pods that would have to leave a node, the most important first, and how many of them a budget does not let go.
 *
 * @category models
 */
export interface Victims {
  readonly pods: ReadonlyArray<PodInfo>
  readonly violations: number
}

/**
 * A node on which pods can be taken away and put back without anybody noticing, to ask whether the pod would fit.
 *
 * @category models
 */
export interface Rehearsal {
  /** The pods that are on the node at first. */
  readonly pods: ReadonlyArray<PodInfo>
  readonly remove: (pod: PodInfo) => void
  readonly add: (pod: PodInfo) => void
  /** Why the pod does not fit as things are now; `undefined` when it does. */
  readonly test: () => Rejection.Rejection | undefined
}

/**
 * When a pod began to run, in milliseconds since the epoch; what has not begun yet is the latest.
 *
 * @category combinators
 */
export const startTime = ({ pod }: PodInfo): number => Timestamp.toMillis(pod.status?.startTime) ?? Infinity

/**
 * Negative when `a` is the more important one: higher priority, or of the same priority and older.
 *
 * @category combinators
 */
export const byImportance = (a: PodInfo, b: PodInfo): number => {
  if (a.priority !== b.priority) return b.priority - a.priority
  const first = startTime(a)
  const second = startTime(b)
  return first === second ? 0 : first < second ? -1 : 1
}

/**
 * No pod here is less important.
 *
 * @category constructors
 */
export const noVictims = Rejection.unresolvable("No preemption victims found for incoming pod")

/**
 * The victims, or why pods leaving this node would not help.
 *
 * All pods of lower priority are taken away; when the pod fits then, they are put back one after the other as long as it still does: those that
 * a budget protects first, and the more important before the less.
 *
 * @category combinators
 */
export const select = (
  pod: PodInfo,
  rehearsal: Rehearsal,
  budgets: DisruptionBudgets.DisruptionBudgets
): Victims | Rejection.Rejection => {
  const lower = rehearsal.pods.filter((other) => other.priority < pod.priority)
  if (lower.length === 0) return noVictims
  for (const other of lower) rehearsal.remove(other)
  const rejection = rehearsal.test()
  if (rejection !== undefined) return rejection

  const { allowed, violating } = DisruptionBudgets.divide(budgets, lower.toSorted(byImportance))
  const mustGo = (other: PodInfo): boolean => {
    rehearsal.add(other)
    if (rehearsal.test() === undefined) return false
    rehearsal.remove(other)
    return true
  }
  const protectedVictims = violating.filter(mustGo)
  const victims = [...protectedVictims, ...allowed.filter(mustGo)]
  return { pods: victims.sort(byImportance), violations: protectedVictims.length }
}

/**
 * Tells victims from a rejection.
 *
 * @category refinements
 */
export const isVictims = (outcome: Victims | Rejection.Rejection): outcome is Victims => "pods" in outcome
