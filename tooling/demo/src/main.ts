import { NodeContext, NodeRuntime } from "@effect/platform-node"
import type { CoreV1 } from "@reddwarf/api-types"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, HttpTransport, KubeConfig } from "@reddwarf/client"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { parse as parseYaml } from "yaml"
import { type Options, parse, repository, USAGE } from "./Options.ts"
import { keepRunning, type Managed, ProcessFailed, programs } from "./Processes.ts"
import { powerOff, startAgent, zoneStates } from "./SimulatedMachines.ts"
import { render, signature, zoneOf } from "./Table.ts"

const indices = (options: Options): ReadonlyArray<number> => Array.from({ length: options.nodes }, (_, index) => index)

const waitUntil = <E, R>(what: string, seconds: number, condition: Effect.Effect<boolean, E, R>) =>
  condition.pipe(
    Effect.orElseSucceed(() => false),
    Effect.repeat({ until: (ready) => ready, schedule: Schedule.spaced("100 millis") }),
    Effect.timeoutFail({ duration: `${seconds} seconds`, onTimeout: () => new ProcessFailed({ what, detail: `not within ${String(seconds)} s; see the logs directory` }) })
  )

const isReady = (node: CoreV1.Node): boolean => node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true

const applyExample = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const manifest = parseYaml(readFileSync(join(repository, "examples/hello.yaml"), "utf8")) as CoreV1.Pod
  yield* client.create(Kinds.pod, { ...manifest, metadata: { ...manifest.metadata, namespace: "default" } }).pipe(
    Effect.zipRight(Console.log("applied examples/hello.yaml")),
    Effect.catchTag("ApiError", (error) => error.reason === "AlreadyExists" ? Effect.void : Effect.fail(error))
  )
})

/** Prints the table whenever it changes: redrawn in place on a terminal, appended elsewhere. */
const showTable = (options: Options) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    let shown = ""
    let height = 0
    let zones: ReadonlyMap<string, string> = new Map()
    const states = Effect.forEach(indices(options), (index) => zoneStates(options, index)).pipe(
      Effect.map((maps) => new Map(maps.flatMap((map) => [...map]))),
      Effect.orElseSucceed(() => zones)
    )
    let known = ""
    const draw = Effect.gen(function*() {
      const { items } = yield* client.list(Kinds.pod)
      const now = yield* Clock.currentTimeMillis
      const pods = JSON.stringify(items.map((pod) => [zoneOf(pod), pod.status?.phase, pod.metadata.deletionTimestamp]))
      // Asking a host costs a process, so the zones are read only when some pod has moved or is about to.
      if (pods !== known || items.some((pod) => zones.get(zoneOf(pod) ?? "") !== "running")) zones = yield* states
      known = pods
      const lines = render(items, zones, now)
      if (signature(lines) === shown) return
      shown = signature(lines)
      const up = process.stdout.isTTY && height > 0 ? `\u001B[${String(height)}A\u001B[J` : ""
      yield* Effect.sync(() => process.stdout.write(`${up}${lines.join("\n")}\n${process.stdout.isTTY ? "" : "\n"}`))
      height = lines.length
    })
    // The server may be restarting; the next round shows the table again.
    yield* draw.pipe(Effect.catchAll(() => Effect.void), Effect.repeat(Schedule.spaced("1 second")))
  })

const demo = (options: Options) =>
  Effect.gen(function*() {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 })
    const kubeconfig = join(options.directory, "kubeconfig")
    // That of an earlier start may name another port; the server writes it anew.
    rmSync(kubeconfig, { force: true })
    yield* Console.log("starting the server")
    const server = yield* keepRunning(options.directory, "server", programs.server, [
      "serve", "--data-dir", join(options.directory, "server"), "--bind", `127.0.0.1:${String(options.port)}`, "--kubeconfig-out", kubeconfig
    ])
    const load = KubeConfig.load(kubeconfig)
    yield* Effect.raceFirst(server.failed, waitUntil("the server's kubeconfig", 60, Effect.as(load, true)))
    const clientLayer = ApiClient.layer.pipe(Layer.provide(HttpTransport.layer(yield* load)))
    yield* Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* Effect.raceFirst(server.failed, waitUntil("the server", 60, Effect.as(client.list(Kinds.namespace), true)))
      const agents: Array<Managed> = []
      for (const index of indices(options)) {
        yield* Console.log(`starting node-${String(index)} on a simulated illumos host`)
        yield* Effect.addFinalizer(() => Effect.catchAll(powerOff(options, index), (error) => Console.error(error.message)))
        agents.push(yield* startAgent(options, index))
      }
      const anyFailed = Effect.raceAll([server, ...agents].map(({ failed }) => failed))
      const nodesReady = Effect.map(client.list(Kinds.node), ({ items }) => items.filter(isReady).length >= options.nodes)
      yield* Effect.raceFirst(anyFailed, waitUntil("ready nodes", 90, nodesReady))
      yield* applyExample
      yield* Console.log([
        "",
        `kubeconfig: ${kubeconfig}`,
        "",
        `  export KUBECONFIG=${kubeconfig}`,
        "  kubectl get nodes -o wide",
        "  kubectl get pods -w",
        "  kubectl logs -f hello -c web",
        "  kubectl delete pod hello",
        "",
        "Ctrl-C stops everything; a second start continues with the same objects.",
        ""
      ].join("\n"))
      yield* Effect.raceFirst(anyFailed, showTable(options))
    }).pipe(Effect.provide(clientLayer))
  }).pipe(
    Effect.scoped,
    Effect.onInterrupt(() => Console.log("stopped"))
  )

const options = parse(process.argv.slice(2))
if (typeof options === "string") {
  process.stderr.write(options === "" ? USAGE : `${options}\n${USAGE}`)
  process.exit(options === "" ? 0 : 2)
}

demo(options).pipe(
  Effect.tapErrorTag("ProcessFailed", (error) => Console.error(error.message)),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    // Ctrl-C is how the demo ends: a clean stop is a success.
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause) ? 0 : 1)
  })
)
