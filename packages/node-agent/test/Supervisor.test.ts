import { assert, describe, it } from "@effect/vitest"
import { ZoneRuntime } from "@reddwarf/runtime-illumos"
import { Supervisor, type SupervisorFiles, SupervisorPaths } from "@reddwarf/node-agent"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { existsSync } from "node:fs"
import * as h from "./support/harness.js"
import { uid, withZone, zone } from "./support/supervisedZone.js"

const usual: Pick<SupervisorFiles.PodSpec, "restartPolicy" | "backOff"> = { restartPolicy: "Never", backOff: { initialMillis: 100, maxMillis: 400, resetMillis: 600_000 } }

const numbers = (count: number): string => Array.from({ length: count }, (_, index) => `${index}\n`).join("")

describe("Supervisor", () => {
  it.live("can be killed: the container lives on, no line is lost, its exit code is known", () =>
    withZone(usual, ({ flag, folders, log, state, submit, untilState }) =>
      Effect.gen(function*() {
        const first = yield* h.supervisorProcess(folders)
        yield* submit(
          "i=0; while [ $i -lt 100 ]; do echo $i; i=$((i+1)); sleep 0.01; done; : > half; while [ ! -e go ]; do sleep 0.02; done; " +
            "while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; : > written; exit 7"
        )
        const before = yield* untilState("running", ({ phase }) => phase === "running")
        yield* h.until("half of the lines", flag("half").isSet)
        yield* h.killProcess(first, "SIGKILL")
        yield* flag("go").set
        yield* h.until("all lines to be written with nobody reading", flag("written").isSet)
        assert.strictEqual((yield* state)?.pid, before.pid)
        yield* h.supervisorProcess(folders)
        const after = yield* untilState("finished", ({ phase }) => phase === "finished")
        assert.strictEqual(after.exits[0]?.exitCode, 7)
        assert.strictEqual(after.exits[0]?.pid, before.pid)
        assert.strictEqual(after.exits[0]?.startedAt, before.startedAt)
        assert.strictEqual(log(0), numbers(3000))
      })), 40_000)

  it.live("starts a container again by itself, and keeps a record of every end", () =>
    withZone(usual, ({ log, submit, untilState, folders }) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* submit("echo again; exit 1", { restartPolicy: "Always" })
        const state = yield* untilState("in its third attempt", ({ attempt }) => attempt >= 2)
        assert.deepStrictEqual(state.exits.map(({ exitCode, reason }) => [exitCode, reason]), [[1, "Error"], [1, "Error"]])
        assert.isTrue(existsSync(SupervisorPaths.exitRecord(folders.dataDir, uid, "c", 1)))
        assert.strictEqual(log(1), "again\n")
      })), 30_000)

  it.live("stops with TERM, then KILL at the original deadline, whoever supervises by then", () =>
    withZone(usual, ({ client, flag, folders, submit, untilState }) =>
      Effect.gen(function*() {
        const first = yield* h.supervisorFiber(folders)
        yield* submit("trap ': > termed' TERM; : > ready; while :; do sleep 0.05; done")
        yield* h.until("the container to be ready", flag("ready").isSet)
        const now = yield* Clock.currentTimeMillis
        yield* client.stop(uid, { requestId: "r1", requestedAt: now, graceSeconds: 2 })
        yield* h.until("TERM", flag("termed").isSet)
        yield* first.stop
        yield* h.supervisorFiber(folders)
        const state = yield* untilState("finished", ({ phase }) => phase === "finished")
        const [exit] = state.exits
        assert.deepStrictEqual([exit?.exitCode, exit?.signal, exit?.reason], [137, 9, "Error"])
        const took = (exit?.finishedAt ?? 0) - now
        assert.isTrue(took >= 1_900 && took < 6_000, `took ${took} ms`)
      })), 30_000)

  it.live("ends a container that obeys at once, with all its processes", () =>
    withZone(usual, ({ client, folders, submit, untilState, log }) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* submit("sleep 1000 & echo $!; wait", { restartPolicy: "Always" })
        yield* untilState("running", ({ phase }) => phase === "running")
        const child = yield* h.until("the pid", Effect.sync(() => Number(log(0)) || undefined))
        const now = yield* Clock.currentTimeMillis
        yield* client.stop(uid, { requestId: "r1", requestedAt: now, graceSeconds: 30 })
        const state = yield* untilState("finished", ({ phase }) => phase === "finished")
        assert.strictEqual(state.exits[0]?.exitCode, 143)
        yield* h.until("the background process to end", Effect.sync(() => h.isProcess(child) ? undefined : true))
      })), 30_000)

  it.live("reports a container as Unknown when the shim was killed with it", () =>
    withZone(usual, ({ folders, submit, untilState }) =>
      Effect.gen(function*() {
        const zones = yield* ZoneRuntime.ZoneRuntime
        yield* h.supervisorFiber(folders)
        yield* submit("sleep 1000")
        yield* untilState("running", ({ phase }) => phase === "running")
        yield* zones.halt(zone)
        const state = yield* untilState("finished", ({ phase }) => phase === "finished")
        assert.deepStrictEqual([state.exits[0]?.exitCode, state.exits[0]?.reason], [255, "Unknown"])
      })), 30_000)

  it.live("notices that the shim was killed while nobody supervised", () =>
    withZone(usual, ({ folders, submit, untilState }) =>
      Effect.gen(function*() {
        const zones = yield* ZoneRuntime.ZoneRuntime
        const first = yield* h.supervisorFiber(folders)
        yield* submit("sleep 1000")
        yield* untilState("running", ({ phase }) => phase === "running")
        yield* first.stop
        yield* zones.halt(zone)
        yield* h.supervisorFiber(folders)
        const state = yield* untilState("finished", ({ phase }) => phase === "finished")
        assert.deepStrictEqual([state.exits[0]?.exitCode, state.exits[0]?.reason], [255, "Unknown"])
      })), 30_000)

  it.live("says why a container cannot be started, and starts it when it can", () =>
    withZone(usual, ({ folders, submit, untilState }) =>
      Effect.gen(function*() {
        const zones = yield* ZoneRuntime.ZoneRuntime
        yield* zones.halt(zone)
        yield* h.supervisorFiber(folders)
        yield* submit("sleep 1000")
        const state = yield* untilState("stuck", ({ problem }) => problem !== undefined)
        assert.strictEqual(state.problem?.reason, "RunContainerError")
        assert.include(state.problem?.message ?? "", "login allowed only to running zones")
        yield* zones.boot(zone)
        yield* untilState("running", ({ phase }) => phase === "running")
      })), 30_000)

  it.live("holds a pod, over its own end and that of the zone, and lets it run on with other processes", () =>
    withZone(usual, ({ client, folders, log, state, submit, untilState }) =>
      Effect.gen(function*() {
        const zones = yield* ZoneRuntime.ZoneRuntime
        const first = yield* h.supervisorFiber(folders)
        // Never started again by itself, and ended with a failure: being held is no end.
        yield* submit("trap 'echo held; exit 3' TERM; echo one; while :; do sleep 0.05; done")
        yield* untilState("running", ({ phase }) => phase === "running")
        yield* h.until("its output", Effect.sync(() => log(0) === "one\n" ? true : undefined))
        const request = { requestId: "r1", requestedAt: yield* Clock.currentTimeMillis, graceSeconds: 10 }
        yield* client.hold(uid, request)
        const held = Effect.map(client.read(uid), (pod) => Option.getOrUndefined(Option.flatMap(pod, ({ state }) => state))?.held)
        yield* h.until("the pod to be held", Effect.map(held, (id) => id === "r1" ? true : undefined))
        // Its shell may have something to say about the sleep that ended with it.
        assert.deepStrictEqual(log(0).split("\n").filter((line) => line !== "Terminated"), ["one", "held", ""])
        const ended = yield* state
        assert.deepStrictEqual([ended?.phase, ended?.attempt, ended?.exits[0]?.exitCode], ["backOff", 0, 3])
        yield* zones.halt(zone)
        yield* first.stop
        yield* h.supervisorFiber(folders)
        yield* zones.boot(zone)
        yield* client.hold(uid, request)
        const known = Option.getOrThrow(yield* client.read(uid))
        const containers = known.spec.containers.map((container) => ({ ...container, argv: ["sh", "-c", "echo two; sleep 1000"] as const }))
        yield* client.submit({ ...known.spec, containers, generation: "g1", desired: { state: "run" } })
        const next = yield* untilState("running again", ({ attempt, phase }) => attempt === 1 && phase === "running")
        assert.strictEqual(next.exits.length, 1)
        yield* h.until("its output", Effect.sync(() => log(1) === "two\n" ? true : undefined))
        assert.strictEqual(yield* held, undefined)
      })), 40_000)

  it.live("is alone", () =>
    withZone(usual, ({ folders }) =>
      Effect.gen(function*() {
        assert.isFalse(yield* Supervisor.isAlive(folders.dataDir))
        yield* h.supervisorFiber(folders)
        yield* h.until("it to be alive", Effect.map(Supervisor.isAlive(folders.dataDir), (alive) => alive || undefined))
        const error = yield* Effect.flip(Supervisor.run({ dataDir: folders.dataDir }))
        assert.strictEqual(error._tag, "SupervisorRunning")
      })), 30_000)
})
