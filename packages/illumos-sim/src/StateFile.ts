/** The one file that holds a simulated host, shared by every process that uses it. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import * as HostState from "./HostState.js"
import * as lockFile from "./internal/lockFile.js"

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
}

const LOCK_WAIT = Duration.seconds(30)
const busy = Schedule.spaced("2 millis").pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurUpTo(LOCK_WAIT))
)

// Replaced as a whole, so that a killed process leaves the old state or the new one. Not synced: every command changes the state, and
// a simulated host need not survive a power failure of the machine it is simulated on.
const save = (file: string, content: string): void => {
  const temporary = `${file}.${process.pid}.new`
  fs.writeFileSync(temporary, content, { mode: 0o600 })
  fs.renameSync(temporary, file)
}

const readText = (file: string): string | undefined => {
  try {
    return fs.readFileSync(file, "utf8")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
    throw error
  }
}

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
): Effect.Effect<StateFile, StateUnavailable> =>
  Effect.gen(function*() {
    const file = path.join(directory, "state.json")
    const lock = path.join(directory, "lock")
    yield* Effect.try({
      try: () => fs.mkdirSync(path.join(directory, "root"), { recursive: true, mode: 0o755 }),
      catch: described(directory)
    })
    const semaphore = yield* Effect.makeSemaphore(1)
    /** Text that was found to be a state, or was written as one: a busy host is read far more often than another process changes it. */
    let known: string | undefined

    const load = (): { readonly text: string; readonly host: HostState.HostState } | undefined => {
      const text = readText(file)
      if (text === undefined) return undefined
      if (text === known) return { text, host: HostState.parse(text) }
      const host = Option.getOrThrowWith(HostState.decodeOption(text), () =>
        new StateUnavailable({ directory, reason: "Corrupt", detail: "state.json is not a host state of version 1" }))
      known = text
      return { text, host }
    }

    const underLock = <A>(token: string, now: number, change: (host: HostState.HostState, now: number) => A): A => {
      try {
        const before = load()
        const host = before?.host ?? create(now)
        const answer = change(host, now)
        const text = HostState.encode(host)
        if (text !== before?.text) {
          if (!lockFile.holds(lock, token)) {
            throw new StateUnavailable({ directory, reason: "Locked", detail: "the lock was taken away" })
          }
          save(file, text)
          known = text
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

    return {
      transact: (change) =>
        semaphore.withPermits(1)(
          Effect.retry(attempt(change), { schedule: busy, while: (error) => error.reason === "Locked" })
        )
    }
  })
