/**
 * Changes of a lease table in durable transactions. Requests that come while one is being stored wait and become the next one
 * together: a hundred callers cost one synchronisation of the disk, not a hundred.
 *
 * Plain arrays and flags between two writes, because an effect per step would cost more than the lease itself.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type { LeaseStorageFailed } from "../IpamError.js"
import type { Save } from "./leaseFile.js"
import type { Change } from "./leaseRecords.js"
import { addressOf, type Holding, type LeaseTable, type Undo } from "./leaseTable.js"

type Some<A> = readonly [A, ...ReadonlyArray<A>]

/** What one request may do to the table; everything of it is taken back when the request fails. */
export interface Changes {
  readonly table: LeaseTable
  /** Leases addresses that the table chose. */
  readonly allocate: (owner: string, holdings: Some<Holding>) => void
  /** Leases addresses that were asked for. */
  readonly reserve: (owner: string, holdings: Some<Holding>) => void
  readonly release: (owner: string) => void
}

/** Changes and looks of one table, in order. */
export interface LeaseStore {
  /** Answers when what the request changed is durable. A plain function: it runs with many others between two writes. */
  readonly change: <A, E>(body: (changes: Changes) => Either.Either<A, E>) => Effect.Effect<A, E | LeaseStorageFailed>
  /** Looks at what is durable. */
  readonly look: <A>(body: (table: LeaseTable) => A) => Effect.Effect<A>
}

type Stored = Exit.Exit<void, LeaseStorageFailed>

interface Request {
  /** Changes the table; says whether that is to stay. */
  readonly run: (changes: Changes) => boolean
  /** Hears what became of the transaction. */
  readonly settle: (stored: Stored) => void
  /** Asks the caller to see to the next transaction, with this effect. */
  readonly lead: (turn: Effect.Effect<void>) => void
}

/**
 * Somebody who waits for an answer. One object for each: with tens of thousands waiting at once, what is kept for one of them is copied
 * by the garbage collector again and again, and that costs more than the lease.
 */
abstract class Caller<A, E> implements Request {
  #answer: Exit.Exit<A, E> | undefined
  #leading: Effect.Effect<A, E> | undefined
  #resume: ((answer: Effect.Effect<A, E>) => void) | undefined

  abstract run(changes: Changes): boolean

  protected abstract answer(stored: Stored): Exit.Exit<A, E>

  settle(stored: Stored): void {
    this.#answer = this.answer(stored)
    // Who leads reads the answer itself.
    if (this.#leading === undefined) this.#resume?.(this.#answer)
  }

  lead(turn: Effect.Effect<void>): void {
    this.#resume?.(this.leading(turn))
  }

  /** The transaction, then the answer. */
  leading(turn: Effect.Effect<void>): Effect.Effect<A, E> {
    this.#leading = Effect.flatMap(turn, () => this.#answer ?? Effect.dieMessage("a request was not settled"))
    return this.#leading
  }

  /** Waits for the turn to lead or for the answer, either of which may have come already. */
  wait(): Effect.Effect<A, E> {
    return Effect.async((resume) => {
      this.#resume = resume
      const next = this.#leading ?? this.#answer
      if (next !== undefined) resume(next)
    })
  }
}

class Changing<A, E> extends Caller<A, E | LeaseStorageFailed> {
  readonly #body: (changes: Changes) => Either.Either<A, E>
  #made: Exit.Exit<A, E> | undefined

  constructor(body: (changes: Changes) => Either.Either<A, E>) {
    super()
    this.#body = body
  }

  run(changes: Changes): boolean {
    try {
      const made = this.#body(changes)
      this.#made = Either.isRight(made) ? Exit.succeed(made.right) : Exit.fail(made.left)
      return Either.isRight(made)
    } catch (defect) {
      // A mistake in one request must not hold up those behind it.
      this.#made = Exit.die(defect)
      return false
    }
  }

  protected answer(stored: Stored): Exit.Exit<A, E | LeaseStorageFailed> {
    return Exit.isFailure(stored) ? Exit.failCause(stored.cause) : this.#made ?? Exit.die("a request was settled before it ran")
  }
}

class Looking<A> extends Caller<A, never> {
  readonly #body: () => A

  constructor(body: () => A) {
    super()
    this.#body = body
  }

  run(): boolean {
    return true
  }

  protected answer(): Exit.Exit<A> {
    return Exit.succeed(this.#body())
  }
}

const texts = ([first, ...rest]: Some<Holding>): Some<string> => [addressOf(first), ...rest.map(addressOf)]

/** The changes of one transaction, and how to take them back. */
class Draft implements Changes {
  readonly table: LeaseTable
  readonly #undo: Array<Undo> = []
  readonly #recorded: Array<Change> = []

  constructor(table: LeaseTable) {
    this.table = table
  }

  get recorded(): ReadonlyArray<Change> {
    return this.#recorded
  }

  readonly allocate = (owner: string, holdings: Some<Holding>): void => {
    for (const holding of holdings) this.#undo.push(this.table.advance(holding), this.table.take(owner, holding))
    this.#recorded.push(["allocate", owner, texts(holdings)])
  }

  readonly reserve = (owner: string, holdings: Some<Holding>): void => {
    for (const holding of holdings) this.#undo.push(this.table.take(owner, holding))
    this.#recorded.push(["reserve", owner, texts(holdings)])
  }

  readonly release = (owner: string): void => {
    const back = this.table.give(owner)
    if (back === undefined) return
    this.#undo.push(back)
    this.#recorded.push(["release", owner])
  }

  /** Runs a request whose changes stay only if it says so. */
  attempt(request: Request): void {
    const [steps, records] = [this.#undo.length, this.#recorded.length]
    if (request.run(this)) return
    this.takeBack(steps)
    this.#recorded.length = records
  }

  takeBack(from: number): void {
    for (const step of this.#undo.splice(from).toReversed()) step()
  }
}

/** The store of a table that `save` makes durable. */
export const make = (table: LeaseTable, save: Save): LeaseStore => {
  let waiting: Array<Request> = []
  /** Somebody stores a transaction, or has been asked to. */
  let busy = false

  const store = (requests: ReadonlyArray<Request>): Effect.Effect<void> => {
    const draft = new Draft(table)
    for (const request of requests) draft.attempt(request)
    const finish = (stored: Stored) => {
      if (Exit.isFailure(stored)) draft.takeBack(0)
      else table.dropEmptyFormer()
      // An answer may rest on what another request of the same transaction did, so they succeed and fail together.
      for (const request of requests) request.settle(stored)
      busy = waiting.length > 0
      waiting[0]?.lead(turn)
    }
    if (draft.recorded.length > 0) return Effect.map(Effect.exit(save(table, draft.recorded)), finish)
    finish(Exit.void)
    return Effect.void
  }

  const turn = Effect.suspend(() => {
    const requests = waiting
    waiting = []
    return store(requests)
  })

  const submit = <A, E>(caller: Caller<A, E>): Effect.Effect<A, E> => {
    waiting.push(caller)
    if (busy) return caller.wait()
    busy = true
    return caller.leading(turn)
  }

  return {
    change: (body) => Effect.uninterruptible(Effect.suspend(() => submit(new Changing(body)))),
    look: (body) =>
      Effect.uninterruptible(Effect.suspend(() => busy ? submit(new Looking(() => body(table))) : Effect.succeed(body(table))))
  }
}
