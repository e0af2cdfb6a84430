/**
 * A lock that one process of a host has at a time.
 *
 * It is an exclusive transaction on an SQLite database: a lock of the operating system on a file, which ends with the process that holds it. So it is
 * never stale, and asking for it answers whether its holder lives, whatever happened to pid numbers.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { DatabaseSync } from "node:sqlite"

/**
 * Another process has the lock, or this one has it already.
 *
 * @category errors
 */
export class ProcessLockHeld extends Schema.TaggedError<ProcessLockHeld>()("ProcessLockHeld", { path: Schema.String }) {
  override get message(): string {
    return `${this.path} is locked; wait until its holder is done, or end that process`
  }
}

/**
 * The file of the lock cannot be made or opened.
 *
 * @category errors
 */
export class ProcessLockFailed extends Schema.TaggedError<ProcessLockFailed>()("ProcessLockFailed", { path: Schema.String, detail: Schema.String }) {
  override get message(): string {
    return `${this.path} cannot be locked: ${this.detail}; check the directory's owner, mode and free space`
  }
}

/**
 * A lock that is held.
 *
 * @category models
 */
export interface ProcessLock {
  /** Gives it back. The second time does nothing. */
  readonly release: Effect.Effect<void>
}

const open = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec("BEGIN EXCLUSIVE")
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

/**
 * Takes the lock on the file at `path`, which is made when it does not exist, without waiting. For those who cannot tell beforehand when they will be done; see
 * `acquire` for the others.
 *
 * @category constructors
 */
export const take = (path: string): Effect.Effect<ProcessLock, ProcessLockHeld | ProcessLockFailed> =>
  Effect.try({
    try: () => {
      const database = open(path)
      return {
        release: Effect.sync(() => {
          if (database.isOpen) database.close()
        })
      }
    },
    catch: (cause) => {
      const detail = cause instanceof Error ? cause.message : String(cause)
      return detail.includes("database is locked") ? new ProcessLockHeld({ path }) : new ProcessLockFailed({ path, detail })
    }
  })

/**
 * Holds the lock until the scope closes.
 *
 * @category constructors
 */
export const acquire = (path: string): Effect.Effect<void, ProcessLockHeld | ProcessLockFailed, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(take(path), ({ release }) => release))
