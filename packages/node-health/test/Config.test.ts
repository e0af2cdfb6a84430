/** Settings: what wins, what is refused, what happens then. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either } from "effect"
import { createServer } from "node:net"
import { Drain, type HealthCheck, HealthConfig, LogSink, HealthMetrics, Observation } from "../src/index.js"
import { folder, json, start } from "./support/health.js"

const good: HealthCheck.HealthCheck = { name: "good", timeout: Duration.seconds(1), cacheTtl: Duration.zero, onUnknown: "fail", needsNodeName: false, observe: Effect.succeed(Observation.pass()) }

describe("what wins", () => {
  const decoded = (file: unknown, environment: Readonly<Record<string, string>>, flags: unknown) => Either.getOrThrow(HealthConfig.decode(HealthConfig.layers(file, environment, flags)))

  it("flag over environment over file over default", () => {
    assert.strictEqual(decoded({}, {}, {}).node_name, undefined)
    assert.strictEqual(decoded({ node_name: "file" }, {}, {}).node_name, "file")
    assert.strictEqual(decoded({ node_name: "file" }, { NODE_NAME: "env" }, {}).node_name, "env")
    assert.strictEqual(decoded({ node_name: "file" }, { NODE_NAME: "env" }, { node_name: "flag" }).node_name, "flag")
    assert.deepStrictEqual(decoded({}, { LISTEN_PORT: "8080" }, {}).listen, { host: "0.0.0.0", port: 8080 })
    assert.deepStrictEqual(decoded({ listen: "10.0.0.1:1" }, { LISTEN_PORT: "8080" }, {}).listen, { host: "10.0.0.1", port: 8080 })
    assert.deepStrictEqual(decoded({}, { LISTEN_PORT: "8080" }, { listen: "127.0.0.1:9" }).listen, { host: "127.0.0.1", port: 9 })
  })
  it("settings of one check from several places stand together", () => {
    const { checks } = decoded({ checks: { kubelet: { timeout: "2s" }, filesystem_ro: { mounts: ["/a"] } } }, {}, { checks: { kubelet: { allow_degraded: true }, filesystem_ro: { mounts: ["/b"] } } })
    assert.deepStrictEqual(checks.kubelet, { timeout: Duration.seconds(2), allow_degraded: true })
    assert.deepStrictEqual(checks.filesystem_ro?.mounts, ["/b"])
  })
  it("durations, addresses and thresholds in words", () => {
    const config = decoded({ request_deadline: "1500ms", cache_ttl: 0, listen: "[::1]:80", checks: { disk_pressure: { thresholds: ["nodefs.available<1Gi"], on_unknown: "fail" } } }, {}, {})
    assert.deepStrictEqual([Duration.toMillis(config.request_deadline), Duration.toMillis(config.cache_ttl), config.listen], [1500, 0, { host: "::1", port: 80 }])
  })
})

describe("what is refused", () => {
  const wrong: ReadonlyArray<readonly [unknown, RegExp]> = [
    [{ listen: "nowhere" }, /listen: .*no ADDRESS:PORT/],
    [{ listen: "1.2.3.4:99999" }, /listen/],
    [{ nodename: "x" }, /nodename/],
    [{ request_deadline: "soon" }, /request_deadline: .*no duration/],
    [{ allow_cidrs: ["10.0.0.0/40"] }, /allow_cidrs/],
    [{ checks: { disk_pressure: { thresholds: ["nodefs.available>1"] } } }, /thresholds/],
    [{ checks: { kubelet: { url: "http://10.0.0.1:1/" } } }, /url/],
    [{ checks: { nonsense: {} } }, /nonsense/],
    [{ max_in_flight: 0 }, /max_in_flight/],
    ["text", /./]
  ]
  for (const [raw, message] of wrong) {
    it(JSON.stringify(raw), () => {
      const decoded = HealthConfig.decode(raw)
      assert.match(Either.isLeft(decoded) ? decoded.left.message : "accepted", message)
    })
  }
})

describe("a process with settings that are invalid", () => {
  it.scopedLive("answers 500 with the error, is alive, and says so in its metrics; correcting them heals it", () =>
    Effect.gen(function*() {
      const stateDir = yield* folder
      let raw: Readonly<Record<string, unknown>> = { listen: "127.0.0.1:0", state_dir: stateDir, default_checks: ["good"], cache_ttl: "never" }
      const running = yield* start({ load: Effect.sync(() => raw), checks: [good] })
      const reply = yield* running.get("/health")
      assert.strictEqual(reply.status, 500)
      assert.deepStrictEqual({ ...json(reply), error: "" }, { status: "not-ready", checks: [], total_duration_ms: 0, error: "" })
      assert.match(String(json(reply)["error"]), /cache_ttl/)
      assert.strictEqual((yield* running.get("/livez")).status, 200)
      assert.include((yield* running.get("/metrics")).body, "reddwarf_node_health_config_valid 0")
      raw = { ...raw, cache_ttl: "1s" }
      assert.isTrue(Either.isRight(yield* running.health.reload))
      assert.strictEqual((yield* running.get("/health")).status, 200)
      assert.include((yield* running.get("/metrics")).body, "reddwarf_node_health_config_valid 1")
    }))

  it.scopedLive("a bad reload keeps the old settings; a good one replaces them", () =>
    Effect.gen(function*() {
      const stateDir = yield* folder
      let raw: Readonly<Record<string, unknown>> = { listen: "127.0.0.1:0", state_dir: stateDir, default_checks: ["good"] }
      const running = yield* start({ load: Effect.sync(() => raw), checks: [good, { ...good, name: "other" }] })
      raw = { ...raw, default_checks: "not a list" }
      const refused = yield* Drain.send(stateDir, { command: "reload" })
      assert.deepStrictEqual([refused.ok, /default_checks/.test(refused.message)], [false, true])
      assert.deepStrictEqual(json(yield* running.get("/health")).checks.map(({ name }) => name), ["good"])
      raw = { ...raw, default_checks: ["other"] }
      assert.isTrue((yield* Drain.send(stateDir, { command: "reload" })).ok)
      assert.deepStrictEqual(json(yield* running.get("/health")).checks.map(({ name }) => name), ["other"])
    }))

  it.scopedLive("a port in use is an error", () =>
    Effect.gen(function*() {
      const server = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof createServer>>((resume) => {
          const created = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
        }),
        (created) => Effect.sync(() => void created.close())
      )
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const error = yield* Effect.flip(start({ config: { listen: `127.0.0.1:${port}` } }))
      assert.deepStrictEqual([error._tag, /EADDRINUSE/.test(error.message)], ["ListenFailed", true])
    }))
})

describe("the log", () => {
  it("drops and counts what nobody takes", () => {
    const metrics = HealthMetrics.make()
    const written: Array<string> = []
    let pending = 0
    const write = LogSink.bounded({ write: (text) => void written.push(text), pending: () => pending }, metrics)
    write("a")
    pending = LogSink.maxPending
    write("b")
    pending = 0
    write("c")
    assert.deepStrictEqual([written, metrics.get("log_dropped_total")], [["a\n", "c\n"], 1])
  })
})
