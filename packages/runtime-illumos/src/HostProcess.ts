/**
 * A program of the host that runs while others talk to it: live streams, its end, and a way to end it.
 *
 * Node streams and child processes as they are, because their bytes go on to sockets: a chunk is not worth an effect here.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn as spawnChild } from "node:child_process"
import { existsSync } from "node:fs"
import { constants } from "node:os"
import { PassThrough, type Readable, type Writable } from "node:stream"
import { quote } from "./internal/shell.js"

/**
 * A running program.
 *
 * @category models
 */
export interface HostProcess {
  /** What the program reads. Ending it is the end of its standard input; writing to a program that is gone is no error. */
  readonly stdin: Writable
  /** What the program prints. Both must be read, or the program stops when a pipe is full. In a terminal everything is on `stdout`. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** Waits for its end: exit status, or `128 + n` when signal `n` ended it. */
  readonly exit: Effect.Effect<number>
  /** Kills the program and everything in its process group. */
  readonly kill: Effect.Effect<void>
}

/**
 * What to start.
 *
 * @category models
 */
export interface SpawnOptions {
  readonly program: string
  readonly args: ReadonlyArray<string>
  /** All of the environment. */
  readonly environment: NodeJS.ProcessEnv
  readonly workingDirectory?: string
}

/**
 * The program could not be started.
 *
 * @category errors
 */
export class SpawnFailed extends Data.TaggedError("SpawnFailed")<{
  readonly reason: "NotFound" | "PermissionDenied" | "Failed"
  readonly message: string
}> {}

/** Why there is no terminal. @category models */
export const noTerminal = "no terminal can be had on this machine: script(1) of util-linux is not installed"

const terminalProgram = "/usr/bin/script"

/** Whether this machine can give programs terminals. @category combinators */
export const hasTerminals = (): boolean => process.platform === "linux" && existsSync(terminalProgram)

/**
 * The same program on a pseudo-terminal of its own, by script(1) of util-linux. None on machines that do not have it: Node itself cannot
 * make terminals.
 *
 * @category combinators
 */
export const inTerminal = (options: SpawnOptions): SpawnOptions | undefined => {
  if (!hasTerminals()) return undefined
  const shell = options.environment["SHELL"]
  // script(1) runs its command by $SHELL, which need not exist on this machine.
  const restored = shell === undefined ? "unset SHELL" : `SHELL=${quote(shell)}; export SHELL`
  const command = `${restored}; exec ${[options.program, ...options.args].map(quote).join(" ")}`
  return {
    ...options,
    program: terminalProgram,
    args: ["-qefc", command, "/dev/null"],
    environment: { ...options.environment, SHELL: "/bin/sh" }
  }
}

/**
 * Starts the program as the leader of a session of its own, with pipes. Synchronous: the pid is known, or absent, when it returns.
 *
 * @category constructors
 */
export const unsafeSpawn = (options: SpawnOptions): ChildProcess =>
  spawnChild(options.program, options.args, {
    env: options.environment,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    ...(options.workingDirectory === undefined ? {} : { cwd: options.workingDirectory })
  })

const signalNumber = (signal: NodeJS.Signals | null): number => signal === null ? 127 : constants.signals[signal]

const isOver = (child: ChildProcess): boolean => child.pid === undefined || child.exitCode !== null || child.signalCode !== null

const killGroup = (child: ChildProcess): void => {
  if (child.pid === undefined || isOver(child)) return
  try {
    process.kill(-child.pid, "SIGKILL")
  } catch {
    // It ended in this moment.
  }
}

const ignore = (): void => undefined

const none = (): PassThrough => {
  const stream = new PassThrough()
  stream.end()
  return stream
}

/**
 * A child process as a `HostProcess`, for as long as the scope lives: then it is killed with its process group. Its three streams must be
 * pipes.
 *
 * @category constructors
 */
export const fromChild = (child: ChildProcess): Effect.Effect<HostProcess, SpawnFailed, Scope.Scope> =>
  Effect.gen(function*() {
    // A peer that goes away is seen as the end of a stream; nobody has to hear of it as an error as well.
    for (const stream of child.stdio) stream?.on("error", ignore)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        killGroup(child)
        for (const stream of child.stdio) stream?.destroy()
      }).pipe(Effect.zipRight(Effect.ignore(Effect.timeout(exit, "2 seconds"))))
    )
    const exit = Effect.async<number>((resume) => {
      const status = () => child.exitCode ?? 128 + signalNumber(child.signalCode)
      if (isOver(child)) return resume(Effect.sync(status))
      const done = () => resume(Effect.sync(status))
      child.once("exit", done)
      return Effect.sync(() => void child.off("exit", done))
    })
    yield* Effect.async<void, SpawnFailed>((resume) => {
      child.once("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code === "ENOENT" ? "NotFound" : error.code === "EACCES" ? "PermissionDenied" : "Failed"
        resume(new SpawnFailed({ reason, message: error.message }))
      })
      if (child.pid !== undefined) resume(Effect.void)
    })
    return {
      stdin: child.stdin ?? none(),
      stdout: child.stdout ?? none(),
      stderr: child.stderr ?? none(),
      exit,
      kill: Effect.sync(() => killGroup(child))
    }
  })

/**
 * Starts a program. It is killed with its process group when the scope closes.
 *
 * @category constructors
 */
export const spawn = (options: SpawnOptions): Effect.Effect<HostProcess, SpawnFailed, Scope.Scope> =>
  Effect.uninterruptibleMask(() =>
    Effect.flatMap(
      Effect.try({
        try: () => unsafeSpawn(options),
        catch: (cause) => new SpawnFailed({ reason: "Failed", message: cause instanceof Error ? cause.message : String(cause) })
      }),
      fromChild
    )
  )
