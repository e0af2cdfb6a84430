/**
 * Effects that plain code can run by a call, with a callback for their end: the writes of a store, and what follows from them.
 *
 * This is the hot path of every write. A fiber takes as much processor time as the checks of a write and its share of a
 * transaction together, and does nothing for it but wait. Whoever runs effects sees no difference: a direct effect is one, and
 * runs in the fiber that it is run in. Plain code that starts a write cannot take it back: it is in line from then on, and who
 * does not want to know the end of it any more ignores what it is told.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"

/**
 * Is told how an effect ended, once. It must not throw.
 *
 * @category models
 */
export type Done<A, E> = (exit: Exit.Exit<A, E>) => void

/**
 * Runs an effect that is not direct and not settled: in a fiber, whatever that is to its caller.
 *
 * @category models
 */
export type Fork = <A, E>(effect: Effect.Effect<A, E>, done: Done<A, E>) => void

/**
 * An effect that plain code can run. A description like any other: each run is a new one.
 *
 * @category models
 */
export abstract class Direct<A, E = never> extends Effectable.Class<A, E> {
  /** Runs it. `fork` is for steps on the way that need a fiber. */
  abstract start(done: Done<A, E>, fork: Fork): void
}

const isDirect = <A, E>(self: Effect.Effect<A, E>): self is Direct<A, E> => self instanceof Direct

const isExit = <A, E>(self: Effect.Effect<A, E>): self is Exit.Exit<A, E> => Exit.isExit(self)

const isEither = <A, E>(self: Effect.Effect<A, E>): self is Either.Either<A, E> & Effect.Effect<A, E> => Either.isEither(self)

/**
 * How an effect has ended already, if it has: such as checks that look at memory, or an `Either`.
 *
 * @category getters
 */
export const settled = <A, E>(self: Effect.Effect<A, E>): Exit.Exit<A, E> | undefined =>
  isExit(self) ? self : isEither(self) ? Either.match(self, { onLeft: Exit.fail, onRight: Exit.succeed }) : undefined

/**
 * Runs an effect: by calls as far as it is direct, in a fiber from the first step on that is not.
 *
 * @category destructors
 */
export const run = <A, E>(self: Effect.Effect<A, E>, done: Done<A, E>, fork: Fork): void => {
  if (isDirect(self)) return self.start(done, fork)
  const exit = settled(self)
  if (exit === undefined) fork(self, done)
  else done(exit)
}

class Registered<A, E> extends Direct<A, E> {
  readonly #begin: (done: Done<A, E>) => () => void

  constructor(begin: (done: Done<A, E>) => () => void) {
    super()
    this.#begin = begin
  }

  commit(): Effect.Effect<A, E> {
    return Effect.async((resume) => {
      const cancel = this.#begin(resume)
      return Effect.sync(cancel)
    })
  }

  start(done: Done<A, E>): void {
    this.#begin(done)
  }
}

/**
 * What plain code begins, and tells the end of. `begin` gives what takes it back, as far as that is possible, when the fiber that
 * waits for it is interrupted.
 *
 * @category constructors
 */
export const make = <A, E = never>(begin: (done: Done<A, E>) => () => void): Direct<A, E> => new Registered(begin)

// What is thrown ends an effect as a defect, as in a fiber.
const attempted = <A, E>(step: () => Effect.Effect<A, E>): Effect.Effect<A, E> => {
  try {
    return step()
  } catch (defect) {
    return Exit.die(defect)
  }
}

class Suspended<A, E> extends Direct<A, E> {
  readonly #step: () => Effect.Effect<A, E>

  constructor(step: () => Effect.Effect<A, E>) {
    super()
    this.#step = step
  }

  commit(): Effect.Effect<A, E> {
    return Effect.suspend(this.#step)
  }

  start(done: Done<A, E>, fork: Fork): void {
    run(attempted(this.#step), done, fork)
  }
}

/**
 * `Effect.suspend`.
 *
 * @category constructors
 */
export const suspend = <A, E>(step: () => Effect.Effect<A, E>): Effect.Effect<A, E> => new Suspended(step)

/** What follows each end of an effect. @category models */
export interface Next<A, E, A2, E2, A3, E3> {
  readonly onFailure: (cause: Cause.Cause<E>) => Effect.Effect<A2, E2>
  readonly onSuccess: (value: A) => Effect.Effect<A3, E3>
}

class Followed<A, E, A2, E2, A3, E3> extends Direct<A2 | A3, E2 | E3> {
  readonly #self: Direct<A, E>
  readonly #next: Next<A, E, A2, E2, A3, E3>

  constructor(self: Direct<A, E>, next: Next<A, E, A2, E2, A3, E3>) {
    super()
    this.#self = self
    this.#next = next
  }

  commit(): Effect.Effect<A2 | A3, E2 | E3> {
    return Effect.matchCauseEffect(this.#self.commit(), this.#next)
  }

  start(done: Done<A2 | A3, E2 | E3>, fork: Fork): void {
    const { onFailure, onSuccess } = this.#next
    this.#self.start((exit) => {
      run(
        attempted((): Effect.Effect<A2 | A3, E2 | E3> => Exit.isSuccess(exit) ? onSuccess(exit.value) : onFailure(exit.cause)),
        done,
        fork
      )
    }, fork)
  }
}

/**
 * `Effect.matchCauseEffect`, at once where `self` has ended already, and without a fiber where it is direct. Use it inside an
 * effect that is running (`suspend`), never to build one for later: time may pass in between.
 *
 * @category combinators
 */
export const follow = <A, E, A2, E2, A3, E3>(
  self: Effect.Effect<A, E>,
  next: Next<A, E, A2, E2, A3, E3>
): Effect.Effect<A2 | A3, E2 | E3> => {
  if (isDirect(self)) return new Followed(self, next)
  const exit = settled(self)
  if (exit === undefined) return Effect.matchCauseEffect(self, next)
  return Exit.isSuccess(exit) ? next.onSuccess(exit.value) : next.onFailure(exit.cause)
}
