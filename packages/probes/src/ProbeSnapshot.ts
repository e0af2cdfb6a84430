/** What must survive the process that probes: where the counting of each probe of a container stands. */
import * as Schema from "effect/Schema"
import { ProbeCount } from "./ProbeThreshold.js"

/**
 * One container. It says nothing about another `instance` of it.
 *
 * @category schemas
 */
export const ProbeSnapshot = Schema.Struct({
  instance: Schema.String,
  liveness: Schema.optional(ProbeCount),
  readiness: Schema.optional(ProbeCount),
  startup: Schema.optional(ProbeCount)
})
/** @category models */
export type ProbeSnapshot = typeof ProbeSnapshot.Type
