/** The counting between single attempts and what a probe says of its container. Pure. */
import type { ProbeKind } from "./Probe.js"
import * as Schema from "effect/Schema"

/**
 * What a probe says. `Unknown`: a startup probe that has not come to a result.
 *
 * @category schemas
 */
export const ProbeResult = Schema.Literal("Success", "Failure", "Unknown")
/** @category models */
export type ProbeResult = typeof ProbeResult.Type

/**
 * Where the counting stands.
 *
 * @category schemas
 */
export const ProbeCount = Schema.Struct({
  result: ProbeResult,
  /** How the last attempt that counts ended; absent before the first. */
  last: Schema.optional(Schema.Literal("Success", "Failure")),
  /** Attempts in a row that ended like the last, at most as many as its threshold: more would change nothing. */
  run: Schema.Number,
  /** No more attempts for this run of the container: it has started, or it is to be restarted. */
  held: Schema.Boolean
})
/** @category models */
export type ProbeCount = typeof ProbeCount.Type

/** @category models */
export interface Thresholds {
  readonly successThreshold: number
  readonly failureThreshold: number
}

const before: Readonly<Record<ProbeKind, ProbeResult>> = { liveness: "Success", readiness: "Failure", startup: "Unknown" }

/** A container that was just started: alive, not ready, not known to be started. @category constructors */
export const initial = (kind: ProbeKind): ProbeCount => ({ result: before[kind], run: 0, held: false })

/**
 * Counts one attempt. Gives the same object when nothing changed.
 *
 * @category combinators
 */
export const count = (kind: ProbeKind, thresholds: Thresholds, state: ProbeCount, attempt: "Success" | "Failure"): ProbeCount => {
  if (state.held) return state
  const threshold = Math.max(1, attempt === "Success" ? thresholds.successThreshold : thresholds.failureThreshold)
  const run = state.last === attempt ? Math.min(state.run + 1, threshold) : 1
  const result = run >= threshold ? attempt : state.result
  const held = run >= threshold && (kind === "startup" || (kind === "liveness" && attempt === "Failure"))
  const same = state.last === attempt && state.run === run && state.result === result && state.held === held
  return same ? state : { result, last: attempt, run, held }
}
