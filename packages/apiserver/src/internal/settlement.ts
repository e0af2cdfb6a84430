/** What is to be done once a write has ended, see `Admission.Attributes`. */
import type { Status } from "@reddwarf/api-types"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ApiResponse } from "../ApiResponse.js"

type Handled = ApiResponse | Effect.Effect<ApiResponse, Status.Status>

/** Runs a handler, then what it has asked for. */
export const settling = (handler: (onSettled: (run: () => void) => void) => Handled): Handled => {
  let pending: Array<() => void> | undefined
  const handled = handler((run) => {
    if (pending === undefined) pending = [run]
    else pending.push(run)
  })
  if (!Effect.isEffect(handled)) return handled
  return Effect.onExit(handled, (exit) =>
    Effect.sync(() => {
      if (pending === undefined || (Exit.isFailure(exit) && Cause.isInterrupted(exit.cause))) return
      for (const run of pending) run()
    }))
}
