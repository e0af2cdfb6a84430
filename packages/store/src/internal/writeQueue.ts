import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ChangeType, Committed, Encode } from "../ObjectStore.js"
import type { StoreError } from "../StoreError.js"
import type { IndexEntry } from "./backend.js"

/** What a writer wants. */
export interface Intent<E> {
  readonly type: ChangeType
  readonly key: string
  readonly encode: Encode
  /** Until when it may wait for company, in milliseconds of the clock; 0 is not at all. */
  readonly deadline: number
  /** What is wrong with this write when `current` is stored under its key. */
  readonly check: (current: IndexEntry | undefined) => E | undefined
}

/** A write in line. Exactly one of its answers is called, once the fate of its group is known. */
export interface Request extends Pick<Intent<unknown>, "type" | "key" | "encode" | "deadline"> {
  /** The answer to a writer whose expectation does not hold; undefined when it holds. */
  readonly refusal: (current: IndexEntry | undefined) => (() => void) | undefined
  readonly committed: (version: Committed) => void
  readonly failed: (error: StoreError) => void
  readonly died: (defect: unknown) => void
}

/** The line of writers before the commit loop. At most `capacity` are in it; the others wait to get in. */
export interface WriteQueue {
  /** Whoever removes a request answers it. */
  readonly waiting: Array<Request>
  readonly submit: <E>(intent: Intent<E>) => Effect.Effect<Committed, E | StoreError>
  /** Is opened when a writer gets in line. */
  readonly arrival: Effect.Latch
  /** From now on, answers everyone with an error. */
  readonly refuseAll: (error: (operation: string) => StoreError) => void
}

/** An empty line. */
export const make = (capacity: number): WriteQueue => {
  const places = Effect.unsafeMakeSemaphore(capacity)
  const arrival = Effect.unsafeMakeLatch(false)
  const waiting: Array<Request> = []
  let refusing: ((operation: string) => StoreError) | undefined

  const enter = <E>(intent: Intent<E>, done: Deferred.Deferred<Committed, E | StoreError>): Request => {
    const settle = (exit: Exit.Exit<Committed, E | StoreError>) => Deferred.unsafeDone(done, exit)
    const request: Request = {
      type: intent.type,
      key: intent.key,
      encode: intent.encode,
      deadline: intent.deadline,
      refusal: (current) => {
        const error = intent.check(current)
        return error === undefined ? undefined : () => settle(Exit.fail(error))
      },
      committed: (version) => settle(Exit.succeed(version)),
      failed: (error) => settle(Exit.fail(error)),
      died: (defect) => settle(Exit.die(defect))
    }
    waiting.push(request)
    arrival.unsafeOpen()
    return request
  }

  const leave = (request: Request): void => {
    const position = waiting.indexOf(request)
    if (position >= 0) waiting.splice(position, 1)
  }

  return {
    waiting,
    arrival,
    submit: <E>(intent: Intent<E>) =>
      places.withPermits(1)(Effect.flatMap(
        Deferred.make<Committed, E | StoreError>(),
        (done) =>
          Effect.suspend(() => {
            if (refusing !== undefined) return Effect.fail(refusing(intent.type))
            const request = enter(intent, done)
            return Effect.onInterrupt(Deferred.await(done), () => Effect.sync(() => leave(request)))
          })
      )),
    refuseAll: (error) => {
      refusing = error
      for (const request of waiting.splice(0)) request.failed(error(request.type))
    }
  }
}
