/**
 * Rejections whose reasons depend on the node, made once for each set of reasons: thousands of nodes lack the same things, and who counts or compares
 * their rejections has to look at a handful of values then.
 */
import * as Rejection from "../Rejection.js"

/** Sets of reasons kept; one that comes when there are so many is made anew each time. */
const capacity = 256

const kept = { Unschedulable: new Map<string, Rejection.Rejection>(), Unresolvable: new Map<string, Rejection.Rejection>() }

/** The rejection with these reasons, in this order. */
export const of = (code: Rejection.Rejection["code"], reasons: ReadonlyArray<string>): Rejection.Rejection => {
  const key = reasons.join("\n")
  const known = kept[code].get(key)
  if (known !== undefined) return known
  const made = code === "Unschedulable" ? Rejection.unschedulable(...reasons) : Rejection.unresolvable(...reasons)
  if (kept[code].size < capacity) kept[code].set(key, made)
  return made
}
