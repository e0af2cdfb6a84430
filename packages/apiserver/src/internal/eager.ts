/**
 * Combinators for effects that are mostly settled already, such as checks that look at memory: what comes next is then called
 * at once, and no effect is built. A write goes through dozens of such steps, which would cost more than the write itself.
 * Use them inside an effect that is running (`Effect.suspend`), never to build one for later: time may pass in between.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"

const isExit = <A, E>(self: Effect.Effect<A, E>): self is Exit.Exit<A, E> => Exit.isExit(self)

const isEither = <A, E>(self: Effect.Effect<A, E>): self is Either.Either<A, E> & Effect.Effect<A, E> => Either.isEither(self)

/** `Effect.flatMap`, at once where `self` is settled. */
export const flatMap = <A, E, B, E2>(
  self: Effect.Effect<A, E>,
  next: (value: A) => Effect.Effect<B, E2>
): Effect.Effect<B, E | E2> => {
  if (isExit(self)) return Exit.isSuccess(self) ? next(self.value) : Exit.failCause(self.cause)
  if (isEither(self)) return Either.isRight(self) ? next(self.right) : Effect.fail(self.left)
  return Effect.flatMap(self, next)
}

/** Whether an effect has succeeded already, so that its value can be had without running it. */
export const hasSucceeded = <A, E>(self: Effect.Effect<A, E>): self is Exit.Success<A, E> => isExit(self) && Exit.isSuccess(self)

/** `Effect.map`, at once where `self` is settled. */
export const map = <A, E, B>(self: Effect.Effect<A, E>, next: (value: A) => B): Effect.Effect<B, E> =>
  flatMap(self, (value) => Effect.succeed(next(value)))

/** `Effect.mapError`, which costs nothing where `self` has succeeded. */
export const mapError = <A, E, E2>(self: Effect.Effect<A, E>, change: (error: E) => E2): Effect.Effect<A, E2> =>
  isExit(self) && Exit.isSuccess(self) ? Exit.succeed(self.value) : Effect.mapError(self, change)
