import { assert, describe, it } from "@effect/vitest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { FakeApi } from "@reddwarf/client"
import { ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { SupervisorClient, type SupervisorError, type SupervisorFiles, SupervisorPaths } from "@reddwarf/node-agent"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import * as h from "./support/harness.js"

const uid = "0001"
const zone = ZoneName.make("default-p-1")

interface World {
  readonly folders: h.Directories
  readonly client: typeof SupervisorClient.SupervisorClient.Service
  readonly submit: (script: string, changes?: Partial<SupervisorFiles.PodSpec>) => Effect.Effect<void, SupervisorError.SupervisorFileFailed>
  readonly untilState: (what: string, test: (state: SupervisorFiles.ContainerState) => boolean) => Effect.Effect<SupervisorFiles.ContainerState, h.WaitedInVain>
  /** Asks for the end of an attempt; true when it was the first to ask. */
  readonly restart: (attempt: number, graceSeconds?: number) => Effect.Effect<boolean, SupervisorError.SupervisorFileFailed>
}

const withZone = <E>(body: (world: World) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.gen(function*() {
      const zones = yield* ZoneRuntime.ZoneRuntime
      const client = yield* SupervisorClient.SupervisorClient
      const special = yield* client.prepare(uid)
      yield* zones.ensureRunning({
        zoneName: zone,
        zonepath: "/zones/p",
        brand: "sparse",
        attributes: [],
        network: [],
        fileSystems: [{ dir: SupervisorPaths.zoneMountPoint, special, type: "lofs", options: [] }]
      })
      yield* Effect.addFinalizer(() => Effect.ignore(zones.ensureRemoved(zone)))
      const state = Effect.map(Effect.orElseSucceed(client.read(uid), () => Option.none()), (pod) =>
        Option.getOrUndefined(Option.flatMap(pod, ({ state }) => state))?.containers[0])
      yield* body({
        folders,
        client,
        untilState: (what, test) =>
          h.until(`the container to be ${what}`, Effect.map(state, (state) => state !== undefined && test(state) ? state : undefined)),
        submit: (script, changes = {}) =>
          client.submit({
            schema: 1,
            pod: { namespace: "default", name: "p", uid },
            zone,
            restartPolicy: "Always",
            containers: [{ name: "c", kind: "main", argv: ["sh", "-c", script], env: [], workingDirectory: "/" }],
            backOff: { initialMillis: 600_000, maxMillis: 600_000, resetMillis: 600_000 },
            logs: { directory: join(folders.dataDir, "logs"), maxBytes: 10_000_000, maxFiles: 5 },
            desired: { state: "run" },
            ...changes
          }),
        restart: (attempt, graceSeconds = 5) =>
          Effect.flatMap(Clock.currentTimeMillis, (requestedAt) =>
            client.restart(uid, { requestId: `c/${attempt}`, container: "c", attempt, requestedAt, graceSeconds }))
      })
    }).pipe(
      Effect.scoped,
      Effect.provide(SupervisorClient.layer({ dataDir: folders.dataDir }).pipe(Layer.provide(NodeContext.layer), Layer.provideMerge(h.hostLayer(folders))))
    )
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const running = (attempt: number) => (state: SupervisorFiles.ContainerState) => state.phase === "running" && state.attempt === attempt

describe("a request to restart a container", () => {
  it.live("ends its processes and starts it again, once however often it is asked", () =>
    withZone(({ folders, restart, submit, untilState }) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* submit("trap 'exit 0' TERM; while :; do sleep 0.02; done")
        const before = yield* untilState("running", running(0))
        assert.isTrue(yield* restart(0))
        assert.isFalse(yield* restart(0))
        const after = yield* untilState("running again", running(1))
        assert.notStrictEqual(after.pid, before.pid)
        assert.deepStrictEqual(after.exits.map(({ attempt, exitCode }) => [attempt, exitCode]), [[0, 0]])
        assert.isFalse(yield* restart(0), "what is about an attempt that is over is not asked anew")
        yield* h.until("nothing more to happen", Effect.as(Effect.yieldNow(), true))
        yield* untilState("running still", running(1))
      })), 30_000)

  it.live("kills what does not obey in time, and goes on with the back-off of a crash", () =>
    withZone(({ folders, restart, submit, untilState }) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* submit("trap '' TERM; while :; do sleep 0.02; done", { restartPolicy: "OnFailure" })
        yield* untilState("running", running(0))
        yield* restart(0, 1)
        const again = yield* untilState("running again", running(1))
        assert.deepStrictEqual([again.exits[0]?.exitCode, again.exits[0]?.signal], [137, 9])
        yield* restart(1, 0)
        const waiting = yield* untilState("made to wait", ({ phase }) => phase === "backOff")
        assert.isAbove((waiting.backOffUntil ?? 0) - (waiting.exits[0]?.finishedAt ?? 0), 500_000)
      })), 30_000)

  it.live("restarts a container that ended well, too, unless nothing is ever restarted", () =>
    withZone(({ folders, restart, submit, untilState }) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* submit("trap 'exit 0' TERM; while :; do sleep 0.02; done", { restartPolicy: "Never" })
        yield* untilState("running", running(0))
        yield* restart(0)
        const state = yield* untilState("finished", ({ phase }) => phase === "finished")
        assert.strictEqual(state.exits[0]?.exitCode, 0)
      })), 30_000)

  it.live("is carried out by the next supervisor when nobody supervised, and by it alone", () =>
    withZone(({ folders, restart, submit, untilState }) =>
      Effect.gen(function*() {
        const first = yield* h.supervisorFiber(folders)
        yield* submit("trap 'exit 3' TERM; while :; do sleep 0.02; done", { restartPolicy: "OnFailure" })
        yield* untilState("running", running(0))
        yield* first.stop
        yield* restart(0)
        yield* h.supervisorFiber(folders)
        const state = yield* untilState("running again", running(1))
        assert.deepStrictEqual(state.exits.map(({ exitCode }) => exitCode), [3])
      })), 30_000)

  it.live("does not keep a pod from being stopped", () =>
    withZone(({ client, folders, restart, submit, untilState }) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* submit("trap '' TERM; while :; do sleep 0.02; done")
        yield* untilState("running", running(0))
        yield* restart(0, 600)
        const requestedAt = yield* Clock.currentTimeMillis
        yield* client.stop(uid, { requestId: "stop", requestedAt, graceSeconds: 1 })
        const state = yield* untilState("finished", ({ phase }) => phase === "finished")
        assert.strictEqual(state.attempt, 0)
        assert.isFalse(yield* restart(0))
      })), 30_000)
})
