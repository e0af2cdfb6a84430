/** What the passes of a controller use: the server, a way to tell users, and the time. */
import { ApiClient, EventRecorder } from "@reddwarf/client"
import * as Effect from "effect/Effect"

export interface Environment {
  readonly client: ApiClient.Service
  readonly recorder: EventRecorder.Service
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export const get: Effect.Effect<Environment, never, ApiClient.ApiClient | EventRecorder.EventRecorder> = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const recorder = yield* EventRecorder.EventRecorder
  const clock = yield* Effect.clock
  return { client, recorder, now: () => clock.unsafeCurrentTimeMillis() }
})
