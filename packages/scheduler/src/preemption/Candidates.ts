/** Among the nodes where pods could leave for a more important one: how many to look at, and which to take. */
import * as Victims from "./Victims.js"

/**
 * A node and the pods that would have to leave it: at least one.
 *
 * @category models
 */
export interface Candidate {
  readonly node: string
  readonly victims: Victims.Victims
}

/** Lowers every number below zero: one pod of any priority less is better than one more of the lowest. */
const priorityOffset = 2 ** 31

/** Of the most important victims the one that began first. */
const earliestStart = ({ victims: { pods } }: Candidate): number => {
  const top = pods[0]?.priority
  let earliest = Infinity
  for (const pod of pods) {
    if (pod.priority !== top) break
    earliest = Math.min(earliest, Victims.startTime(pod))
  }
  return earliest
}

/** What counts against a candidate, the weightiest first. */
const costs: ReadonlyArray<(candidate: Candidate) => number> = [
  ({ victims }) => victims.violations,
  ({ victims }) => victims.pods[0]?.priority ?? -Infinity,
  ({ victims }) => victims.pods.reduce((sum, { priority }) => sum + priority + priorityOffset, 0),
  ({ victims }) => victims.pods.length,
  (candidate) => -earliestStart(candidate)
]

/**
 * The candidate that does the least harm: the fewest violated budgets; then the lowest of the highest priorities; the smallest sum of priorities;
 * the fewest victims; the latest start of the most important victims; then the first. Absent when there is none.
 *
 * @category combinators
 */
export const choose = (candidates: ReadonlyArray<Candidate>): Candidate | undefined => {
  let left = candidates
  for (const cost of costs) {
    if (left.length <= 1) break
    const values = left.map(cost)
    const least = Math.min(...values)
    left = left.filter((_, i) => values[i] === least)
  }
  return left[0]
}

/**
 * How many candidates are enough: a share of the nodes where pods leaving may help, in percent, but at least an absolute number.
 *
 * @category combinators
 */
export const enough = (nodes: number, percentage: number, absolute: number): number =>
  Math.min(nodes, Math.max(Math.floor((nodes * percentage) / 100), absolute))
