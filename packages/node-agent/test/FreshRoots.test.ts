import { assert, describe, it } from "@effect/vitest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { RootBeginnings, Supervisor, SupervisorClient, type SupervisorFiles, SupervisorPaths } from "@reddwarf/node-agent"
import { DatasetName } from "@reddwarf/storage-zfs"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as h from "./support/harness.js"

const uid = "0001"
const zone = ZoneName.make("default-p-1")
const dataset = DatasetName.make("rpool/c")
const snapshot = DatasetName.snapshot(dataset, "beginning")

/** Says in its volume what it finds in its root, leaves something there, and fails until it has been there as often as it shall. */
const script = (times: number) =>
  `{ [ -e own ] && echo stale || echo fresh; } >>data/seen; echo x >own; rm -f given; [ "$(wc -l <data/seen)" -lt ${times} ] && exit 1; while :; do sleep 0.02; done`

interface World {
  readonly folders: h.Directories
  /** Real path of the root. */
  readonly root: string
  readonly seen: () => ReadonlyArray<string>
  readonly run: (command: string) => Effect.Effect<string>
  readonly submit: (times: number, kind?: SupervisorFiles.ContainerKind) => Effect.Effect<void>
  readonly untilState: (what: string, test: (state: SupervisorFiles.ContainerState) => boolean) => Effect.Effect<SupervisorFiles.ContainerState, h.WaitedInVain>
}

/** A zone with the root of one container, whose beginning is kept, and a volume in it. There is no agent. */
const withZone = <E>(body: (world: World) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.gen(function*() {
      const zones = yield* ZoneRuntime.ZoneRuntime
      const host = yield* SimulatedHost.SimulatedHost
      const client = yield* SupervisorClient.SupervisorClient
      const runner = yield* CommandRunner.CommandRunner
      const run = (command: string) => {
        const [name = "", ...args] = command.split(" ")
        return Effect.orDie(Effect.flatMap(runner.run(CommandLine.make(`/usr/sbin/${name}`, ...args)), ({ exitCode, stderr, stdout }) =>
          exitCode === 0 ? Effect.succeed(stdout) : Effect.dieMessage(`${command}: ${stderr}`)))
      }
      const special = yield* client.prepare(uid)
      yield* run(`zfs create -o mountpoint=/roots/c ${dataset}`)
      const root = join(host.realPath("/roots/c"), "root")
      const volume = join(folders.root, "volume")
      mkdirSync(join(root, "data"), { recursive: true })
      writeFileSync(join(root, "given"), "by the image")
      mkdirSync(volume)
      yield* run(`zfs snapshot ${snapshot}`)
      yield* RootBeginnings.write(folders.dataDir, uid, [{ container: "c", snapshot }])
      yield* zones.ensureRunning({
        zoneName: zone,
        zonepath: "/zones/p",
        brand: "sparse",
        attributes: [],
        network: [],
        fileSystems: [
          { dir: SupervisorPaths.zoneMountPoint, special, type: "lofs", options: [] },
          { dir: "/var/reddwarf-roots/c", special: "/roots/c/root", type: "lofs", options: [] },
          { dir: "/var/reddwarf-roots/c/data", special: volume, type: "lofs", options: [] }
        ]
      })
      yield* Effect.addFinalizer(() => Effect.ignore(zones.ensureRemoved(zone)))
      const state = Effect.map(Effect.orElseSucceed(client.read(uid), () => Option.none()), (pod) =>
        Option.getOrUndefined(Option.flatMap(pod, ({ state }) => state))?.containers[0])
      yield* body({
        folders,
        root,
        run,
        seen: () => readFileSync(join(volume, "seen"), "utf8").trimEnd().split("\n"),
        untilState: (what, test) =>
          h.until(`the container to be ${what}`, Effect.map(state, (state) => state !== undefined && test(state) ? state : undefined)),
        submit: (times, kind = "main") =>
          Effect.orDie(client.submit({
            schema: 1,
            pod: { namespace: "default", name: "p", uid },
            zone,
            restartPolicy: "Always",
            containers: [{ name: "c", kind, argv: ["sh", "-c", script(times)], env: [], workingDirectory: "/", root: { path: "/var/reddwarf-roots/c" } }],
            backOff: { initialMillis: 1, maxMillis: 1, resetMillis: 600_000 },
            logs: { directory: join(folders.dataDir, "logs"), maxBytes: 10_000_000, maxFiles: 5 },
            desired: { state: "run" }
          }))
      })
    }).pipe(
      Effect.scoped,
      Effect.provide(SupervisorClient.layer({ dataDir: folders.dataDir }).pipe(Layer.provide(NodeContext.layer), Layer.provideMerge(h.hostLayer(folders))))
    )
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const running = (attempt: number) => (state: SupervisorFiles.ContainerState) => state.phase === "running" && state.attempt === attempt

/** A supervisor that is killed when it makes a root fresh: before that happens, or after it and before it knows. */
const dying = (folders: h.Directories, when: "before" | "after") =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const reached = yield* Deferred.make<void>()
    const killed = Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
    const run: typeof runner.run = (line) =>
      line.args[0] !== "rollback" ? runner.run(line) : when === "before" ? killed : Effect.zipRight(runner.run(line), killed)
    const { stop } = yield* h.startable(Effect.forkScoped(Supervisor.run({ dataDir: folders.dataDir, pollInterval: "300 millis" }).pipe(
      Effect.provideService(CommandRunner.CommandRunner, { ...runner, run })
    )))
    return { reached: Deferred.await(reached), stop }
  })

