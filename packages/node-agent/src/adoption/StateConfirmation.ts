/** How an operator tells a running agent that an API whose state went back is right: a file in the data directory. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as durableFile from "../internal/durableFile.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type { DeletionGuard } from "./DeletionGuard.js"

const pathOf = (dataDir: string): string => `${dataDir}/ledger/confirmed`

/**
 * Says that what the API wants now is right, although its state went back. The agent acts on it with its next pass.
 *
 * @category constructors
 */
export const give = (dataDir: string): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(`${dataDir}/ledger`, { recursive: true, mode: 0o700 }).pipe(Effect.mapError(durableFile.failed("create", `${dataDir}/ledger`)))
    yield* durableFile.write(pathOf(dataDir), "")
  })

/** @category models */
export interface StateConfirmation {
  /** Takes a confirmation that was given since. */
  readonly look: Effect.Effect<void>
}

/** @category constructors */
export const make = (dataDir: string, guard: DeletionGuard): Effect.Effect<StateConfirmation, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => ({
    look: Effect.gen(function*() {
      if (!(yield* fs.exists(pathOf(dataDir)))) return
      // One that was given before anything went back does not count for the next time.
      yield* fs.remove(pathOf(dataDir))
      guard.confirmRewind()
      yield* Effect.logInfo("an operator has confirmed the state of the API")
    }).pipe(Effect.catchAll((error) => Effect.logWarning("whether an operator has confirmed the state of the API cannot be read", error)))
  }))
