// Writers with different errors stand in one line, and each is answered with errors of its own check only.
// @effect-diagnostics anyUnknownInErrorContext:off
import * as Effect from "effect/Effect"
import type { ChangeType, Committed, Encode, Origin } from "../ObjectStore.js"
import type { StoreError } from "../StoreError.js"
import type { VersionRecord } from "./versionIndex.js"

/** What a writer wants. */
export interface Intent<E> {
  readonly type: ChangeType
  readonly key: string
  readonly encode: Encode
  readonly origin: Origin | undefined
  /** What is wrong with this write when `current` is stored under its key. */
  readonly check: (current: Pick<VersionRecord, "revision"> | undefined) => E | undefined
}

/** A write in line, with the way back to its writer. It is answered exactly once, when the fate of its group is known. */
export interface Request extends Intent<unknown> {
  readonly answer: (result: Effect.Effect<Committed, unknown>) => void
}

/**
 * The line of writers. Plain callbacks: a fiber, a deferred and a permit for each write would cost more than the write. At most
 * `capacity` are in line; the others wait to get in.
 */
export interface WriteQueue {
  readonly submit: <E>(intent: Intent<E>) => Effect.Effect<Committed, E | StoreError>
  /** The first writers in line, in order. */
  readonly waiting: ReadonlyArray<Request>
  /** Takes the first `count` out of line. Whoever removes a request answers it. */
  readonly remove: (count: number) => void
  /** From now on, answers everyone with an error. */
  readonly refuseAll: (error: (operation: string) => StoreError) => void
  /** The error that everyone is answered with now. */
  readonly refusal: (operation: string) => StoreError | undefined
}

/** An empty line; `arrived` is called when somebody gets in. */
export const make = (capacity: number, arrived: () => void): WriteQueue => {
  const waiting: Array<Request> = []
  const room = Effect.unsafeMakeLatch(true)
  let refusing: ((operation: string) => StoreError) | undefined

  const enter = <E>(intent: Intent<E>): Effect.Effect<Committed, E | StoreError> =>
    Effect.async((resume) => {
      // `check` makes the only errors of type E that a request is answered with.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a queue of requests cannot say the error of each one
      const request: Request = { ...intent, answer: (result) => resume(result as Effect.Effect<Committed, E | StoreError>) }
      waiting.push(request)
      if (waiting.length >= capacity) room.unsafeClose()
      arrived()
      return Effect.sync(() => {
        const position = waiting.indexOf(request)
        if (position >= 0) waiting.splice(position, 1)
      })
    })

  const submit = <E>(intent: Intent<E>): Effect.Effect<Committed, E | StoreError> =>
    Effect.suspend(() => {
      if (refusing !== undefined) return Effect.fail(refusing(intent.type))
      return waiting.length < capacity ? enter(intent) : Effect.zipRight(room.await, submit(intent))
    })

  return {
    submit,
    waiting,
    remove: (count) => {
      waiting.splice(0, count)
      if (waiting.length < capacity) room.unsafeOpen()
    },
    refuseAll: (error) => {
      refusing = error
      room.unsafeOpen()
      for (const request of waiting.splice(0)) request.answer(Effect.fail(error(request.type)))
    },
    refusal: (operation) => refusing?.(operation)
  }
}
