/** One supervisor per data directory. */
import { ProcessLock } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SupervisorFileFailed, SupervisorRunning } from "../supervisor/SupervisorError.js"

/** Holds the lock until the scope closes. */
export const acquire = (
  dataDir: string,
  path: string
): Effect.Effect<void, SupervisorRunning | SupervisorFileFailed, Scope.Scope> =>
  ProcessLock.acquire(path).pipe(Effect.catchTags({
    ProcessLockHeld: () => new SupervisorRunning({ dataDir }),
    ProcessLockFailed: ({ detail }) => new SupervisorFileFailed({ operation: "lock", path, detail })
  }))

/** Whether somebody holds the lock. */
export const isHeld = (dataDir: string, path: string): Effect.Effect<boolean, SupervisorFileFailed> =>
  Effect.scoped(acquire(dataDir, path)).pipe(
    Effect.as(false),
    Effect.catchTag("SupervisorRunning", () => Effect.succeed(true))
  )
