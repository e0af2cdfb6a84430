import { assert, describe, it } from "@effect/vitest"
import type { SupervisorFiles } from "@reddwarf/node-agent"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as h from "./support/harness.js"
import { uid, withZone } from "./support/supervisedZone.js"

const usual: Pick<SupervisorFiles.PodSpec, "restartPolicy" | "backOff"> = { restartPolicy: "Always", backOff: { initialMillis: 600_000, maxMillis: 600_000, resetMillis: 600_000 } }

const running = (attempt: number) => (state: SupervisorFiles.ContainerState) => state.phase === "running" && state.attempt === attempt

describe("a request to restart a container", () => {
  it.live("ends its processes and starts it again, once however often it is asked", () =>
    withZone(usual, ({ folders, restart, submit, untilState }) =>
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
    withZone(usual, ({ folders, restart, submit, untilState }) =>
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
    withZone(usual, ({ folders, restart, submit, untilState }) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* submit("trap 'exit 0' TERM; while :; do sleep 0.02; done", { restartPolicy: "Never" })
        yield* untilState("running", running(0))
        yield* restart(0)
        const state = yield* untilState("finished", ({ phase }) => phase === "finished")
        assert.strictEqual(state.exits[0]?.exitCode, 0)
      })), 30_000)

  it.live("is carried out by the next supervisor when nobody supervised, and by it alone", () =>
    withZone(usual, ({ folders, restart, submit, untilState }) =>
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
    withZone(usual, ({ client, folders, restart, submit, untilState }) =>
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
