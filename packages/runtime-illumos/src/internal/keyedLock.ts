import * as Effect from "effect/Effect"

interface Entry {
  readonly semaphore: Effect.Semaphore
  users: number
}

/** One mutex per key that is in use; a key nobody waits for costs nothing. */
export const make = () => {
  const entries = new Map<string, Entry>()
  return <A, E, R>(key: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const entry = entries.get(key) ?? { semaphore: Effect.unsafeMakeSemaphore(1), users: 0 }
        entry.users += 1
        entries.set(key, entry)
        return entry
      }),
      (entry) => entry.semaphore.withPermits(1)(effect),
      (entry) =>
        Effect.sync(() => {
          entry.users -= 1
          if (entry.users === 0) entries.delete(key)
        })
    )
}
