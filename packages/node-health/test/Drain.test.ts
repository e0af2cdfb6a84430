/** Leaving the rotation: lame duck, and by hand over restarts. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, TestClock } from "effect"
import { statSync } from "node:fs"
import { settle, until } from "vitest-config/waiting"
import { Drain, type HealthCheck, HealthMetrics, HostReader, NodeHealth, Observation } from "../src/index.js"
import { FileProbe } from "../src/index.js"
import { folder, json, request, start } from "./support/health.js"

const good: HealthCheck.HealthCheck = { name: "good", timeout: Duration.seconds(1), cacheTtl: Duration.zero, onUnknown: "fail", needsNodeName: false, observe: Effect.succeed(Observation.pass()) }
const config = { default_checks: ["good"] }

describe("lame duck", () => {
  it.scoped("answers 503 for the drain time while it still serves, then ends", () =>
    Effect.gen(function*() {
      const running = yield* start({ config: { ...config, drain_seconds: 15 }, checks: [good] })
      assert.strictEqual((yield* running.get("/health")).status, 200)
      const ending = yield* Effect.fork(running.lameDuck)
      yield* settle
      const reply = yield* running.get("/health")
      assert.strictEqual(reply.status, 503)
      assert.deepStrictEqual(json(reply)["status"], "not-ready")
      assert.deepStrictEqual(json(reply).checks, [{ name: "shutdown", passed: false, reason: "shutting down", duration_ms: 0, observed: "fail" }])
      yield* TestClock.adjust("14999 millis")
      assert.strictEqual((yield* running.get("/health")).status, 503)
      assert.isTrue((yield* Fiber.poll(ending))._tag === "None")
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(ending)
    }))

  it.scoped("being interrupted is what begins it, and a second signal ends it at once", () =>
    Effect.gen(function*() {
      const hurry = yield* Deferred.make<void>()
      const port = yield* Deferred.make<number>()
      const stateDir = yield* folder
      const host = Layer.succeed(HostReader.HostReader, HostReader.of({ platform: "linux" }))
      const options: NodeHealth.Options = {
        metrics: HealthMetrics.make(),
        load: Effect.succeed({ listen: "127.0.0.1:0", state_dir: stateDir, default_checks: ["good"] }),
        connection: () => Effect.fail({ message: "none" }),
        checks: [good],
        hurry: Deferred.await(hurry)
      }
      const fiber = yield* Effect.fork(Effect.scoped(Effect.flatMap(NodeHealth.make(options), (running) =>
        Effect.zipRight(Deferred.succeed(port, running.port), Effect.onInterrupt(Effect.never, () => running.lameDuck)))).pipe(Effect.provide(host)))
      const listening = yield* Deferred.await(port)
      assert.strictEqual((yield* request(listening, "/health")).status, 200)
      const interrupting = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* until("503", Effect.map(request(listening, "/health"), ({ status }) => status === 503))
      assert.isTrue((yield* Fiber.poll(interrupting))._tag === "None")
      yield* Deferred.succeed(hurry, undefined)
      yield* Fiber.join(interrupting)
    }))
})

describe("by hand", () => {
  const withFiles = (metrics: HealthMetrics.HealthMetrics) => ({ host: { files: FileProbe.make(metrics) }, metrics })

  it.scopedLive("drain, status, undrain; a drain survives a restart", () =>
    Effect.gen(function*() {
      const stateDir = yield* folder
      const metrics = HealthMetrics.make()
      const first = Effect.gen(function*() {
        const running = yield* start({ config, checks: [good], stateDir, ...withFiles(metrics) })
        assert.match((yield* Drain.send(stateDir, { command: "status" })).message, /^200 /)
        const reply = yield* Drain.send(stateDir, { command: "drain", reason: "replacing\na disk" })
        assert.deepStrictEqual([reply.ok, reply.message], [true, "drained: replacing a disk"])
        assert.strictEqual(statSync(Drain.socketPath(stateDir)).mode & 0o777, 0o600)
        const health = yield* running.get("/health")
        assert.strictEqual(health.status, 503)
        assert.strictEqual(json(health).checks[0]?.["reason"], "drained by operator: replacing a disk")
        assert.strictEqual(metrics.get("drained"), 1)
      })
      yield* Effect.scoped(first)
      const running = yield* start({ config, checks: [good], stateDir, ...withFiles(HealthMetrics.make()) })
      assert.strictEqual((yield* running.get("/health")).status, 503)
      assert.strictEqual((yield* Drain.send(stateDir, { command: "undrain" })).ok, true)
      assert.strictEqual((yield* running.get("/health")).status, 200)
    }))

  it.scopedLive("what cannot be kept holds now and says so", () =>
    Effect.gen(function*() {
      const save = (path: string) => new FileProbe.ProbeFailed({ path, code: "EROFS", detail: "read-only file system" })
      const { get, stateDir } = yield* start({ config, checks: [good], host: { files: { ...HostReader.of({ platform: "linux" }).files, save } } })
      const reply = yield* Drain.send(stateDir, { command: "drain", reason: "" })
      assert.isFalse(reply.ok)
      assert.include(reply.message, "lost at the next start")
      assert.strictEqual((yield* get("/health")).status, 503)
    }))

  it.scopedLive("a second process with the same folder is refused; nobody there is an error", () =>
    Effect.gen(function*() {
      const { stateDir } = yield* start({ config })
      const error = yield* Effect.flip(start({ config, stateDir }))
      assert.strictEqual(error._tag, "ControlFailed")
      const lonely = yield* folder
      assert.include((yield* Effect.flip(Drain.send(lonely, { command: "status" }))).message, "does node-health run")
    }))
})
