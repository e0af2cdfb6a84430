/** Starts the supervisor as a process of its own, which the agent neither waits for nor ends. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as Supervisor from "./Supervisor.js"
import { SupervisorFileFailed } from "./SupervisorError.js"
import * as Paths from "./SupervisorPaths.js"

/** @category models */
export interface Options {
  readonly dataDir: string
  /** Program and arguments of a process that runs `Supervisor.run` for this data directory. */
  readonly command: readonly [program: string, ...args: ReadonlyArray<string>]
}

const launch = ({ command: [program, ...args], dataDir }: Options): Effect.Effect<void, SupervisorFileFailed> => {
  const path = `${Paths.root(dataDir)}/supervisor.log`
  const failed = (cause: unknown) =>
    new SupervisorFileFailed({
      operation: `start the supervisor (${program}) with the log`,
      path,
      detail: cause instanceof Error ? cause.message : String(cause)
    })
  return Effect.async<void, SupervisorFileFailed>((resume) => {
    try {
      fs.mkdirSync(Paths.root(dataDir), { recursive: true, mode: 0o700 })
      const log = fs.openSync(path, "a", 0o600)
      // A session of its own: what ends the agent's terminal or process group does not reach it.
      const child = spawn(program, args, { detached: true, stdio: ["ignore", log, log], cwd: "/" })
      fs.closeSync(log)
      child.once("error", (cause) => resume(Effect.fail(failed(cause))))
      child.once("spawn", () => {
        child.unref()
        resume(Effect.logInfo("started the supervisor").pipe(Effect.annotateLogs({ pid: child.pid ?? 0, log: path })))
      })
    } catch (cause) {
      resume(Effect.fail(failed(cause)))
    }
  })
}

/**
 * Starts a supervisor unless one is alive for the data directory. Two that are started at the same time are no harm: one of them gets the
 * lock, the other ends.
 *
 * @category constructors
 */
export const ensure = (options: Options): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.flatMap(Supervisor.isAlive(options.dataDir), (alive) => alive ? Effect.void : launch(options))
