/** A clock that stands still until it is told to go on: the year passes as fast as the work of each moment is done. */
import { Clock, Duration, Effect } from "effect"

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export interface SimulatedClock {
  readonly clock: Clock.Clock
  /** Lets everything happen that is due in this time, in its order. */
  readonly advance: (millis: number) => Effect.Effect<void>
}

// One turn of the event loop: what was woken runs, also what it wakes in turn.
const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

export const make = (start: number): SimulatedClock => {
  let now = start
  const sleepers = new Set<Sleeper>()
  const earliest = (until: number): Sleeper | undefined => {
    let first: Sleeper | undefined
    for (const sleeper of sleepers) if (sleeper.at <= until && (first === undefined || sleeper.at < first.at)) first = sleeper
    return first
  }
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    currentTimeMillis: Effect.sync(() => now),
    unsafeCurrentTimeNanos: () => BigInt(Math.round(now)) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(now)) * 1_000_000n),
    sleep: (duration) =>
      Effect.async((resume) => {
        const sleeper = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.add(sleeper)
        return Effect.sync(() => sleepers.delete(sleeper))
      })
  }
  return {
    clock,
    advance: (millis) =>
      Effect.gen(function*() {
        const until = now + millis
        for (let next = earliest(until); next !== undefined; next = earliest(until)) {
          sleepers.delete(next)
          now = Math.max(now, next.at)
          next.wake()
          yield* turn
        }
        now = until
      })
  }
}
