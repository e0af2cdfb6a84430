/** Which host the agent works on: the one it runs on, or a simulated one in its data directory. */
import { type CommandExecutor, FileSystem } from "@effect/platform"
import { ConnectedHost, HostServerProcess } from "@reddwarf/illumos-sim"
import { HostShutdown } from "@reddwarf/node-agent"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Data, Effect, Layer, Schema } from "effect"
import { existsSync } from "node:fs"
import { join, posix } from "node:path"
import { identity } from "./SessionHosting.js"

export const hosts = ["sim", "illumos"] as const
export type Host = (typeof hosts)[number]

export class HostUnusable extends Data.TaggedError("HostUnusable")<{ readonly message: string }> {}

const Remembered = Schema.parseJson(Schema.Struct({ host: Schema.Literal(...hosts) }))
const fileOf = (dataDir: string): string => join(dataDir, "host.json")

/** Notes in the data directory which host its agent works on, for the other commands. */
export const remember = (dataDir: string, host: Host) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(dataDir, { recursive: true, mode: 0o700 })
    const text = yield* Schema.encode(Remembered)({ host })
    yield* fs.writeFileString(fileOf(dataDir), `${text}\n`, { mode: 0o600 })
  }).pipe(Effect.mapError((cause) => new HostUnusable({ message: `${dataDir} cannot be used as data directory: ${cause.message}` })))

/** The host of the agent that the data directory belongs to. */
export const recall = (dataDir: string): Effect.Effect<Host, HostUnusable, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const text = yield* fs.readFileString(fileOf(dataDir))
    return (yield* Schema.decode(Remembered)(text)).host
  }).pipe(Effect.mapError(() => new HostUnusable({ message: `no agent has run with the data directory ${dataDir}: check --data-dir` })))

/** Refuses to take a machine that is not illumos for an illumos host. */
export const check = (host: Host): Effect.Effect<void, HostUnusable> =>
  host === "illumos" && process.platform !== "sunos"
    ? Effect.fail(new HostUnusable({ message: `this machine runs ${process.platform}, not illumos: give --host sim to work on a simulated host` }))
    : Effect.void

/** Where a simulated host is kept. */
export const directory = (dataDir: string): string => join(dataDir, "host")

/** Runs host commands. Those of a simulated host run in the process that serves it, when its agent has started one. */
export const commandRunner = (host: Host, dataDir: string) =>
  host === "sim" ? ConnectedHost.layer({ directory: directory(dataDir) }) : CommandRunner.layer

/** Runs the host commands of an agent: for a simulated host in a process of its own, as those of a real host are processes of their own. */
export const agentRunner = (host: Host, dataDir: string) =>
  host === "illumos" ? commandRunner(host, dataDir) : ConnectedHost.layer({
    directory: directory(dataDir),
    server: {
      identity: identity(),
      start: HostServerProcess.start({
        directory: directory(dataDir),
        command: [process.execPath, process.argv[1] ?? "", "simulated-host", "--data-dir", dataDir]
      })
    }
  })

/** Ends the process that serves the simulated host of an agent that has ended, as turning the machine off does. */
export const powerOff = (dataDir: string) =>
  Effect.flatMap(recall(dataDir), (host) => host === "sim" ? ConnectedHost.endServer(directory(dataDir)) : Effect.void)

/** Whether the machine goes down: the host itself, or the one on which it is simulated and whose end is that of its zones. */
export const goesDown = (host: Host) =>
  Effect.map(Effect.context<CommandExecutor.CommandExecutor | FileSystem.FileSystem>(), (platform) =>
    host === "illumos" || !existsSync("/run/systemd/system")
      ? HostShutdown.illumos
      : Effect.flatMap(HostShutdown.illumos, (down) =>
        down ? Effect.succeed(true) : Effect.provide(HostShutdown.systemd, Layer.provide(CommandRunner.layer, Layer.succeedContext(platform)))))

/** Where a path of the host is for this process. */
export const realPath = (host: Host, dataDir: string) => (path: string): string =>
  host === "sim" ? join(directory(dataDir), "root", posix.normalize(`/${path}`)) : path

/** As `realPath`, for whoever looks at the files of the agent as well: its data directory is one of this machine, whatever the host is. */
export const realPathBeside = (host: Host, dataDir: string) => {
  const own = posix.normalize(dataDir).replace(/\/$/, "")
  const ofHost = realPath(host, dataDir)
  return (path: string): string => path === own || path.startsWith(`${own}/`) ? path : ofHost(path)
}

/** The commands of the host that is remembered. */
export const rememberedRunner = (dataDir: string) =>
  Layer.unwrapEffect(Effect.map(recall(dataDir), (host) => commandRunner(host, dataDir)))
