/**
 * Waiting in tests whose clock stands still. What is waited for may need real turns of the event loop (long loops are sliced by real
 * time, however the program's clock goes), so these count time on the machine's clock, not rounds.
 */
import * as Effect from "effect/Effect"

/** A test that waits longer has failed. Well above what anything takes on a busy machine, below the limit of a test. */
const deadlineMillis = 15_000

/** One turn of the event loop: promises, I/O and immediates that are ready run. */
export const turn: Effect.Effect<void> = Effect.async((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/** As `turn`, and real timers that are due run as well; Effect's scheduler uses one when a great many fibers are ready. */
const timers: Effect.Effect<void> = Effect.async((resume) => {
  const handle = setTimeout(() => resume(Effect.void), 1)
  return Effect.sync(() => clearTimeout(handle))
})

/** Gives everything that could happen without time passing every chance to happen: for showing that something does not. */
export const settle: Effect.Effect<void> = Effect.zipRight(
  Effect.repeatN(Effect.zipRight(Effect.repeatN(Effect.yieldNow(), 15), turn), 15),
  Effect.zipRight(timers, Effect.repeatN(turn, 3))
)

/** Runs `look` until it gives something, a turn of the event loop between two looks; dies with `what` after the deadline. */
export const until = <A, E, R>(what: string, look: Effect.Effect<A | undefined | false, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const end = performance.now() + deadlineMillis
    const next: Effect.Effect<A, E, R> = Effect.flatMap(look, (found) =>
      found !== undefined && found !== false
        ? Effect.succeed(found)
        : performance.now() > end
        ? Effect.dieMessage(`never happened: ${what}`)
        : Effect.zipRight(turn, next)
    )
    return next
  })
