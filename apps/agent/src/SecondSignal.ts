/** The second request to end: who asks twice does not want to wait. */
import { Deferred, Effect, type Scope } from "effect"

const listen = (second: Deferred.Deferred<void>): Effect.Effect<void, never, Scope.Scope> => {
  let count = 0
  return Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => {
      const listener = (): void => {
        count += 1
        if (count === 2) Deferred.unsafeDone(second, Effect.void)
      }
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, listener)
      return listener
    }),
    (listener) =>
      Effect.sync(() => {
        for (const signal of ["SIGTERM", "SIGINT"] as const) process.off(signal, listener)
      })
  ))
}

/** Listens for as long as the scope lives. Resolves with the second SIGTERM or SIGINT. */
export const make: Effect.Effect<Effect.Effect<void>, never, Scope.Scope> = Effect.map(
  Effect.tap(Deferred.make<void>(), listen),
  (second) => Deferred.await(second)
)
