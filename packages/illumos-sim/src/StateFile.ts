/** The one file that holds a simulated host, shared by every process that uses it. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import * as HostState from "./HostState.js"
import * as lockFile from "./internal/lockFile.js"
import * as stateText from "./internal/stateText.js"
import { StateUnavailable } from "./StateUnavailable.js"

export { StateUnavailable }

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

/** One change of several that are saved together. */
interface Change {
  /** Applies it; the result tells of that. */
  readonly apply: (host: HostState.HostState, now: number) => () => void
  readonly fail: (error: StateUnavailable) => void
  /** Nobody waits for it any more, and it has not been applied. */
  givenUp: boolean
}

const changeOf = <A>(change: (host: HostState.HostState, now: number) => A, tell: (outcome: Effect.Effect<A, StateUnavailable>) => void): Change => ({
  apply: (host, now) => {
    const answer = change(host, now)
    return () => tell(Effect.succeed(answer))
  },
  fail: (error) => tell(Effect.fail(error)),
  givenUp: false
})

/** So many changes are saved together at most: whoever else waits for the lock gets it between two groups. */
const largestGroup = 64

/** The rest of this turn of the event loop, in which further commands arrive with the first. */
const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Gathers the changes that come while others are being saved, or together, and applies them as one. */
const inGroups = (attempt: (changes: ReadonlyArray<Change>) => Effect.Effect<void, StateUnavailable>): Effect.Effect<StateFile["transact"], never, Scope.Scope> =>
  Effect.map(FiberSet.makeRuntime(), (run) => {
    const waiting: Array<Change> = []
    let draining = false
    const commit = Effect.suspend(() => {
      const group = waiting.splice(0, largestGroup)
      return Effect.catchAll(attempt(group), (error) => Effect.sync(() => {
        for (const { fail } of group) fail(error)
      }))
    })
    const drain = Effect.repeat(Effect.zipRight(turn, commit), { while: () => (draining = waiting.length > 0) })
    return <A>(change: (host: HostState.HostState, now: number) => A) =>
      Effect.async<A, StateUnavailable>((resume) => {
        const waited = changeOf(change, resume)
        waiting.push(waited)
        if (!draining) {
          draining = true
          run(drain)
        }
        return Effect.sync(() => {
          waited.givenUp = true
        })
      })
  })

/** @category models */
export interface Options {
  /**
   * Changes that come together are applied one after the other under one lock, and saved once, before anybody hears of them. For a process that
   * runs the commands of many. Default not.
   */
  readonly together?: boolean
}

/**
 * Opens the state of the host in `directory`. When there is none, `create` makes it at the first transaction.
 *
 * @category constructors
 */
export const make = (
  directory: string,
  create: (now: number) => HostState.HostState,
  options: Options = {}
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

    const reparsed = (text: ReadonlyArray<string>): HostState.HostState =>
      Option.getOrThrowWith(HostState.reparseOption(text.join("")), () => new Error("the state before the change cannot be read again"))

    /** What all of them change is saved at once, and they hear of it when it is; one that throws leaves nothing behind. */
    const underLock = (token: string, now: number, changes: ReadonlyArray<Change>): void => {
      try {
        const before = load()
        let host = before?.host ?? create(now)
        let text = before?.known.text
        // Nobody but the changes has the state from here on: when it cannot be saved, what they did is forgotten.
        if (before !== undefined) before.known.host = undefined
        const tellings = changes.flatMap((change) => {
          if (change.givenUp) return []
          try {
            const tell = change.apply(host, now)
            text = stateText.pieces(host)
            return [tell]
          } catch (error) {
            host = text === undefined ? create(now) : reparsed(text)
            return [() => change.fail(described(directory)(error))]
          }
        })
        if (before !== undefined && text !== undefined && stateText.isSame(text, before.known.text)) {
          before.known.host = host
        } else if (text !== undefined) {
          if (!lockFile.holds(lock, token)) {
            throw new StateUnavailable({ directory, reason: "Locked", detail: "the lock was taken away" })
          }
          keep(save(file, text, host))
        }
        for (const tell of tellings) tell()
      } finally {
        lockFile.release(lock, token)
      }
    }

    // One synchronous step from the lock to its release: an interruption or another fibre can never come between.
    const attempt = (changes: ReadonlyArray<Change>) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.try({
          try: () => {
            const token = lockFile.tryAcquire(lock)
            if (token === undefined) {
              throw new StateUnavailable({ directory, reason: "Locked", detail: "another command holds the lock" })
            }
            underLock(token, now, changes)
          },
          catch: described(directory)
        })).pipe(Effect.retry({ schedule: busy, while: (error) => error.reason === "Locked" }))

    const alone: StateFile["transact"] = <A>(change: (host: HostState.HostState, now: number) => A) =>
      semaphore.withPermits(1)(Effect.suspend(() => {
        let outcome: Effect.Effect<A, StateUnavailable> = Effect.dieMessage("the change was not applied")
        return Effect.flatMap(attempt([changeOf(change, (result) => void (outcome = result))]), () => outcome)
      }))
    const transact = options.together === true ? yield* inGroups(attempt) : alone

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
