/** Taking a host out of service while no agent runs: its pods stop, and nothing is forgotten. */
import type * as FileSystem from "@effect/platform/FileSystem"
import { type HostError, ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as durableFile from "../internal/durableFile.js"
import { attributeNames } from "../NodeAgentOptions.js"
import * as SessionHosts from "../session/SessionHosts.js"
import * as Supervisor from "../supervisor/Supervisor.js"
import { type SupervisorError, SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as Files from "../supervisor/SupervisorFiles.js"
import * as Paths from "../supervisor/SupervisorPaths.js"

/** @category models */
export interface Options {
  /** The agent's data directory. */
  readonly dataDir: string
  /** How long a zone may take to shut down before it is halted. Default 30 seconds. */
  readonly grace?: Duration.DurationInput
}

/** Ends the supervisor of a data directory, if one is alive. Containers do not notice. @category constructors */
export const endSupervisor = (dataDir: string): Effect.Effect<void, SupervisorError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    if (!(yield* Supervisor.isAlive(dataDir))) return
    const info = yield* durableFile.read(Paths.info(dataDir), Files.SupervisorInfoJson)
    if (Option.isNone(info)) return
    const { pid } = info.value
    const failed = (detail: string) => new SupervisorFileFailed({ operation: `end the supervisor (pid ${pid}) of`, path: dataDir, detail })
    yield* Effect.try({
      try: () => process.kill(pid, "SIGTERM"),
      catch: (cause) => failed(cause instanceof Error ? cause.message : String(cause))
    })
    yield* Supervisor.isAlive(dataDir).pipe(
      Effect.repeat({ while: (alive) => alive, schedule: Schedule.spaced("50 millis") }),
      Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => failed("it does not end") })
    )
  })

/**
 * Shuts down every zone that an agent made, and ends the supervisor first so that it starts nothing again, and what serves sessions last. All zones are tried; the first
 * failure is reported at the end. The next agent boots the zones and starts their containers again.
 *
 * @category constructors
 */
export const stopZones = (
  options: Options
): Effect.Effect<void, SupervisorError | HostError.HostError, FileSystem.FileSystem | ZoneRuntime.ZoneRuntime> =>
  Effect.gen(function*() {
    const zones = yield* ZoneRuntime.ZoneRuntime
    yield* endSupervisor(options.dataDir)
    const timeout = Duration.decode(options.grace ?? "30 seconds")
    const active = (yield* zones.list).filter(({ id, state }) => id !== 0 && (state === "running" || state === "ready"))
    const results = yield* Effect.forEach(
      active,
      ({ name }) =>
        Effect.gen(function*() {
          const attributes = yield* zones.attributes(name)
          if (attributes[attributeNames.owner] !== undefined) yield* zones.shutdown(name, { timeout })
        }).pipe(Effect.either),
      { concurrency: 8 }
    )
    // Those in the zones have ended with them.
    yield* SessionHosts.endAll(options.dataDir)
    for (const result of results) yield* result
  })
