/**
 * A value that is replaced now and then, and those who wait for what it becomes. Only the last value counts: who is slow misses what came
 * between. Waiting costs one listener in a set; the streams of a `SubscriptionRef` cost some twenty kilobytes each, and a supervisor would hold
 * several of them for every pod.
 */
import * as Effect from "effect/Effect"

export interface Followed<A> {
  /** The value now. */
  readonly get: () => A
  readonly set: (value: A) => Effect.Effect<void>
  /** Waits until `pick` finds something in the value; in what it is now, or in a later one. */
  readonly until: <B>(pick: (value: A) => B | undefined) => Effect.Effect<B>
  /** Does something with the value now, and with each that it is found to be afterwards. */
  readonly each: <E, R>(act: (value: A) => Effect.Effect<void, E, R>) => Effect.Effect<never, E, R>
}

export const make = <A extends object>(first: A): Followed<A> => {
  let value = first
  const listeners = new Set<() => void>()
  const until = <B>(pick: (value: A) => B | undefined): Effect.Effect<B> =>
    Effect.async((resume) => {
      const look = (): void => {
        const found = pick(value)
        if (found === undefined) return
        listeners.delete(look)
        resume(Effect.succeed(found))
      }
      listeners.add(look)
      look()
      return Effect.sync(() => listeners.delete(look))
    })
  return {
    get: () => value,
    set: (next) =>
      Effect.sync(() => {
        value = next
        for (const look of listeners) look()
      }),
    until,
    each: (act) =>
      Effect.suspend(() => {
        let seen: A | undefined
        return Effect.forever(Effect.flatMap(until((value) => value === seen ? undefined : value), () => {
          // It may have been replaced again since this was woken.
          seen = value
          return act(value)
        }))
      })
  }
}
