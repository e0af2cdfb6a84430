/** Balancers that ask too often, and callers that ask nonsense. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, FastCheck } from "effect"
import { Agent } from "node:http"
import { settle } from "vitest-config/waiting"
import { CheckSelection, type HealthCheck, Observation } from "../src/index.js"
import { json, request, start } from "./support/health.js"

const check = (observe: Effect.Effect<Observation.Observation>, more: Partial<HealthCheck.HealthCheck> = {}): HealthCheck.HealthCheck => ({
  name: "c",
  timeout: Duration.seconds(1),
  cacheTtl: Duration.seconds(1),
  onUnknown: "fail",
  needsNodeName: false,
  observe,
  ...more
})

describe("load", () => {
  it.scopedLive("5000 requests: one look for each time to live", () =>
    Effect.gen(function*() {
      let looks = 0
      const { port } = yield* start({ config: { default_checks: ["c"], max_in_flight: 4096 }, checks: [check(Effect.sync(() => (looks += 1, Observation.pass())))] })
      const agent = yield* Effect.acquireRelease(Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 16 })), (agent) => Effect.sync(() => agent.destroy()))
      const begun = performance.now()
      const replies = yield* Effect.forEach(Array.from({ length: 5000 }), () => request(port, "/health", { agent }), { concurrency: 16 })
      const seconds = (performance.now() - begun) / 1000
      assert.isTrue(replies.every(({ status }) => status === 200))
      assert.isAtMost(looks, Math.ceil(seconds) + 1)
    }), 60_000)

  it.scopedLive("more than fit get the last results when they are young, else 503 overloaded", () =>
    Effect.gen(function*() {
      let gate: Deferred.Deferred<void> | undefined
      const observe = Effect.suspend(() => gate === undefined ? Effect.succeed(Observation.pass()) : Effect.as(Deferred.await(gate), Observation.pass()))
      const { get } = yield* start({ config: { default_checks: ["c"], max_in_flight: 2 }, checks: [check(observe, { cacheTtl: Duration.zero }), check(Effect.succeed(Observation.pass()), { name: "fresh", cacheTtl: Duration.zero })] })
      assert.strictEqual((yield* get("/health")).status, 200)
      gate = yield* Deferred.make<void>()
      const waiting = yield* Effect.fork(Effect.all([get("/health"), get("/health")], { concurrency: 2 }))
      yield* settle
      const third = yield* get("/health")
      assert.strictEqual(third.status, 200)
      assert.isNumber(json(third).checks[0]?.["stale_ms"])
      const unseen = yield* get("/health?check=fresh")
      assert.deepStrictEqual([unseen.status, json(unseen).checks[0]?.["reason"]], [503, "overloaded"])
      yield* Deferred.succeed(gate, undefined)
      yield* waiting
    }))
})

describe("check= is fuzzed", () => {
  const bytes = FastCheck.uint8Array({ maxLength: 200 }).map((array) => [...array].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""))
  const raw = FastCheck.string({ unit: "binary", maxLength: 200 })
  const words = FastCheck.array(FastCheck.constantFrom("c", "c", ",", "%2C", "%", "%zz", "&check=", "+", "tcp:22", "http:22/", "smf:svc:/a:b", "zpool:x", "x".repeat(60)), { maxLength: 60 }).map((parts) => parts.join(""))

  it.prop("parsing never breaks and keeps its bounds", { query: FastCheck.oneof(bytes, raw, words) }, ({ query }) => {
    const parsed = CheckSelection.parse(`check=${query}`)
    if (parsed._tag === "Left" || parsed.right === undefined) return
    assert.isAtMost(parsed.right.length, CheckSelection.maxNames)
    assert.strictEqual(new Set(parsed.right).size, parsed.right.length)
    for (const name of parsed.right) assert.isTrue(name !== "" && Buffer.byteLength(name) <= CheckSelection.maxNameBytes)
  })

  it.scopedLive("answers are always 200, 400 or 503, and nothing is touched that is not allowed", () =>
    Effect.gen(function*() {
      const touched: Array<string> = []
      const touch = (what: string) => Effect.sync(() => void touched.push(what))
      const { get } = yield* start({
        checks: [check(Effect.succeed(Observation.pass()))],
        host: {
          connect: (target) => touch(JSON.stringify(target)),
          get: (url) => Effect.as(touch(url), { status: 200, body: "" }),
          run: (line) => Effect.as(touch(line.program), { exitCode: 0, stdout: "", stderr: "" })
        }
      })
      const queries = [...FastCheck.sample(bytes, 60), ...FastCheck.sample(words, 120), "x".repeat(10_000), "c,".repeat(5000), "%00", "c%0d%0aX:%20y", "..%2f..", "c".repeat(128)]
      for (const query of queries) {
        const reply = yield* get(`/health?check=${query}`)
        assert.include([200, 400, 500, 503], reply.status)
        // The default set, which needs a name, is what is left of an empty list.
        if (reply.status === 500) assert.match(String(json(reply)["error"]), /needs the name of the node/)
        JSON.parse(reply.body)
      }
      assert.deepStrictEqual(touched, [])
      assert.strictEqual((yield* get("/health?check=c")).status, 200)
      assert.notInclude((yield* get("/metrics")).body, "tcp:22")
    }), 60_000)
})
