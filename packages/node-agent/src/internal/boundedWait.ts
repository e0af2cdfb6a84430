/** Waiting for what must end by itself, while something else ends: at most that long, and not at all for those in a hurry. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"

/**
 * What can be cut off also where nothing can be interrupted, as at the end of a scope. It has a fiber of its own: the one that closes a scope has
 * mostly been interrupted, and would not even begin what can be.
 */
export const apart = (wait: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(Effect.interruptible(wait)), (fiber) =>
      restore(Fiber.join(fiber)).pipe(Effect.onInterrupt(() => Fiber.interrupt(fiber)))))

/** Waits until `wait` is over, the time is, or `hurry` resolves. Also where nothing can be interrupted, as at the end of a scope. */
export const atMost = (wait: Effect.Effect<unknown>, time: Duration.DurationInput, hurry: Effect.Effect<void> | undefined): Effect.Effect<void> => {
  const bounded = Effect.asVoid(Effect.timeoutOption(wait, time))
  return apart(hurry === undefined ? bounded : Effect.raceFirst(bounded, hurry))
}

/** Looks until it is so. */
export const until = (isSo: () => boolean): Effect.Effect<void> =>
  Effect.asVoid(Effect.repeat(Effect.sync(isSo), { until: (so) => so, schedule: Schedule.spaced("50 millis") }))

/** One time for waits that follow each other: it begins with the first of them. */
export interface Shared {
  /** As `atMost`, with what is left of the time. */
  readonly atMost: (wait: Effect.Effect<unknown>) => Effect.Effect<void>
  /** What is left of the time. */
  readonly left: Effect.Effect<Duration.Duration>
  /** As `atMost`, for what bounds itself. */
  readonly hurried: (wait: Effect.Effect<unknown>) => Effect.Effect<void>
}

/** The time of an end that consists of several waits. */
export const shared = (time: Duration.DurationInput, hurry: Effect.Effect<void> | undefined): Shared => {
  let end: number | undefined
  const left = Effect.map(Clock.currentTimeMillis, (now) => {
    end ??= now + Duration.toMillis(time)
    return Duration.millis(Math.max(0, end - now))
  })
  return {
    left,
    atMost: (wait) => Effect.flatMap(left, (time) => atMost(wait, time, hurry)),
    hurried: (wait) => apart(Effect.asVoid(hurry === undefined ? wait : Effect.raceFirst(wait, hurry)))
  }
}
