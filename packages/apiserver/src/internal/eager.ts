/**
 * Combinators for effects that are mostly settled already, such as checks that look at memory: what comes next is then called
 * at once, and no effect is built. A write goes through dozens of such steps, which would cost more than the write itself. What
 * follows a write of the store, which is `Direct`, is called when that has ended, without a fiber.
 * Use them inside an effect that is running (`suspend`), never to build one for later: time may pass in between.
 */
import { Direct } from "@reddwarf/store"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"

const isExit = <A, E>(self: Effect.Effect<A, E>): self is Exit.Exit<A, E> => Exit.isExit(self)

/** `Effect.suspend`, which plain code can run. */
export const suspend = Direct.suspend

/** `Effect.matchCauseEffect`, at once where `self` is settled. */
export const matchCause = Direct.follow

/** `Effect.flatMap`, at once where `self` is settled. */
export const flatMap = <A, E, B, E2>(
  self: Effect.Effect<A, E>,
  next: (value: A) => Effect.Effect<B, E2>
): Effect.Effect<B, E | E2> => Direct.follow(self, { onFailure: Exit.failCause<E>, onSuccess: next })

/** Whether an effect has succeeded already, so that its value can be had without running it. */
export const hasSucceeded = <A, E>(self: Effect.Effect<A, E>): self is Exit.Success<A, E> => isExit(self) && Exit.isSuccess(self)

/** `Effect.map`, at once where `self` is settled. */
export const map = <A, E, B>(self: Effect.Effect<A, E>, next: (value: A) => B): Effect.Effect<B, E> =>
  flatMap(self, (value) => Effect.succeed(next(value)))

/** `Effect.catchAll`, which costs nothing where `self` has succeeded. */
export const catchAll = <A, E, B, E2>(
  self: Effect.Effect<A, E>,
  recover: (error: E) => Effect.Effect<B, E2>
): Effect.Effect<A | B, E2> =>
  hasSucceeded(self) ? Exit.succeed(self.value) : Direct.follow(self, {
    onFailure: (cause): Effect.Effect<B, E2> => Either.match(Cause.failureOrCause(cause), { onLeft: recover, onRight: Exit.failCause }),
    onSuccess: Exit.succeed<A>
  })

/** `Effect.mapError`, which costs nothing where `self` has succeeded. */
export const mapError = <A, E, E2>(self: Effect.Effect<A, E>, change: (error: E) => E2): Effect.Effect<A, E2> =>
  catchAll(self, (error) => Effect.fail(change(error)))
