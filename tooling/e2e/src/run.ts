import { spawn } from "node:child_process"
import type { Writable } from "node:stream"

/** What a finished command left. */
export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command that still runs; `stdout` grows. */
export interface Running {
  readonly stdout: () => string
  readonly stderr: () => string
  readonly done: Promise<Finished>
  readonly kill: (signal: NodeJS.Signals) => void
  /** Its input, for a command that was started with `talk`; ended for every other one. */
  readonly input: Writable
}

export const startCommand = (
  program: string,
  args: ReadonlyArray<string>,
  options: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string; readonly cwd?: string; readonly talk?: boolean } = {}
): Running => {
  const child = spawn(program, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ["pipe", "pipe", "pipe"] })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => { stdout += text })
  child.stderr.setEncoding("utf8").on("data", (text: string) => { stderr += text })
  child.stdin.on("error", () => { /* the command ended without reading its input */ })
  if (options.talk !== true) child.stdin.end(options.stdin ?? "")
  const done = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
  return { stdout: () => stdout, stderr: () => stderr, done, kill: (signal) => { child.kill(signal) }, input: child.stdin }
}
