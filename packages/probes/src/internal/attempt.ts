/** One attempt of a probe over the network, in the callback style of Node, as an effect. */
import * as Effect from "effect/Effect"
import type { ProbeOutcome } from "../ProbeOutcome.js"

/** An attempt that can be made once. */
export interface Attempt {
  /** Makes the attempt. Interruption gives back everything it holds, at once. */
  readonly run: Effect.Effect<ProbeOutcome>
  /** The outcome when time is up: what is said depends on how far the attempt came. */
  readonly timedOut: () => ProbeOutcome
}

/** `start` is given what to call with the outcome, and gives what lets go of everything. It is let go of after an outcome too. */
export const make = (start: (done: (outcome: ProbeOutcome) => void) => () => void): Effect.Effect<ProbeOutcome> =>
  Effect.async((resume) => {
    let over = false
    let release: (() => void) | undefined
    const end = () => {
      over = true
      release?.()
      release = undefined
    }
    release = start((outcome) => {
      if (over) return
      end()
      resume(Effect.succeed(outcome))
    })
    // An outcome may have come before there was something to release.
    if (over) end()
    return Effect.sync(end)
  })
