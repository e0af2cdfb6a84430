/**
 * Everything checks learn about their host comes through here: files, commands, connections, name servers. One door, so that checks of both
 * platforms are tested on either.
 */
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"
import { connect as connectSocket } from "node:net"
import { cpus, hostname, loadavg } from "node:os"
import * as FileProbe from "./FileProbe.js"
import type { HealthMetrics } from "./HealthMetrics.js"
import * as HttpProbe from "./HttpProbe.js"
import * as Resolver from "./Resolver.js"

/** Where a connection goes. @category models */
export type Target = { readonly host: string; readonly port: number } | { readonly path: string }

/** @category models */
export type Platform = "illumos" | "linux"

/**
 * What a host lets one see.
 *
 * @category services
 */
export class HostReader extends Context.Tag("@reddwarf/node-health/HostReader")<HostReader, {
  readonly platform: Platform
  /** A file of the kernel (`/proc`, `/sys`, `/etc/mnttab`) as text; undefined when it cannot be read. Such reads touch no disk. */
  readonly kernelFile: (path: string) => Effect.Effect<string | undefined>
  /** Files on disks, by child processes. */
  readonly files: FileProbe.FileProbe
  /** Runs a command to its end; it is killed at its time limit. */
  readonly run: (line: CommandLine.CommandLine, timeout: Duration.DurationInput) => Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable>
  /** Opens a connection and closes it again; fails with a short code such as `ECONNREFUSED`. */
  readonly connect: (target: Target) => Effect.Effect<void, string>
  readonly get: (url: string) => Effect.Effect<HttpProbe.HttpAnswer, HttpProbe.HttpFailed>
  /** Asks one name server for a name. */
  readonly ask: (server: string, name: string, timeoutMillis: number) => Effect.Effect<void, Resolver.NoAnswer>
  /** Whether a process with this id exists. */
  readonly isRunning: (pid: number) => boolean
  /** Runnable processes for each CPU, averaged over a minute. */
  readonly load: () => number
  readonly hostname: string
}>() {}

/** @category models */
export type Service = Context.Tag.Service<HostReader>

const connect = (target: Target): Effect.Effect<void, string> =>
  Effect.async<void, string>((resume) => {
    const socket = connectSocket(target)
    socket.once("connect", () => {
      resume(Effect.void)
      socket.destroy()
    })
    socket.on("error", (error) => resume(Effect.fail("code" in error && typeof error.code === "string" ? error.code : error.message)))
    return Effect.sync(() => void socket.destroy())
  })

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // A process of another user is a process.
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

/** @category models */
export interface Options {
  readonly metrics: HealthMetrics
  /** Default that of the machine. */
  readonly platform?: Platform
  /** Where this process finds a file of the host. Default the path itself. */
  readonly realPath?: (path: string) => string
  /** How children for file probes are started. */
  readonly startProbe?: FileProbe.Start
}

/** Kernel files only: anything else would be a read from a disk on the thread that answers. */
const isKernelFile = (path: string): boolean => /^\/(proc|sys)\//.test(path) || path === "/etc/mnttab"

/**
 * The host this process runs on, with commands by the runner.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<HostReader, never, CommandRunner.CommandRunner> =>
  Layer.effect(
    HostReader,
    Effect.map(CommandRunner.CommandRunner, (runner) => {
      const realPath = options.realPath ?? ((path: string) => path)
      const files = FileProbe.make(options.metrics, options.startProbe)
      return HostReader.of({
        platform: options.platform ?? (process.platform === "sunos" ? "illumos" : "linux"),
        kernelFile: (path) =>
          Effect.sync(() => {
            if (!isKernelFile(path)) return undefined
            try {
              return readFileSync(realPath(path), "utf8")
            } catch {
              return undefined
            }
          }),
        files: {
          ...files,
          write: (folder) => files.write(realPath(folder)),
          space: (path) => files.space(realPath(path))
        },
        run: (line, timeout) => runner.run(CommandLine.withTimeout(line, timeout)),
        connect,
        get: (url) => HttpProbe.get(url),
        ask: Resolver.ask,
        isRunning,
        load: () => (loadavg()[0] ?? 0) / Math.max(1, cpus().length),
        hostname: hostname()
      })
    })
  )

/** What a scripted host answers; what is not given cannot be seen. @category testing */
export interface Script extends Partial<Omit<Service, "platform">> {
  readonly platform: Platform
}

const hang = (path: string) => new FileProbe.ProbeFailed({ path, code: "ENOENT", detail: "no such file" })

/**
 * A scripted host.
 *
 * @category testing
 */
export const of = (script: Script): Service => ({
  kernelFile: () => Effect.succeed(undefined),
  files: {
    write: () => Effect.void,
    space: (path) => Effect.fail(hang(path)),
    read: (path) => Effect.fail(hang(path)),
    save: () => Effect.void,
    remove: () => Effect.void,
    stuck: () => 0
  },
  run: (line) => new CommandRunner.CommandUnavailable({ program: line.program, args: [...line.args], reason: "NotFound", detail: "no such program" }),
  connect: () => Effect.fail("ECONNREFUSED"),
  get: (url) => new HttpProbe.HttpFailed({ url, code: "ECONNREFUSED" }),
  ask: (server) => new Resolver.NoAnswer({ server, code: "TIMEOUT" }),
  isRunning: () => false,
  load: () => 0,
  hostname: "node-1",
  ...script
})

/** @category testing */
export const layerTest = (script: Script): Layer.Layer<HostReader> => Layer.succeed(HostReader, of(script))
