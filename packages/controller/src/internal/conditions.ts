/** Conditions of objects, by type. */
import { Timestamp } from "@reddwarf/api-types"

export interface Condition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

export const find = <C extends Condition>(conditions: ReadonlyArray<C> | undefined, type: string): C | undefined =>
  conditions?.find((condition) => condition.type === type)

/**
 * The conditions with one of them set; the same array if that changes nothing. `lastTransitionTime` moves only when the status changes.
 * `now` is milliseconds since the epoch.
 */
export const set = <C extends Condition>(conditions: ReadonlyArray<C>, condition: C, now: number): ReadonlyArray<C> => {
  const old = find(conditions, condition.type)
  if (old === undefined) return [...conditions, { ...condition, lastTransitionTime: Timestamp.secondsFromMillis(now) }]
  if (old.status === condition.status && old.reason === condition.reason && old.message === condition.message) return conditions
  const lastTransitionTime = old.status === condition.status ? old.lastTransitionTime : Timestamp.secondsFromMillis(now)
  const next = { ...old, ...condition, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }
  return conditions.map((each) => (each === old ? next : each))
}
