/** A zone on the simulated host whose supervisor a test asks to run one container. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { SupervisorClient, type SupervisorError, type SupervisorFiles, SupervisorPaths } from "@reddwarf/node-agent"
import { ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as h from "./harness.js"

/** The uid of the pod. */
export const uid = "0001"
/** The pod, as its supervisor knows it. */
const identity = { namespace: "default", name: "p", uid }
/** The zone of the pod. */
export const zone = ZoneName.make("default-p-1")

/** What a test may do with the zone. */
export interface SupervisedZone {
  readonly folders: h.Directories
  readonly client: typeof SupervisorClient.SupervisorClient.Service
  /** Submits the pod with one container that runs `script`. */
  readonly submit: (script: string, changes?: Partial<SupervisorFiles.PodSpec>) => Effect.Effect<void, SupervisorError.SupervisorFileFailed>
  readonly state: Effect.Effect<SupervisorFiles.ContainerState | undefined>
  readonly untilState: (
    what: string,
    test: (state: SupervisorFiles.ContainerState) => boolean
  ) => Effect.Effect<SupervisorFiles.ContainerState, h.WaitedInVain>
  /** Asks for the end of an attempt; true when it was the first to ask. */
  readonly restart: (attempt: number, graceSeconds?: number) => Effect.Effect<boolean, SupervisorError.SupervisorFileFailed>
  readonly log: (attempt: number) => string
  /** A file in the zone by which test and container meet. */
  readonly flag: (name: string) => { readonly set: Effect.Effect<void>; readonly isSet: Effect.Effect<true | undefined> }
}

/** A running zone without a supervisor yet; pods are submitted as `usual` says, unless a test says otherwise. */
export const withZone = <E>(
  usual: Pick<SupervisorFiles.PodSpec, "restartPolicy" | "backOff">,
  body: (zone: SupervisedZone) => Effect.Effect<void, E, h.World | Scope.Scope>
): Effect.Effect<void, E> =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.gen(function*() {
      const zones = yield* ZoneRuntime.ZoneRuntime
      const host = yield* SimulatedHost.SimulatedHost
      const client = yield* SupervisorClient.SupervisorClient
      const special = yield* Effect.orDie(client.prepare(uid))
      yield* Effect.orDie(zones.ensureRunning({
        zoneName: zone,
        zonepath: "/zones/p",
        brand: "sparse",
        attributes: [],
        network: [],
        fileSystems: [{ dir: SupervisorPaths.zoneMountPoint, special, type: "lofs", options: [] }]
      }))
      yield* Effect.addFinalizer(() => Effect.ignore(zones.ensureRemoved(zone)))
      const logs = join(folders.dataDir, "logs")
      const state = Effect.map(Effect.orElseSucceed(client.read(uid), () => Option.none()), (pod) =>
        Option.getOrUndefined(Option.flatMap(pod, ({ state }) => state))?.containers[0])
      const inZone = (name: string) => join(host.realPath("/zones/p"), "root", name)
      yield* body({
        folders,
        client,
        state,
        untilState: (what, test) =>
          h.until(`the container to be ${what}`, Effect.map(state, (state) => state !== undefined && test(state) ? state : undefined)),
        submit: (script, changes = {}) =>
          client.submit({
            schema: 1,
            pod: identity,
            zone,
            containers: [{ name: "c", kind: "main", argv: ["sh", "-c", script], env: [], workingDirectory: "/" }],
            logs: { directory: logs, maxBytes: 10_000_000, maxFiles: 5 },
            desired: { state: "run" },
            ...usual,
            ...changes
          }),
        restart: (attempt, graceSeconds = 5) =>
          Effect.flatMap(Clock.currentTimeMillis, (requestedAt) =>
            client.restart(uid, { requestId: `c/${attempt}`, container: "c", attempt, requestedAt, graceSeconds })),
        log: (attempt) => {
          const directory = join(logs, "c")
          const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.startsWith(`${attempt}.log`)) : []
          const order = (file: string) => Number(file.split(".log.")[1] ?? Number.MAX_SAFE_INTEGER)
          return h.plain(files.sort((a, b) => order(a) - order(b)).map((file) => readFileSync(join(directory, file), "utf8")).join(""))
        },
        flag: (name) => ({
          set: Effect.sync(() => writeFileSync(inZone(name), "")),
          isSet: Effect.sync(() => existsSync(inZone(name)) ? true : undefined)
        })
      })
    }).pipe(
      Effect.scoped,
      Effect.provide(SupervisorClient.layer({ dataDir: folders.dataDir }).pipe(Layer.provide(NodeContext.layer), Layer.provideMerge(h.hostLayer(folders)), Layer.orDie))
    )
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))
