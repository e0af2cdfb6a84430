/**
 * Processes take turns: while one changes images, no other one does. Within a process several may have the turn together; the first takes it and
 * the last gives it back.
 */
import { ProcessLock } from "@reddwarf/runtime-illumos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { StorageFailed } from "../ImageError.js"

/** Who changes images. */
export interface ProcessTurn {
  /** Has the turn until the scope closes; waits for it. */
  readonly take: Effect.Effect<void, StorageFailed, Scope.Scope>
  /** Has the turn until the scope closes if it is free now; false if it is not. */
  readonly tryTake: Effect.Effect<boolean, StorageFailed, Scope.Scope>
}

/** Waits for the turn for as long as `patience`. */
export const make = (path: string, patience: Duration.DurationInput): ProcessTurn => {
  const one = Effect.unsafeMakeSemaphore(1)
  let lock: ProcessLock.ProcessLock | undefined
  let holders = 0
  const failed = (detail: string) => new StorageFailed({ operation: "taking the turn to change images", path, detail })
  const attempt = ProcessLock.take(path).pipe(Effect.catchTag("ProcessLockFailed", ({ detail }) => failed(detail)))
  const patient = attempt.pipe(
    Effect.retry({
      schedule: Schedule.spaced("50 millis").pipe(Schedule.jittered, Schedule.intersect(Schedule.recurUpTo(patience))),
      while: ({ _tag }) => _tag === "ProcessLockHeld"
    }),
    Effect.catchTag("ProcessLockHeld", () => failed(`another process has been changing images for ${Duration.format(Duration.decode(patience))}`))
  )
  const hold = <E>(first: Effect.Effect<ProcessLock.ProcessLock, E>) =>
    Effect.acquireRelease(
      one.withPermits(1)(Effect.interruptible(Effect.suspend(() => lock === undefined ? first : Effect.succeed(lock))).pipe(
        Effect.tap((held) =>
          Effect.sync(() => {
            lock = held
            holders += 1
          }))
      )),
      () =>
        Effect.suspend(() => {
          holders -= 1
          if (holders > 0 || lock === undefined) return Effect.void
          const { release } = lock
          lock = undefined
          return release
        })
    )
  return {
    take: Effect.asVoid(hold(patient)),
    tryTake: hold(attempt).pipe(Effect.as(true), Effect.catchTag("ProcessLockHeld", () => Effect.succeed(false)))
  }
}
