/** Starts the server of a simulated host as a process of its own, which whoever starts it neither waits for nor ends. */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { HostNotServed } from "./HostServer.js"
import * as serverPlace from "./internal/serverPlace.js"

/** @category models */
export interface Options {
  /** Folder of the host. */
  readonly directory: string
  /** Program and arguments of a process that runs `HostServer.serve` for this host. */
  readonly command: readonly [program: string, ...args: ReadonlyArray<string>]
}

/** A log of more bytes is begun anew. */
const longestLog = 1024 * 1024

const logFlag = (file: string): "a" | "w" => (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > longestLog ? "w" : "a"

/**
 * Starts the process. The result waits for its end, and tells its exit status. What it says is in `server/server.log` below the directory of
 * the host. Two that are started at the same time are no harm: one of them serves, the other ends.
 *
 * @category constructors
 */
export const start = ({ command: [program, ...args], directory }: Options): Effect.Effect<Effect.Effect<string>, HostNotServed> =>
  Effect.async<Effect.Effect<string>, HostNotServed>((resume) => {
    const place = serverPlace.of(directory)
    const failed = (cause: unknown) =>
      new HostNotServed({ directory, reason: "InputOutput", detail: `${program} cannot be started: ${cause instanceof Error ? cause.message : String(cause)}` })
    try {
      serverPlace.prepare(place)
      const log = fs.openSync(place.log, logFlag(place.log), 0o600)
      // A session of its own: what ends the terminal or process group of whoever starts it does not reach it.
      const child = spawn(program, args, { detached: true, stdio: ["ignore", log, log], cwd: "/" })
      fs.closeSync(log)
      child.once("error", (cause) => resume(Effect.fail(failed(cause))))
      child.once("spawn", () => {
        child.unref()
        const status = () => child.signalCode ?? `exit status ${child.exitCode}`
        resume(Effect.succeed(Effect.async<string>((resume) => {
          if (child.exitCode !== null || child.signalCode !== null) resume(Effect.sync(status))
          else child.once("exit", () => resume(Effect.sync(status)))
        })))
      })
    } catch (cause) {
      resume(Effect.fail(failed(cause)))
    }
  })
