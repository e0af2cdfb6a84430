/** What is to be done once a write has ended, see `Admission.Attributes`. */
import type { Status } from "@reddwarf/api-types"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { ApiResponse } from "../ApiResponse.js"
import * as eager from "./eager.js"

type Handled = ApiResponse | Effect.Effect<ApiResponse, Status.Status>

/** Runs a handler, then what it has asked for. */
export const settling = (handler: (onSettled: (run: () => void) => void) => Handled): Handled => {
  let pending: Array<() => void> | undefined
  const handled = handler((run) => {
    if (pending === undefined) pending = [run]
    else pending.push(run)
  })
  if (!Effect.isEffect(handled)) return handled
  const settle = (): void => {
    for (const run of pending ?? []) run()
  }
  // Nothing is to be done after an interruption, so this need not be shielded from one, as `Effect.onExit` would be.
  return eager.matchCause(handled, {
    onFailure: (cause) => {
      if (!Cause.isInterrupted(cause)) settle()
      return Effect.failCause(cause)
    },
    onSuccess: (response) => {
      settle()
      return Effect.succeed(response)
    }
  })
}
