/** Waiting for what must end by itself, while something else ends: at most that long, and not at all for those in a hurry. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** Waits until `wait` is over, the time is, or `hurry` resolves. Also where nothing can be interrupted, as at the end of a scope. */
export const atMost = (wait: Effect.Effect<unknown>, time: Duration.DurationInput, hurry: Effect.Effect<void> | undefined): Effect.Effect<void> => {
  const bounded = Effect.asVoid(Effect.timeoutOption(wait, time))
  return Effect.interruptible(hurry === undefined ? bounded : Effect.raceFirst(bounded, hurry))
}

/** Looks until it is so. */
export const until = (isSo: () => boolean): Effect.Effect<void> =>
  Effect.asVoid(Effect.repeat(Effect.sync(isSo), { until: (so) => so, schedule: Schedule.spaced("50 millis") }))
