/** A node for tests: the real agent over a simulated host and an API server in memory, with real processes. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import type { CoreV1 } from "@reddwarf/api-types"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, type ClientError, FakeApi } from "@reddwarf/client"
import { SimulatedHost, type StateFile } from "@reddwarf/illumos-sim"
import { Ipam, type IpamError } from "@reddwarf/ipam"
import type { PlanError } from "@reddwarf/plans"
import { type CommandRunner, NetworkRuntime, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { DatasetName, StorageEngine, type StorageError } from "@reddwarf/storage-zfs"
import type * as FileSystem from "@effect/platform/FileSystem"
import { type KubeletApi, NodeAgent, PodSandbox, Supervisor, type SupervisorError, SupervisorFiles, SupervisorPaths } from "@reddwarf/node-agent"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export const nodeName = "n1"

/** Folders of one test, removed at its end. */
export const directories = Effect.acquireRelease(
  Effect.sync(() => {
    const root = mkdtempSync(join(tmpdir(), "reddwarf-agent-"))
    const dataDir = join(root, "data")
    mkdirSync(dataDir)
    return { root, dataDir, hostDir: join(root, "host") }
  }),
  ({ root }) => Effect.sync(() => rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }))
)
export type Directories = Effect.Effect.Success<typeof directories>

/** Why a simulated host does not come up. */
export type HostFailure =
  | IpamError.InvalidPool
  | IpamError.LeaseFileCorrupt
  | IpamError.LeaseStorageFailed
  | StateFile.StateUnavailable

/** The simulated host with everything on it that the agent needs. */
export const hostLayer = (folders: Directories, cidr = "10.88.0.0/24", ...moreCidrs: ReadonlyArray<string>): Layer.Layer<Exclude<World, ApiClient.ApiClient | FakeApi.FakeApi>, HostFailure> =>
  hostLayerOn(NodeContext.layer, folders, cidr, ...moreCidrs)

/** The same with other files, clocks and programs of the machine. */
export const hostLayerOn = (
  machine: typeof NodeContext.layer,
  { dataDir, hostDir }: Directories,
  cidr: string,
  ...moreCidrs: ReadonlyArray<string>
): Layer.Layer<Exclude<World, ApiClient.ApiClient | FakeApi.FakeApi>, HostFailure> => {
  const host = SimulatedHost.layerWithControls({ directory: hostDir, shutdownGrace: "200 millis" })
  const services = Layer.mergeAll(
    NetworkRuntime.layer,
    ZoneRuntime.layer,
    StorageEngine.layerZfs({ root: DatasetName.make("rpool/reddwarf") }),
    Ipam.layerFile({ pools: [{ cidr }, ...moreCidrs.map((more) => ({ cidr: more }))], path: join(dataDir, "leases.json") })
  )
  return services.pipe(Layer.provideMerge(host), Layer.provideMerge(machine))
}

export const agentOptions = ({ dataDir }: Directories, changes: Partial<NodeAgent.Options> = {}): NodeAgent.Options => ({
  nodeName,
  dataDir,
  clusterId: "test",
  nodeAddress: "127.0.0.1",
  backOff: { initialMillis: 1_000, maxMillis: 4_000, resetMillis: 600_000 },
  retryDelay: "50 millis",
  retryMaxDelay: "500 millis",
  resyncInterval: "1 second",
  orphanConfirmation: "300 millis",
  statusInterval: "500 millis",
  leaseInterval: "1 second",
  ...changes
})

/** What a test waited for did not come in time. */
export class WaitedInVain extends Data.TaggedError("WaitedInVain")<{
  readonly what: string
  readonly seconds: number
  /** What was seen last. */
  readonly last?: string
}> {
  override get message(): string {
    return `waited ${this.seconds} s in vain for ${this.what}${this.last === undefined ? "" : `; ${this.last}`}`
  }
}

/** Repeats `look` until it gives something, and fails with what it was waiting for when that takes too long. */
export const until = <A, E, R>(what: string, look: Effect.Effect<A | undefined, E, R>, seconds = 30): Effect.Effect<A, E | WaitedInVain, R> =>
  Effect.flatMap(look, (value) => value === undefined ? Effect.fail("not yet" as const) : Effect.succeed(value)).pipe(
    Effect.retry({ while: (error) => error === "not yet", schedule: pause, times: Math.ceil(seconds * 40) }),
    Effect.mapError((error) => error === "not yet" ? new WaitedInVain({ what, seconds }) : error)
  )
const pause = Schedule.spaced("25 millis")

