/** Why no node was found for a pod, and the sentence that tells the user. */
import type { Rejection } from "./Rejection.js"

/**
 * The outcome for each node, in the order of the snapshot; `undefined` for a node that was not looked at.
 *
 * @category models
 */
export interface Diagnosis {
  readonly rejections: ReadonlyArray<Rejection | undefined>
  /** Set when the pod itself was refused, before any node was looked at. */
  readonly preFilterMessage?: string
  /** Names of the plugins that rejected anything. */
  readonly rejectedBy: ReadonlySet<string>
}

/**
 * `count reason` for each reason, sorted as strings.
 *
 * @category combinators
 */
export const histogram = (rejections: Iterable<Rejection | undefined>): string => {
  // Thousands of nodes give a handful of different rejections, and mostly the same as the node before.
  const times = new Map<Rejection, number>()
  let last: Rejection | undefined
  let run = 0
  const endRun = (): void => {
    if (last !== undefined) times.set(last, (times.get(last) ?? 0) + run)
  }
  for (const rejection of rejections) {
    if (rejection === undefined) continue
    if (rejection !== last) {
      endRun()
      last = rejection
      run = 0
    }
    run += 1
  }
  endRun()
  const counts = new Map<string, number>()
  for (const [{ reasons }, count] of times) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + count)
  return [...counts].map(([reason, count]) => `${count} ${reason}`).sort().join(", ")
}

/**
 * The message of the condition and the event, such as `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.`
 *
 * @category combinators
 */
export const message = (diagnosis: Diagnosis, postFilterMessage?: string): string => {
  const total = diagnosis.rejections.length
  if (total === 0) return "no nodes available to schedule pods"
  const reasons = diagnosis.preFilterMessage ?? histogram(diagnosis.rejections)
  const tail = postFilterMessage === undefined || postFilterMessage === "" ? "" : ` ${postFilterMessage}`
  return `0/${total} nodes are available:${reasons === "" ? "" : ` ${reasons}.`}${tail}`
}
