/** The one file that holds a simulated host, shared by every process that uses it. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import * as HostState from "./HostState.js"
import * as lockFile from "./internal/lockFile.js"
import * as stateText from "./internal/stateText.js"

/** The state cannot be read, locked or written. @category errors */
export class StateUnavailable extends Schema.TaggedError<StateUnavailable>()("StateUnavailable", {
  directory: Schema.String,
  reason: Schema.Literal("Locked", "Corrupt", "InputOutput"),
  detail: Schema.String
}) {
  override get message(): string {
    const next = {
      Locked: "find the process named in the file `lock`, or wait until it ends",
      Corrupt: "restore the file `state.json`, or remove the directory to start with a new host",
      InputOutput: "check space and permissions of the directory"
    }[this.reason]
    return `simulated host in ${this.directory}: ${this.detail}; ${next}`
  }
}

/** Access to the state of one host. @category models */
export interface StateFile {
  /**
   * Runs `change` on the current state while no other command of any process does, and saves what it changed. `change` must
   * not wait for anything: the whole transaction is one synchronous step.
   */
  readonly transact: <A>(change: (host: HostState.HostState, now: number) => A) => Effect.Effect<A, StateUnavailable>
  /**
   * Runs `read` on the state that was saved last, without the lock: states are replaced as a whole, so any of them is one that was. It must
   * change nothing, and keep nothing of what it is given.
   */
  readonly look: <A>(read: (host: HostState.HostState, now: number) => A) => Effect.Effect<A, StateUnavailable>
}

const LOCK_WAIT = Duration.seconds(30)
const busy = Schedule.spaced("2 millis").pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurUpTo(LOCK_WAIT))
)

/** A state that was read or written, and the open file it is in: as long as that is open no other file has its inode. */
interface Known {
  readonly text: ReadonlyArray<string>
  /** What the text says; absent while a change works on it, and after one that failed. */
  host: HostState.HostState | undefined
  readonly descriptor: number
  readonly stat: fs.BigIntStats
}

// Replaced as a whole, so that a killed process leaves the old state or the new one. Not synced: every command changes the state, and
// a simulated host need not survive a power failure of the machine it is simulated on.
const save = (file: string, text: ReadonlyArray<string>, host: HostState.HostState): Known => {
  const temporary = `${file}.${process.pid}.new`
  const descriptor = fs.openSync(temporary, "w", 0o600)
  try {
    stateText.write(descriptor, text)
    fs.renameSync(temporary, file)
    return { text, host, descriptor, stat: fs.fstatSync(descriptor, { bigint: true }) }
  } catch (error) {
    fs.closeSync(descriptor)
    throw error
  }
}

const open = (file: string): number | undefined => {
  try {
    return fs.openSync(file, "r")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
    throw error
  }
}

/** What was only read, or written and renamed already, is whole whatever becomes of its descriptor. */
const ignored = (): void => {}

const isSame = (a: fs.BigIntStats, b: fs.BigIntStats | undefined): boolean =>
  b !== undefined && a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeNs === b.mtimeNs

const described = (directory: string) => (error: unknown): StateUnavailable =>
  error instanceof StateUnavailable
    ? error
    : new StateUnavailable({
      directory,
      reason: "InputOutput",
      detail: error instanceof Error ? error.message : String(error)
    })

/**
 * Opens the state of the host in `directory`. When there is none, `create` makes it at the first transaction.
 *
 * @category constructors
 */
export const make = (
  directory: string,
  create: (now: number) => HostState.HostState
): Effect.Effect<StateFile, StateUnavailable, Scope.Scope> =>
  Effect.gen(function*() {
    const file = path.join(directory, "state.json")
    const lock = path.join(directory, "lock")
    yield* Effect.try({
      try: () => fs.mkdirSync(path.join(directory, "root"), { recursive: true, mode: 0o755 }),
      catch: described(directory)
    })
    const semaphore = yield* Effect.makeSemaphore(1)
    /** What was last read or written: a busy host is read far more often than another process changes it. */
    let known: Known | undefined

    const keep = (next: Known | undefined): void => {
      // With its last descriptor goes a file that was replaced, and clearing it away takes as long as writing the next one: nobody waits for it.
      if (known !== undefined) fs.close(known.descriptor, ignored)
      known = next
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => keep(undefined)))

    const read = (): Known | undefined => {
      const descriptor = open(file)
      if (descriptor === undefined) return undefined
      try {
        const text = fs.readFileSync(descriptor, "utf8")
        const host = Option.getOrThrowWith(known === undefined ? HostState.decodeOption(text) : HostState.reparseOption(text), () =>
          new StateUnavailable({ directory, reason: "Corrupt", detail: "state.json is not a host state of version 1" }))
        return { text: [text], host, descriptor, stat: fs.fstatSync(descriptor, { bigint: true }) }
      } catch (error) {
        fs.closeSync(descriptor)
        throw error
      }
    }

    /** The state as it is now, from memory when its file is still the one that is known; nothing when there is none yet. */
    const load = (): { readonly known: Known; readonly host: HostState.HostState } | undefined => {
      const isCurrent = known?.host !== undefined && isSame(known.stat, fs.statSync(file, { bigint: true, throwIfNoEntry: false }))
      if (!isCurrent) keep(read())
      return known?.host === undefined ? undefined : { known, host: known.host }
    }

    const underLock = <A>(token: string, now: number, change: (host: HostState.HostState, now: number) => A): A => {
      try {
        const before = load()
        const host = before?.host ?? create(now)
        // Nobody but the change has the state from here on: when it throws, what it did so far is forgotten.
        if (before !== undefined) before.known.host = undefined
        const answer = change(host, now)
        const text = stateText.pieces(host)
        if (before !== undefined && stateText.isSame(text, before.known.text)) {
          before.known.host = host
        } else {
          if (!lockFile.holds(lock, token)) {
            throw new StateUnavailable({ directory, reason: "Locked", detail: "the lock was taken away" })
          }
          keep(save(file, text, host))
        }
        return answer
      } finally {
        lockFile.release(lock, token)
      }
    }

    // One synchronous step from the lock to its release: an interruption or another fibre can never come between.
    const attempt = <A>(change: (host: HostState.HostState, now: number) => A) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.try({
          try: () => {
            const token = lockFile.tryAcquire(lock)
            if (token === undefined) {
              throw new StateUnavailable({ directory, reason: "Locked", detail: "another command holds the lock" })
            }
            return underLock(token, now, change)
          },
          catch: described(directory)
        }))

    const transact: StateFile["transact"] = (change) =>
      semaphore.withPermits(1)(Effect.retry(attempt(change), { schedule: busy, while: (error) => error.reason === "Locked" }))

    return {
      transact,
      look: <A>(read: (host: HostState.HostState, now: number) => A) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.try({
            try: () => {
              const current = load()
              return current === undefined ? Option.none<A>() : Option.some(read(current.host, now))
            },
            catch: described(directory)
          })).pipe(Effect.flatMap(Option.match({ onNone: () => transact(read), onSome: Effect.succeed })))
    }
  })
