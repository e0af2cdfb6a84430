/** Ways in which a zone can differ from what is wanted. */
import * as Schema from "effect/Schema"

/**
 * Most severe first. `power` is a zone that runs though its `powerState` is `Stopped`; while a zone shall be stopped it is the only drift.
 *
 * @category schemas
 */
export const DriftKind = Schema.Literal("power", "missing", "image", "network", "config", "caps", "gate", "companion")

/** @category models */
export type DriftKind = typeof DriftKind.Type

/** One difference that was observed. @category schemas */
export const Drift = Schema.Struct({
  kind: DriftKind,
  /** What is wrong, for people. */
  detail: Schema.String
})

/** @category models */
export type Drift = typeof Drift.Type
