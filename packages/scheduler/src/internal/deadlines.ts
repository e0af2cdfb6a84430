/**
 * Ends work that takes too long. One watcher looks after all of it: a timer and two more fibers for each binding would cost more than most bindings.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

export interface Deadlines {
  /**
   * Runs the work in the fiber that asks. When it has not ended in time, the fiber is interrupted and `late` is run beside it: whether or not the
   * work heeds the interruption.
   */
  readonly within: <E>(work: Effect.Effect<void, E>, late: Effect.Effect<void>) => Effect.Effect<void, E>
}

interface Watched {
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  readonly until: number
  readonly late: Effect.Effect<void>
}

/** Deadlines are all this many milliseconds away, and looked at each second. `fork` runs what is to be done when one has passed. */
export const make = Effect.fnUntraced(function*(
  millis: number,
  fork: (work: Effect.Effect<void>) => Effect.Effect<void>
): Effect.fn.Return<Deadlines, never, Scope.Scope> {
  const clock = yield* Effect.clock
  /** The first to end is the first here: all have the same time. */
  const watched = new Set<Watched>()

  const end = (each: Watched): Effect.Effect<void> => {
    watched.delete(each)
    return Effect.zipRight(Fiber.interruptFork(each.fiber), fork(each.late))
  }
  const sweep = Effect.suspend(() => {
    const now = clock.unsafeCurrentTimeMillis()
    const passed: Array<Watched> = []
    for (const each of watched) {
      if (each.until > now) break
      passed.push(each)
    }
    return passed.length === 0 ? Effect.void : Effect.forEach(passed, end, { discard: true })
  })
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("1 second")))

  return {
    within: (work, late) =>
      Effect.withFiberRuntime((fiber) => {
        const each: Watched = { fiber, until: clock.unsafeCurrentTimeMillis() + millis, late }
        watched.add(each)
        return Effect.ensuring(work, Effect.sync(() => watched.delete(each)))
      })
  }
})
