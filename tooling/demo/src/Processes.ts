/** The server and agent processes: each on its own, with a pid file and a log, started again when it dies. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { repository } from "./Options.ts"

export class ProcessFailed extends Data.TaggedError("ProcessFailed")<{ readonly what: string; readonly detail: string }> {
  override get message(): string {
    return `${this.what}: ${this.detail}`
  }
}

export const programs = {
  server: join(repository, "apps/server/dist/reddwarf-server.js"),
  agent: join(repository, "apps/agent/dist/reddwarf-agent.js")
}

export interface Managed {
  readonly name: string
  /** Fails when the process cannot be kept running. */
  readonly failed: Effect.Effect<never, ProcessFailed>
  /** Ends the process with SIGTERM (SIGKILL after 90 s) and does not start it again. */
  readonly stop: Effect.Effect<void>
}

const logTail = (directory: string, name: string): string =>
  readFileSync(join(directory, "logs", `${name}.log`), "utf8").trimEnd().split("\n").slice(-15).join("\n")

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const pidFile = (directory: string, name: string): string => join(directory, "run", `${name}.pid`)

/** A process of an earlier demo on this directory that nobody stopped, recognised by its command line. */
const survivor = (directory: string, name: string): number | undefined => {
  const file = pidFile(directory, name)
  if (!existsSync(file)) return undefined
  const pid = Number(readFileSync(file, "utf8").trim())
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return undefined
  const args = spawnSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" }).stdout
  return args.includes(directory) ? pid : undefined
}

const stopSurvivor = (directory: string, name: string) =>
  Effect.gen(function*() {
    const pid = survivor(directory, name)
    if (pid === undefined) return
    yield* Effect.sync(() => process.stdout.write(`${name} of an earlier demo still runs (pid ${String(pid)}); stopping it\n`))
    yield* Effect.sync(() => process.kill(pid, "SIGTERM"))
    yield* Effect.sync(() => isAlive(pid)).pipe(
      Effect.repeat({ while: (alive) => alive, schedule: Schedule.spaced("100 millis") }),
      Effect.timeoutFail({ duration: "90 seconds", onTimeout: () => new ProcessFailed({ what: name, detail: `pid ${String(pid)} does not stop` }) })
    )
  })

const exited = (child: ChildProcess): Effect.Effect<string> =>
  Effect.async((resume) => {
    const done = () => resume(Effect.succeed(child.signalCode ?? `exit status ${String(child.exitCode)}`))
    if (child.exitCode !== null || child.signalCode !== null) done()
    else child.once("exit", done)
  })

/** Starts a program under its name and keeps it running until `stop` or the end of the scope. */
export const keepRunning = (
  directory: string,
  name: string,
  program: string,
  args: ReadonlyArray<string>
): Effect.Effect<Managed, ProcessFailed, Scope.Scope> =>
  Effect.gen(function*() {
    yield* stopSurvivor(directory, name)
    for (const folder of ["run", "logs"]) mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 })
    let child: ChildProcess | undefined
    let stopping = false

    const start = Effect.sync(() => {
      const log = openSync(join(directory, "logs", `${name}.log`), "a", 0o600)
      // A process group of its own: Ctrl-C must reach the demo alone, which then stops the others in order.
      child = spawn(process.execPath, [program, ...args], { cwd: repository, detached: true, stdio: ["ignore", log, log] })
      closeSync(log)
      writeFileSync(pidFile(directory, name), `${String(child.pid)}\n`)
      return child
    })
    let quickDeaths = 0
    const once = Effect.flatMap(start, exited).pipe(
      Effect.timed,
      Effect.flatMap(([lived, how]) =>
        Effect.suspend(() => {
          if (stopping) return Effect.void
          quickDeaths = Duration.lessThan(lived, "5 seconds") ? quickDeaths + 1 : 0
          if (quickDeaths > 3) return new ProcessFailed({ what: name, detail: `ended with ${how} again and again; its log ends with\n${logTail(directory, name)}` })
          return Effect.sync(() => process.stdout.write(`${name} ended with ${how}; starting it again\n`))
        }))
    )
    const fiber = yield* Effect.forkScoped(
      once.pipe(Effect.repeat({ while: () => !stopping, schedule: Schedule.spaced("1 second") }))
    )
    const stop = Effect.gen(function*() {
      stopping = true
      if (child === undefined) return
      const running = child
      running.kill("SIGTERM")
      yield* exited(running).pipe(
        Effect.timeoutTo({
          duration: "90 seconds",
          onSuccess: () => undefined,
          onTimeout: () => { running.kill("SIGKILL") }
        })
      )
      yield* Fiber.interrupt(fiber)
      rmSync(pidFile(directory, name), { force: true })
    })
    yield* Effect.addFinalizer(() => stop)
    return { name, stop, failed: Effect.zipRight(Fiber.join(fiber), Effect.never) }
  })

/** Runs a program of ours to its end and gives its standard output. */
export const runProgram = (program: string, args: ReadonlyArray<string>): Effect.Effect<string, ProcessFailed> =>
  Effect.async((resume) => {
    const child = spawn(process.execPath, [program, ...args], { cwd: repository, stdio: ["ignore", "pipe", "pipe"] })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => { stdout += text })
    child.stderr.setEncoding("utf8").on("data", (text: string) => { stderr += text })
    child.once("error", (error) => resume(new ProcessFailed({ what: program, detail: error.message })))
    child.once("close", (code) =>
      resume(code === 0 ? Effect.succeed(stdout) : new ProcessFailed({ what: `${program} ${args[0] ?? ""}`, detail: `exit status ${String(code)}: ${stderr.trim()}` })))
    return Effect.sync(() => { child.kill("SIGKILL") })
  })