describe("the root of a container that is started again", () => {
  for (const kind of ["main", "init"] as const) {
    it.live(`is fresh in each attempt of ${kind} containers, without an agent; its volumes stay`, () =>
      withZone(({ folders, root, run, seen, submit, untilState }) =>
        Effect.gen(function*() {
          yield* h.supervisorFiber(folders)
          // Somebody who takes snapshots of everything does not keep it from being fresh.
          yield* run(`zfs snapshot ${dataset}@daily`)
          yield* submit(3, kind)
          yield* untilState("running for the third time", running(2))
          yield* h.until("what it saw", Effect.sync(() => seen().length === 3 ? true : undefined))
          assert.deepStrictEqual(seen(), ["fresh", "fresh", "fresh"])
          yield* h.until("what it wrote", Effect.sync(() => readdirSync(root).includes("own") && !readdirSync(root).includes("given") ? true : undefined))
          const kept = (yield* run(`zfs list -H -o name -t snapshot -r ${dataset}`)).trim()
          assert.strictEqual(kept, snapshot, "nothing is left behind by the attempts")
        })), 30_000)
  }

  for (const when of ["before", "after"] as const) {
    it.live(`is fresh when the supervisor was killed ${when} it made it so, and its attempt counts once`, () =>
      withZone(({ folders, seen, submit, untilState }) =>
        Effect.gen(function*() {
          const first = yield* dying(folders, when)
          yield* submit(2)
          yield* first.reached
          yield* first.stop
          yield* h.supervisorFiber(folders)
          const state = yield* untilState("running again", running(1))
          assert.deepStrictEqual(state.exits.map(({ attempt, exitCode }) => [attempt, exitCode]), [[0, 1]])
          yield* h.until("what it saw", Effect.sync(() => seen().length === 2 ? true : undefined))
          assert.deepStrictEqual(seen(), ["fresh", "fresh"])
        })), 60_000)
  }

  it.live("is waited for: where it cannot be made fresh the container is not started, and says why", () =>
    withZone(({ folders, run, seen, submit, untilState }) =>
      Effect.gen(function*() {
        yield* run(`zfs rename ${snapshot} ${dataset}@elsewhere`)
        yield* h.supervisorFiber(folders)
        yield* submit(2)
        const { problem } = yield* untilState("refused", ({ problem }) => problem !== undefined)
        assert.include(problem?.message ?? "", "the root of container c cannot be made fresh, so it is not started")
        assert.strictEqual(problem?.reason, "RunContainerError")
        assert.deepStrictEqual(seen(), ["fresh"])
        yield* run(`zfs rename ${dataset}@elsewhere ${snapshot}`)
        yield* untilState("running again", running(1))
        yield* h.until("what it saw", Effect.sync(() => seen().length === 2 ? true : undefined))
        assert.deepStrictEqual(seen(), ["fresh", "fresh"])
      })), 60_000)
})
