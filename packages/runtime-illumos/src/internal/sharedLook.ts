/**
 * One look at the host for everybody who wants to know something: who asks while a look is under way gets the answer of the next one,
 * however many ask. Between two looks at things that are on their way passes a period that grows while nothing happens; it ends at once
 * when somebody wants to know how a thing is now, which is what everybody does whose command has just changed it. Nobody looks while
 * nobody waits.
 *
 * Plain sets and flags between two looks, because each of them stands for one waiting fiber.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Exit from "effect/Exit"

/** How to look, and how often. */
export interface Options<K, A, E> {
  /** Looks at one thing: for when nobody asks about another. */
  readonly one: (key: K) => Effect.Effect<A, E>
  /** Looks at everything, and finds each thing in it. */
  readonly all: Effect.Effect<(key: K) => Either.Either<A, E>, E>
  /** The most that passes between two looks at what is on its way, unless looking itself takes long. */
  readonly longest: Duration.DurationInput
}

/** Answers about things of one kind. */
export interface SharedLook<K, A, E> {
  /** How a thing is: from a look that begins after this was asked. */
  readonly now: (key: K) => Effect.Effect<A, E>
  /** Waits until a thing is as wanted, at most for `timeout`; gives what was seen last. */
  readonly until: (key: K, wanted: (seen: A) => boolean, timeout: Duration.DurationInput) => Effect.Effect<A, E>
  /** The same for who has seen it `first` and not found it as wanted: the next look comes when it is due. */
  readonly follow: (key: K, wanted: (seen: A) => boolean, timeout: Duration.DurationInput, first: A) => Effect.Effect<A, E>
}

interface Waiter<K, A, E> {
  readonly key: K
  readonly wanted: (seen: A) => boolean
  readonly answer: Deferred.Deferred<A, E>
  seen: A | undefined
}

/** A look that takes longer holds nobody up any more who asked after it began. */
const stuckAfter = Duration.seconds(2)

/** Looks that are under way at most; only where looks get stuck there is more than one. */
const mostLooks = 4

/** The first period, as a share of the longest one. */
const shortestShare = 1 / 4

/** Looking takes at most this share of the time, however slow it is. */
const mostShare = 1 / 5

/** Shared looks at things of one kind. */
export const make = <K, A, E>(options: Options<K, A, E>): SharedLook<K, A, E> => {
  const longest = Duration.toMillis(options.longest)
  const shortest = longest * shortestShare
  const waiters = new Set<Waiter<K, A, E>>()
  const places = Effect.unsafeMakeSemaphore(mostLooks)
  /** Open while somebody must not be kept waiting until the period is over. */
  const urgent = Effect.unsafeMakeLatch(false)
  let isLooking = false
  let period = shortest
  /** What the last look took, in milliseconds. */
  let taken = 0

  const tell = (asked: ReadonlyArray<Waiter<K, A, E>>, seen: Exit.Exit<(key: K) => Either.Either<A, E>, E>): void => {
    for (const waiter of asked) {
      // Answered by a look that began later and ended earlier, or gone.
      if (!waiters.has(waiter)) continue
      const found: Exit.Exit<A, E> = Exit.isSuccess(seen) ? Exit.fromEither(seen.value(waiter.key)) : Exit.failCause(seen.cause)
      if (Exit.isSuccess(found)) {
        waiter.seen = found.value
        if (!waiter.wanted(found.value)) continue
      }
      waiters.delete(waiter)
      Deferred.unsafeDone(waiter.answer, found)
    }
  }

  const look = (asked: ReadonlyArray<Waiter<K, A, E>>): Effect.Effect<void> =>
    Effect.gen(function*() {
      const [first, ...others] = new Set(asked.map(({ key }) => key))
      if (first === undefined) return
      const began = yield* Clock.currentTimeMillis
      const alone = Effect.map(Effect.either(options.one(first)), (seen) => () => seen)
      const seen = yield* Effect.exit(others.length === 0 ? alone : options.all)
      taken = (yield* Clock.currentTimeMillis) - began
      tell(asked, seen)
    })

  /** The time between two looks, unless somebody cannot wait for it. */
  const pause = Effect.suspend(() => {
    const millis = Math.max(period, taken * (1 / mostShare - 1))
    period = Math.min(longest, period * 2)
    return Effect.raceFirst(Effect.sleep(millis), urgent.await)
  })

  const round = Effect.gen(function*() {
    yield* pause
    yield* places.take(1)
    // Whoever asks in this very moment is answered together with the others.
    yield* Effect.yieldNow()
    urgent.unsafeClose()
    const under = yield* Effect.forkDaemon(Effect.ensuring(look([...waiters]), places.release(1)))
    yield* Effect.timeoutOption(under.await, stuckAfter)
  })

  // Lives as long as somebody waits, whoever of them asked first: so it is nobody's child, and can always be held up.
  const looking = Effect.interruptible(Effect.whileLoop({
    while: () => {
      isLooking = waiters.size > 0
      return isLooking
    },
    body: () => round,
    step: () => undefined
  }))

  const ask = (waiter: Waiter<K, A, E>, isUrgent: boolean): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      waiters.add(waiter)
      if (isUrgent) urgent.unsafeOpen()
      const start = isLooking ? Effect.void : Effect.forkDaemon(looking)
      isLooking = true
      return Effect.zipRight(start, Deferred.await(waiter.answer))
    }).pipe(Effect.ensuring(Effect.sync(() => waiters.delete(waiter))))

  const waiterFor = (key: K, wanted: Waiter<K, A, E>["wanted"], seen: A | undefined) =>
    Effect.map(Deferred.make<A, E>(), (answer): Waiter<K, A, E> => ({ key, wanted, answer, seen }))

  const now = (key: K): Effect.Effect<A, E> =>
    Effect.flatMap(waiterFor(key, () => true, undefined), (waiter) => ask(waiter, true))

  const follow: SharedLook<K, A, E>["follow"] = (key, wanted, timeout, first) =>
    Effect.flatMap(waiterFor(key, wanted, first), (waiter) => {
      period = shortest
      return Effect.timeoutTo(ask(waiter, false), { duration: timeout, onSuccess: (seen) => seen, onTimeout: () => waiter.seen ?? first })
    })

  return {
    now,
    follow,
    until: (key, wanted, timeout) =>
      Effect.flatMap(now(key), (first) => wanted(first) ? Effect.succeed(first) : follow(key, wanted, timeout, first))
  }
}