/** A service that a test can end before its own end: as a program ends when it gets a signal, by the interruption of the fiber that runs it. */
export const startable = <A, E, R>(build: Effect.Effect<A, E, R | Scope.Scope>) =>
  Effect.gen(function*() {
    const started = yield* Deferred.make<A, E>()
    const fiber = yield* Effect.scoped(Effect.zipRight(Effect.tap(build, (value) => Deferred.succeed(started, value)), Effect.never)).pipe(
      Effect.onError((cause) => Deferred.failCause(started, cause)),
      Effect.interruptible,
      Effect.forkDaemon
    )
    yield* Effect.addFinalizer(() => Fiber.interrupt(fiber))
    return { value: yield* Deferred.await(started), stop: Effect.asVoid(Fiber.interrupt(fiber)) }
  })

/** What the host and the API of a test offer. */
export type World =
  | ApiClient.ApiClient
  | CommandRunner.CommandRunner
  | FakeApi.FakeApi
  | FileSystem.FileSystem
  | Ipam.Ipam
  | NetworkRuntime.NetworkRuntime
  | SimulatedHost.SimulatedHost
  | StorageEngine.StorageEngine
  | ZoneRuntime.ZoneRuntime

/** Something that a test started, and can end. */
export interface Started<A> {
  readonly value: A
  readonly stop: Effect.Effect<void>
}

/** Starts the agent. */
export const agent = (
  folders: Directories,
  changes: Partial<NodeAgent.Options> = {}
): Effect.Effect<
  Started<Context.Tag.Service<NodeAgent.NodeAgent>>,
  KubeletApi.ListenFailed | PlanError.LedgerFailed | PlanError.LedgerSchemaNewer | SupervisorError.SupervisorFileFailed,
  Scope.Scope | World
> =>
  startable(
    Effect.map(Layer.build(NodeAgent.layer(agentOptions(folders, changes))), (context) => Context.get(context, NodeAgent.NodeAgent))
  )

/** Runs the supervisor as a fiber of the test. */
export const supervisorFiber = ({ dataDir }: Directories): Effect.Effect<Started<unknown>, never, Scope.Scope | World> =>
  startable(Effect.forkScoped(Supervisor.run({ dataDir, pollInterval: "300 millis" })))

const entry = fileURLToPath(new URL("supervisorMain.ts", import.meta.url))
const hooks = new URL("sourceHooks.mjs", import.meta.url).href

/** Runs the supervisor as a process, which a test can kill. */
export const supervisorProcess = ({ dataDir, hostDir }: Directories) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["--conditions=source", "--import", hooks, entry, dataDir, hostDir], {
        detached: true,
        stdio: ["ignore", "ignore", process.env["DEBUG_SUPERVISOR"] === undefined ? "ignore" : "inherit"]
      })
      return { pid: child.pid ?? 0, child }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  ).pipe(
    Effect.tap(({ pid }) =>
      until(
        "the supervisor",
        Effect.sync(() => {
          const path = SupervisorPaths.info(dataDir)
          return existsSync(path) && JSON.parse(readFileSync(path, "utf8")).pid === pid ? true : undefined
        })
      )
    )
  )

export const killProcess = (child: { readonly child: ChildProcess }, signal: "SIGKILL" | "SIGSTOP") =>
  Effect.async<void>((resume) => {
    if (signal === "SIGSTOP") {
      child.child.kill(signal)
      return resume(Effect.void)
    }
    child.child.once("exit", () => resume(Effect.void))
    child.child.kill(signal)
  })

/** A test that fails in the middle leaves no processes behind either. */
export const emptyAtEnd: Effect.Effect<void, never, Scope.Scope | ZoneRuntime.ZoneRuntime> = Effect.flatMap(ZoneRuntime.ZoneRuntime, (zones) =>
  Effect.addFinalizer(() =>
    zones.list.pipe(
      Effect.flatMap(Effect.forEach(({ name }) => zones.ensureRemoved(name))),
      Effect.ignoreLogged
    )
  ))

/** A pod for this node. */
export const draft = (
  name: string,
  containers: ReadonlyArray<Partial<CoreV1.Container> & { readonly name: string }>,
  spec: Partial<CoreV1.PodSpec> = {}
): ApiClient.Draft<CoreV1.Pod> => ({
  metadata: { name, namespace: "default" },
  spec: {
    nodeName,
    terminationGracePeriodSeconds: 5,
    containers: containers.map((container) => ({ image: "busybox:1", ...container })),
    ...spec
  }
})

export const sh = (script: string): ReadonlyArray<string> => ["sh", "-c", script]

export const createPod = (
  pod: ApiClient.Draft<CoreV1.Pod>
): Effect.Effect<CoreV1.Pod, ClientError.ClientError, ApiClient.ApiClient> =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.create(Kinds.pod, pod))

export const getPod = (name: string) => Effect.map(FakeApi.FakeApi, (api) => api.get(Kinds.pod, { namespace: "default", name }))

