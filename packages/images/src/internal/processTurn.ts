/**
 * Processes take turns: while one changes images, no other one does.
 *
 * The lock is an exclusive transaction on an SQLite database: a lock of the operating system on a file, which ends with the process that
 * holds it. Within a process several may have the turn together; the first takes it and the last gives it back.
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { DatabaseSync } from "node:sqlite"
import { StorageFailed } from "../ImageError.js"

/** Who changes images. */
export interface ProcessTurn {
  /** Has the turn until the scope closes; waits for it. */
  readonly take: Effect.Effect<void, StorageFailed, Scope.Scope>
  /** Has the turn until the scope closes if it is free now; false if it is not. */
  readonly tryTake: Effect.Effect<boolean, StorageFailed, Scope.Scope>
}

class Taken extends Data.TaggedError("Taken")<{}> {}

const isLocked = (cause: unknown): boolean => cause instanceof Error && cause.message.includes("database is locked")

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

/** Waits for the turn for as long as `patience`. */
export const make = (path: string, patience: Duration.DurationInput): ProcessTurn => {
  const one = Effect.unsafeMakeSemaphore(1)
  let database: DatabaseSync | undefined
  let holders = 0
  const failed = (detail: string) => new StorageFailed({ operation: "taking the turn to change images", path, detail })
  const attempt = Effect.try({
    try: () => open(path),
    catch: (cause): Taken | StorageFailed => isLocked(cause) ? new Taken() : failed(cause instanceof Error ? cause.message : String(cause))
  })
  const patient = attempt.pipe(
    Effect.retry({
      schedule: Schedule.spaced("50 millis").pipe(Schedule.jittered, Schedule.intersect(Schedule.recurUpTo(patience))),
      while: ({ _tag }) => _tag === "Taken"
    }),
    Effect.catchTag("Taken", () => failed(`another process has been changing images for ${Duration.format(Duration.decode(patience))}`))
  )
  const hold = <E>(first: Effect.Effect<DatabaseSync, E>) =>
    Effect.acquireRelease(
      one.withPermits(1)(Effect.interruptible(Effect.suspend(() => database === undefined ? first : Effect.succeed(database))).pipe(
        Effect.tap((opened) =>
          Effect.sync(() => {
            database = opened
            holders += 1
          }))
      )),
      () =>
        Effect.sync(() => {
          holders -= 1
          if (holders > 0) return
          database?.close()
          database = undefined
        })
    )
  return {
    take: Effect.asVoid(hold(patient)),
    tryTake: hold(attempt).pipe(Effect.as(true), Effect.catchTag("Taken", () => Effect.succeed(false)))
  }
}
