import type * as Exit from "effect/Exit"
import type { ChangeType, Committed, Encode, Origin } from "../ObjectStore.js"
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
  readonly answer: (exit: Exit.Exit<Committed, unknown>) => void
}

/**
 * The line of writers. Plain callbacks: a fiber, a deferred and a permit for each write would cost more than the write. At most
 * `capacity` are in line; the others wait to get in.
 */
export interface WriteQueue {
  /** Puts a writer in line, or where the others wait. Gives what takes it out as long as nobody has removed it. */
  readonly enter: (request: Request) => () => void
  /** The first writers in line, in order. */
  readonly waiting: ReadonlyArray<Request>
  /** Takes the first `count` out of line. Whoever removes a request answers it. */
  readonly remove: (count: number) => void
  /** From now on nobody gets in; gives those who are in line and those who wait to be, for whom the caller has an answer. */
  readonly close: () => ReadonlyArray<Request>
}

/** Takes `request` out of `line`, if it is there. */
const takeOut = (line: Array<Request>, request: Request): boolean => {
  const position = line.indexOf(request)
  if (position >= 0) line.splice(position, 1)
  return position >= 0
}

/** An empty line; `arrived` is called when somebody gets in. */
export const make = (capacity: number, arrived: () => void): WriteQueue => {
  const waiting: Array<Request> = []
  const outside: Array<Request> = []

  const fill = (): void => {
    if (outside.length === 0 || waiting.length >= capacity) return
    for (const request of outside.splice(0, capacity - waiting.length)) waiting.push(request)
    arrived()
  }

  return {
    enter: (request) => {
      if (waiting.length < capacity) {
        waiting.push(request)
        arrived()
      } else outside.push(request)
      return () => {
        if (takeOut(waiting, request)) fill()
        else takeOut(outside, request)
      }
    },
    waiting,
    remove: (count) => {
      waiting.splice(0, count)
      fill()
    },
    close: () => [...waiting.splice(0), ...outside.splice(0)]
  }
}
