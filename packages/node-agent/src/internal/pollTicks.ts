/** One clock for everything that looks now and then: a sleep of its own for each of two hundred containers would be a turn of the event loop for each. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface PollTicks {
  /** Calls this at each tick, as long as the scope lives. It must not throw. */
  readonly listen: (onTick: () => void) => Effect.Effect<void, never, Scope.Scope>
}

/** Ticks in this distance, as long as the scope lives. */
export const make = (interval: Duration.DurationInput): Effect.Effect<PollTicks, never, Scope.Scope> =>
  Effect.gen(function*() {
    const listeners = new Set<() => void>()
    const tick = Effect.sync(() => {
      for (const onTick of listeners) onTick()
    })
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Effect.sleep(interval), tick)))
    return {
      listen: (onTick) =>
        Effect.asVoid(Effect.acquireRelease(Effect.sync(() => listeners.add(onTick)), () => Effect.sync(() => listeners.delete(onTick))))
    }
  })
