/** Long loops in slices, so that whoever shares the thread gets a turn between them. */
import * as Effect from "effect/Effect"

const sliceMillis = 10

const turn = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/**
 * Calls `each` for all items, in order. What takes no longer than a slice is done in one step. The time is that of the machine: it
 * is about the processor, not about what a program calls time.
 */
export const forEach = <A>(items: Iterable<A>, each: (item: A) => void): Effect.Effect<void> =>
  Effect.suspend(() => {
    const iterator = items[Symbol.iterator]()
    const slice = (): boolean => {
      const end = performance.now() + sliceMillis
      for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
        each(next.value)
        if (performance.now() > end) return false
      }
      return true
    }
    let done = false
    return Effect.whileLoop({
      while: () => !done,
      body: () => Effect.suspend(() => {
        done = slice()
        return done ? Effect.void : turn
      }),
      step: () => {}
    })
  })
