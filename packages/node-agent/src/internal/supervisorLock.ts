/**
 * One supervisor per data directory.
 *
 * The lock is an exclusive transaction on an SQLite database: a file lock of the operating system, which ends with the process that holds
 * it. So it is never stale, and asking for it answers whether its holder lives, whatever happened to pid numbers.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { DatabaseSync } from "node:sqlite"
import { SupervisorFileFailed, SupervisorRunning } from "../supervisor/SupervisorError.js"

const busy = (cause: unknown): boolean => cause instanceof Error && /database is locked/.test(cause.message)

const attempt = (dataDir: string, path: string): Effect.Effect<DatabaseSync, SupervisorRunning | SupervisorFileFailed> =>
  Effect.try({
    try: () => {
      const database = new DatabaseSync(path, { timeout: 0 })
      try {
        database.exec("BEGIN EXCLUSIVE")
        return database
      } catch (cause) {
        database.close()
        throw cause
      }
    },
    catch: (cause) =>
      busy(cause)
        ? new SupervisorRunning({ dataDir })
        : new SupervisorFileFailed({ operation: "lock", path, detail: cause instanceof Error ? cause.message : String(cause) })
  })

/** Holds the lock until the scope closes. */
export const acquire = (
  dataDir: string,
  path: string
): Effect.Effect<void, SupervisorRunning | SupervisorFileFailed, Scope.Scope> =>
  Effect.acquireRelease(attempt(dataDir, path), (database) => Effect.sync(() => database.close())).pipe(Effect.asVoid)

/** Whether somebody holds the lock. */
export const isHeld = (dataDir: string, path: string): Effect.Effect<boolean, SupervisorFileFailed> =>
  Effect.scoped(acquire(dataDir, path)).pipe(
    Effect.as(false),
    Effect.catchTag("SupervisorRunning", () => Effect.succeed(true))
  )