/** Waits until the pod satisfies `test`, and gives it. */
export const untilPod = (name: string, what: string, test: (pod: CoreV1.Pod) => boolean, seconds = 30) =>
  Effect.gen(function*() {
    let last: CoreV1.Pod | undefined
    return yield* until(
      `pod ${name} to be ${what}`,
      Effect.map(getPod(name), (pod) => {
        last = pod
        return pod !== undefined && test(pod) ? pod : undefined
      }),
      seconds
    ).pipe(Effect.mapError(({ seconds, what }) => new WaitedInVain({ what, seconds, last: `its status is ${JSON.stringify(last?.status)}` })))
  })

export const isReady = (pod: CoreV1.Pod): boolean =>
  pod.status?.conditions?.some(({ status, type }) => type === "Ready" && status === "True") === true

export const container = (pod: CoreV1.Pod, name: string): CoreV1.ContainerStatus | undefined =>
  [...pod.status?.initContainerStatuses ?? [], ...pod.status?.containerStatuses ?? []].find((status) => status.name === name)

/** Text of all logs of an attempt, without their headers. */
export const logText = ({ dataDir }: Directories, pod: CoreV1.Pod, name: string, attempt: number): string => {
  const directory = join(dataDir, "logs/pods", `default_${pod.metadata.name}_${pod.metadata.uid}`, name)
  if (!existsSync(directory)) return ""
  const files = readdirSync(directory).filter((file) => file.startsWith(`${attempt}.log`))
  const number = (file: string) => Number(file.slice(`${attempt}.log.`.length)) || Number.MAX_SAFE_INTEGER
  return plain(files.sort((a, b) => number(a) - number(b)).map((file) => readFileSync(join(directory, file), "utf8")).join(""))
}

/** The text of CRI records. */
export const plain = (records: string): string =>
  records.split("\n").filter((line) => line !== "").map((line) => {
    const [, , tag = "", ...rest] = line.split(" ")
    return `${rest.join(" ")}${tag === "F" ? "\n" : ""}`
  }).join("")

/** What the supervisor recorded. */
export const podState = ({ dataDir }: Directories, pod: CoreV1.Pod): Effect.Effect<SupervisorFiles.PodState | undefined> =>
  Effect.sync(() => {
    const path = SupervisorPaths.state(dataDir, pod.metadata.uid ?? "")
    return existsSync(path) ? Schema.decodeUnknownSync(SupervisorFiles.PodStateJson)(readFileSync(path, "utf8")) : undefined
  })

/** Makes an empty file in the root of the pod's zone. */
export const touchInZone = (pod: CoreV1.Pod, file: string): Effect.Effect<void, StateFile.StateUnavailable, World> =>
  Effect.gen(function*() {
    const host = yield* SimulatedHost.SimulatedHost
    const { zone } = PodSandbox.namesOf(PodSandbox.identityOf(pod))
    const zonepath = (yield* host.state).zones.find(({ name }) => name === zone)?.configuration.properties["zonepath"] ?? ""
    writeFileSync(join(host.realPath(zonepath), "root", file), "")
  })

/** Writes a file as another container of a pod would: all of it at once. */
export const writeInFolder = (folder: string, file: string, text: string): Effect.Effect<void> =>
  Effect.sync(() => {
    const path = join(folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  })

/** What is left on the host for pods. */
export const leftovers = (
  { dataDir }: Directories
): Effect.Effect<typeof nothing, StateFile.StateUnavailable | StorageError.StorageError, World> =>
  Effect.gen(function*() {
    const host = yield* SimulatedHost.SimulatedHost
    const ipam = yield* Ipam.Ipam
    const state = yield* host.state
    const storage = yield* StorageEngine.StorageEngine
    return {
      zones: state.zones.map((zone) => zone.name),
      links: state.links.filter((link) => link.name.startsWith("rd_")).map((link) => link.name),
      datasets: (yield* storage.listOwned).map((dataset) => dataset.zone),
      leases: (yield* ipam.list).map((lease) => lease.owner),
      supervised: readdirSync(SupervisorPaths.pods(dataDir)),
      logs: existsSync(join(dataDir, "logs/pods")) ? readdirSync(join(dataDir, "logs/pods")) : [],
      processes: processesOf(state.hostId)
    }
  })

export const nothing: Readonly<Record<"zones" | "links" | "datasets" | "leases" | "supervised" | "logs" | "processes", ReadonlyArray<string>>> = {
  zones: [],
  links: [],
  datasets: [],
  leases: [],
  supervised: [],
  logs: [],
  processes: []
}

const processesOf = (hostId: string): ReadonlyArray<string> =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`REDDWARF_SIM_ZONE=${hostId}/`)
    } catch {
      return false
    }
  })

export const isProcess = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
