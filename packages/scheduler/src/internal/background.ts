/** Work beside the scheduling loop: so much at a time, the rest waits. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"

export interface Background {
  /** Waits for a place and runs the work in it. */
  readonly fork: (work: Effect.Effect<void>) => Effect.Effect<void>
  /** Runs what mostly waits, without a place. */
  readonly forkWaiting: (work: Effect.Effect<void>) => Effect.Effect<void>
  /** Waits for a place and does the work there itself. */
  readonly inPlace: (work: Effect.Effect<void>) => Effect.Effect<void>
}

/** As long as the scope: whatever runs when it closes is interrupted. */
export const make = (places: number): Effect.Effect<Background, never, Scope.Scope> =>
  Effect.map(Effect.zip(FiberSet.make(), Effect.makeSemaphore(places)), ([fibers, semaphore]) => {
    const forkWaiting = (work: Effect.Effect<void>): Effect.Effect<void> => Effect.asVoid(FiberSet.run(fibers, work))
    return {
      fork: (work) => Effect.zipRight(semaphore.take(1), forkWaiting(Effect.ensuring(work, semaphore.release(1)))),
      forkWaiting,
      inPlace: semaphore.withPermits(1)
    }
  })
