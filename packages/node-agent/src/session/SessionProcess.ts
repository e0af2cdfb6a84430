/** Starts a session host as a process of its own, which the agent neither waits for nor ends. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import * as Control from "./SessionControl.js"
import { type SessionHostUnusable, unusable } from "./SessionError.js"

/** @category models */
export interface Options {
  readonly dataDir: string
  /** Program and arguments of a process that runs `SessionHost.run` for this data directory; the name of the socket is added. */
  readonly command: readonly [program: string, ...args: ReadonlyArray<string>]
}

/** A log of more bytes is begun anew. */
const longestLog = 1024 * 1024

const logFlag = (path: string): "a" | "w" => (fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0) > longestLog ? "w" : "a"

/**
 * Starts a process that listens on the socket of this name. The folder of sockets must exist. The result resolves when the process has ended,
 * whatever ended it.
 *
 * @category constructors
 */
export const start = ({ command: [program, ...args], dataDir }: Options) => (socket: string): Effect.Effect<Effect.Effect<void>, SessionHostUnusable> =>
  Effect.async<Effect.Effect<void>, SessionHostUnusable>((resume) => {
    const path = join(Control.folder(dataDir), "sessions.log")
    const failed = unusable(`start a session host (${program}) with the log`, path)
    try {
      const log = fs.openSync(path, logFlag(path), 0o600)
      // A session of its own: what ends the agent's terminal or process group does not reach it.
      const child = spawn(program, [...args, socket], { detached: true, stdio: ["ignore", log, log], cwd: "/" })
      fs.closeSync(log)
      child.once("error", (cause) => resume(Effect.fail(failed(cause))))
      child.once("spawn", () => {
        child.unref()
        const ended = Effect.async<void>((resume) => {
          if (child.exitCode !== null || child.signalCode !== null) resume(Effect.void)
          else child.once("exit", () => resume(Effect.void))
        })
        resume(Effect.succeed(ended))
      })
    } catch (cause) {
      resume(Effect.fail(failed(cause)))
    }
  })
