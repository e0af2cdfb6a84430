/** How often a zone was refused memory. Part of `state.json`. */
import * as Schema from "effect/Schema"

/**
 * A counter of the kernel, which begins anew with every boot of the zone: two looks can be compared when they are of one boot.
 *
 * @category schemas
 */
export const AllocationFailures = Schema.Struct({
  zoneId: Schema.Number,
  count: Schema.Number
})
/** @category models */
export type AllocationFailures = typeof AllocationFailures.Type

/**
 * Whether memory was refused between two looks; false when that cannot be told.
 *
 * @category combinators
 */
export const rose = (before: AllocationFailures | undefined, after: AllocationFailures | undefined): boolean =>
  before !== undefined && after !== undefined && before.zoneId === after.zoneId && after.count > before.count
