/** `reddwarf-agent node-health`: the health endpoint for external load balancers, a process of its own. */
import { Args, Command, Options } from "@effect/cli"
import type { FileSystem, Path } from "@effect/platform"
import { Program } from "@reddwarf/cli"
import { NodeCompanions, SmfCompanions, SystemdCompanions } from "@reddwarf/node-agent"
import { Drain, FileProbe, HealthConfig, HealthMetrics, HostReader, LogSink, NodeHealth } from "@reddwarf/node-health"
import { SmfManifest } from "@reddwarf/runtime-illumos"
import { Console, Context, Data, Effect, Layer, Option, Queue, type Scope } from "effect"
import { resolve } from "node:path"
import { parse as parseYaml } from "yaml"
import * as HeapLimits from "./HeapLimits.js"
import * as Host from "./Host.js"
import * as NodeHealthConnection from "./NodeHealthConnection.js"
import { flags, stateDir, toSettings } from "./NodeHealthFlags.js"
import * as SecondSignal from "./SecondSignal.js"
import { dataDir, options as run } from "./RunSettings.js"

class SettingsUnreadable extends Data.TaggedError("SettingsUnreadable")<{ readonly message: string }> {}

/** Resolves with each SIGHUP. */
const hangups: Effect.Effect<Effect.Effect<void>, never, Scope.Scope> = Effect.flatMap(Queue.sliding<void>(1), (queue) =>
  Effect.as(
    Effect.acquireRelease(
      Effect.sync(() => {
        const listener = () => void queue.unsafeOffer(undefined)
        process.on("SIGHUP", listener)
        return listener
      }),
      (listener) => Effect.sync(() => void process.off("SIGHUP", listener))
    ),
    Queue.take(queue)
  ))

/** The settings as they are now. The file is read by a child process: its disk may hang, and this process must not. */
const load = (file: string | undefined, files: FileProbe.FileProbe, given: Readonly<Record<string, unknown>>) =>
  Effect.gen(function*() {
    if (file === undefined) return HealthConfig.layers(undefined, process.env, given)
    const text = yield* FileProbe.within(files.read(file), file, 10_000).pipe(Effect.mapError(({ message }) => new SettingsUnreadable({ message: `settings ${message}` })))
    const raw = yield* Effect.try({
      try: (): unknown => parseYaml(text),
      catch: (cause) => new SettingsUnreadable({ message: `settings ${file} are neither YAML nor JSON: ${cause instanceof Error ? cause.message : String(cause)}` })
    })
    return HealthConfig.layers(raw, process.env, given)
  })

const serve = Command.make("node-health", flags, (given) => {
  const metrics = HealthMetrics.make()
  return Effect.gen(function*() {
    const folder = Option.getOrUndefined(given.agentDataDir)
    if (given.host === "sim" && folder === undefined) return yield* Program.wrongUsage("--host sim needs --agent-data-dir: the simulated host is in there")
    const sim = given.host === "sim" && folder !== undefined ? folder : undefined
    const host = HostReader.layer({
      metrics,
      ...(sim === undefined ? {} : { platform: "illumos" as const, realPath: Host.realPathBeside("sim", sim) })
    }).pipe(Layer.provide(Host.commandRunner(sim === undefined ? "illumos" : "sim", sim ?? "/")))
    const files = FileProbe.make(metrics)
    const file = Option.getOrUndefined(Option.map(given.settings, (path) => resolve(path)))
    const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    const connect = NodeHealthConnection.of(process.env)
    return yield* NodeHealth.run({
      metrics,
      load: load(file, files, toSettings(given)),
      connection: (config) => Effect.mapInputContext(connect(config), (scope: Context.Context<Scope.Scope>) => Context.merge(context, scope)),
      reloads: yield* hangups,
      hurry: yield* SecondSignal.make
    }).pipe(Effect.provide(host))
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(HeapLimits.supervisor, LogSink.layer(metrics, LogSink.levelOf(process.env["REDDWARF_LOG"])))))
}).pipe(Command.withDescription("Tell load balancers whether this node should get traffic: GET /health"))

/** Sends a command to the running endpoint and prints what it says. */
const told = (folder: Option.Option<string>, command: Drain.Command) =>
  Effect.flatMap(Drain.send(Option.getOrElse(folder, () => HealthConfig.defaults.state_dir), command), ({ message, ok }) =>
    Effect.zipRight(Console.log(message), Effect.sync(() => {
      if (!ok) process.exitCode = 1
    })))

const drain = Command.make("drain", { stateDir, reason: Args.text({ name: "reason" }).pipe(Args.repeated) }, ({ reason, stateDir }) =>
  told(stateDir, { command: "drain", reason: reason.join(" ") })).pipe(Command.withDescription("Take this node out of rotation until undrain, also over restarts"))
const undrain = Command.make("undrain", { stateDir }, ({ stateDir }) => told(stateDir, { command: "undrain" })).pipe(Command.withDescription("Let the checks decide again"))
const status = Command.make("status", { stateDir }, ({ stateDir }) => told(stateDir, { command: "status" })).pipe(Command.withDescription("Say what balancers are told now"))
const reload = Command.make("reload", { stateDir }, ({ stateDir }) => told(stateDir, { command: "reload" })).pipe(Command.withDescription("Read the settings again, as SIGHUP does"))

const manifest = Command.make("manifest", {
  format: Options.choice("format", ["smf", "systemd"] as const).pipe(Options.withDefault("smf" as const), Options.withDescription("the service manager")),
  node: Options.text("node").pipe(Options.withDefault(process.execPath), Options.withDescription("Node.js on the host")),
  program: Options.text("program").pipe(Options.withDefault(process.argv[1] ?? "/usr/lib/reddwarf/reddwarf-agent.js"), Options.withDescription("reddwarf-agent.js on the host")),
  nodeName: run.nodeName,
  kubeconfig: Options.text("kubeconfig").pipe(Options.withDefault("/etc/reddwarf/node-health.kubeconfig"), Options.withDescription("credentials that may read the own Node")),
  settings: Options.text("settings").pipe(Options.optional, Options.withDescription("settings of the endpoint")),
  dataDir
}, ({ dataDir, format, kubeconfig, node, nodeName, program, settings }) =>
  Effect.gen(function*() {
    const companion = NodeCompanions.nodeHealth({ node, program, nodeName, kubeconfig, dataDir, ...(Option.isSome(settings) ? { config: settings.value } : {}) })
    // No cluster's: an agent that keeps its own must not take this one for it.
    const owner = { clusterId: "operator" }
    const text = format === "systemd"
      ? (yield* SystemdCompanions.render(companion, owner)).content
      : (yield* SmfManifest.render(SmfCompanions.manifestOf(companion, owner))).xml
    yield* Console.log(text.trimEnd())
  })).pipe(Command.withDescription("Print the service of this endpoint, for nodes whose agent runs with --companions none"))

export const nodeHealth = serve.pipe(Command.withSubcommands([drain, undrain, status, reload, manifest]))
