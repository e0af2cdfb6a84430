/** The HTTP contract, row by row. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { type HealthCheck, HealthConfig, Observation } from "../src/index.js"
import * as FakeApi from "./support/api.js"
import { json, start } from "./support/health.js"

const check = (name: string, observe: Effect.Effect<Observation.Observation>, more: Partial<HealthCheck.HealthCheck> = {}): HealthCheck.HealthCheck => ({
  name,
  timeout: Duration.seconds(1),
  cacheTtl: Duration.zero,
  onUnknown: "fail",
  needsNodeName: false,
  observe,
  ...more
})
const good = (name: string) => check(name, Effect.succeed(Observation.pass()))
const bad = (name: string) => check(name, Effect.succeed(Observation.fail("it is broken")))

const named = { node_name: "n1" }

describe("requests", () => {
  it.scopedLive("without check= only node_ready runs", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make
      const { get } = yield* start({ config: named, api: api.url })
      const reply = yield* get("/health")
      assert.strictEqual(reply.status, 200)
      assert.deepStrictEqual(Object.keys(json(reply)), ["status", "checks", "total_duration_ms"])
      assert.strictEqual(json(reply)["status"], "ready")
      const [only, ...others] = json(reply).checks
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual({ ...only, duration_ms: 0 }, { name: "node_ready", passed: true, duration_ms: 0, observed: "pass" })
      assert.isTrue(Number.isInteger(only?.["duration_ms"]) && Number.isInteger(json(reply)["total_duration_ms"]))
      assert.strictEqual(reply.headers["content-type"], "application/json")
      assert.strictEqual(reply.headers["cache-control"], "no-store")
    }))

  it.scopedLive("check= replaces the default set", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make
      const asked: Array<string> = []
      const router = (status: number) => ({ get: (url: string) => Effect.sync(() => (asked.push(url), { status, body: "" })) })
      const { get } = yield* start({ config: named, api: api.url, host: router(204) })
      const alone = yield* get("/health?check=okd_router_1936")
      assert.strictEqual(alone.status, 200)
      assert.deepStrictEqual(json(alone).checks.map(({ name }) => name), ["okd_router_1936"])
      assert.strictEqual(api.requests(), 0)
      assert.deepStrictEqual(asked, ["http://127.0.0.1:1936/healthz/ready"])
      const both = yield* get("/health?check=node_ready,okd_router_1936")
      assert.deepStrictEqual(json(both).checks.map(({ name, passed }) => [name, passed]), [["node_ready", true], ["okd_router_1936", true]])
    }))

  it.scopedLive("one failure is 503 and named, the others still run, in the order asked", () =>
    Effect.gen(function*() {
      const { get } = yield* start({ config: { default_checks: ["good"] }, checks: [good("good"), bad("bad")] })
      const reply = yield* get("/health?check=bad,good")
      assert.strictEqual(reply.status, 503)
      assert.strictEqual(json(reply)["status"], "not-ready")
      assert.deepStrictEqual(json(reply).checks.map(({ duration_ms: _, ...rest }) => rest), [
        { name: "bad", passed: false, reason: "it is broken", observed: "fail" },
        { name: "good", passed: true, observed: "pass" }
      ])
    }))

  for (const status of [200, 204, 299]) {
    it.scopedLive(`okd_router_1936 passes on ${status}`, () =>
      Effect.gen(function*() {
        const { get } = yield* start({ host: { get: () => Effect.succeed({ status, body: "" }) } })
        assert.strictEqual((yield* get("/health?check=okd_router_1936")).status, 200)
      }))
  }
  for (const status of [301, 400, 404, 500, 503]) {
    it.scopedLive(`okd_router_1936 fails on ${status}`, () =>
      Effect.gen(function*() {
        const { get } = yield* start({ host: { get: () => Effect.succeed({ status, body: "" }) } })
        const reply = yield* get("/health?check=okd_router_1936")
        assert.strictEqual(reply.status, 503)
        assert.strictEqual(json(reply).checks[0]?.["reason"], `status ${status}`)
      }))
  }

  it.scopedLive("unknown names fail, with their name, beside others that run", () =>
    Effect.gen(function*() {
      const { get } = yield* start({ checks: [good("good")] })
      const reply = yield* get("/health?check=nonsense,good")
      assert.strictEqual(reply.status, 503)
      assert.deepStrictEqual(json(reply).checks.map(({ name, passed, reason }) => [name, passed, reason]), [
        ["nonsense", false, "Unknown check: nonsense"],
        ["good", true, undefined]
      ])
    }))

  const selections: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["check=a,b,a", ["a", "b"]],
    ["check=,a,,b,", ["a", "b"]],
    ["check=a%2Cb", ["a", "b"]],
    ["check=b&check=a&check=b", ["b", "a"]],
    ["check=", ["c"]],
    ["check=,%2C,", ["c"]],
    ["other=a", ["c"]]
  ]
  for (const [query, names] of selections) {
    it.scopedLive(`${query} selects ${names.join(",")}`, () =>
      Effect.gen(function*() {
        const { get } = yield* start({ config: { default_checks: ["c"] }, checks: [good("a"), good("b"), good("c")] })
        assert.deepStrictEqual(json(yield* get(`/health?${query}`)).checks.map(({ name }) => name), [...names])
      }))
  }

  it.scopedLive("too many names, and names that are too long, are 400", () =>
    Effect.gen(function*() {
      const { get } = yield* start()
      const many = Array.from({ length: 17 }, (_, at) => `c${at}`)
      assert.strictEqual((yield* get(`/health?check=${many.join(",")}`)).status, 400)
      assert.strictEqual((yield* get(`/health?check=${many.slice(0, 16).join(",")}`)).status, 503)
      assert.strictEqual((yield* get(`/health?check=${"x".repeat(129)}`)).status, 400)
      assert.strictEqual((yield* get(`/health?check=${"x".repeat(128)}`)).status, 503)
      assert.strictEqual((yield* get(`/health?check=${encodeURIComponent("ä".repeat(65))}`)).status, 400)
    }))

  it.scopedLive("HEAD is GET without a body; other methods 405, other paths 404", () =>
    Effect.gen(function*() {
      const { get } = yield* start({ checks: [good("good"), bad("bad")] })
      const head = yield* get("/health?check=good", "HEAD")
      assert.deepStrictEqual([head.status, head.body, head.headers["content-type"]], [200, "", "application/json"])
      assert.isAbove(Number(head.headers["content-length"]), 0)
      assert.strictEqual((yield* get("/health?check=bad", "HEAD")).status, 503)
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
        const reply = yield* get("/health", method)
        assert.deepStrictEqual([reply.status, reply.headers["allow"]], [405, "GET, HEAD"])
      }
      for (const path of ["/", "/healthz", "/health/", "/Health", "//health"]) assert.strictEqual((yield* get(path)).status, 404)
      assert.strictEqual((yield* get("/livez")).status, 200)
      assert.include((yield* get("/metrics")).body, "reddwarf_node_health_requests_total{code=\"503\"} 1")
    }))

  it.scopedLive("the total is the wall clock, not the sum", () =>
    Effect.gen(function*() {
      const slow = (name: string) => check(name, Effect.delay(Effect.succeed(Observation.pass()), "150 millis"))
      const { get } = yield* start({ checks: [slow("a"), slow("b"), slow("c")] })
      const reply = json(yield* get("/health?check=a,b,c"))
      const parts = reply.checks.map(({ duration_ms: part }) => Number(part))
      assert.isTrue(parts.every((part) => part >= 140), parts.join())
      assert.isBelow(Number(reply["total_duration_ms"]), parts.reduce((sum, part) => sum + part, 0))
    }))
})

describe("the name of the node", () => {
  it.scopedLive("is needed by node_ready, custom_conditions and schedulable only", () =>
    Effect.gen(function*() {
      for (const config of [{}, { node_name: "" }]) {
        const { get } = yield* start({ config, checks: [good("good")] })
        for (const name of ["node_ready", "custom_conditions", "schedulable"]) {
          const reply = yield* get(`/health?check=${name}`)
          assert.strictEqual(reply.status, 500)
          assert.deepStrictEqual(json(reply), { status: "not-ready", checks: [], total_duration_ms: 0, error: `the check ${name} needs the name of the node: set NODE_NAME` })
        }
        assert.strictEqual((yield* get("/health")).status, 500)
        assert.strictEqual((yield* get("/health?check=good,node_ready")).status, 500)
        assert.strictEqual((yield* get("/health?check=good")).status, 200)
      }
    }))
})

describe("what may be asked", () => {
  it.scopedLive("names with a parameter must be allowed; others count as unknown and touch nothing", () =>
    Effect.gen(function*() {
      const touched: Array<string> = []
      const { get } = yield* start({
        config: { allowed_checks: ["http:8080/ready", "tcp:90*"] },
        host: {
          get: (url) => Effect.sync(() => (touched.push(url), { status: 200, body: "" })),
          connect: (target) => Effect.sync(() => void touched.push(JSON.stringify(target)))
        }
      })
      assert.strictEqual((yield* get("/health?check=http:8080/ready")).status, 200)
      assert.strictEqual((yield* get("/health?check=tcp:9090")).status, 200)
      assert.deepStrictEqual(touched, ["http://127.0.0.1:8080/ready", "{\"host\":\"127.0.0.1\",\"port\":9090}"])
      for (const name of ["http:8080/other", "http:22/", "tcp:22", "tcp:80", "smf:svc:/network/ssh:default", "unit:ssh", "zpool:rpool", "tcp:90x", "http:8080/ready/../x"]) {
        const reply = yield* get(`/health?check=${name}`)
        assert.strictEqual(reply.status, 503)
        assert.strictEqual(json(reply).checks[0]?.["reason"], `Unknown check: ${name}`)
      }
      assert.strictEqual(touched.length, 2)
    }))

  it.scopedLive("addresses outside of allow_cidrs get 403 without a body", () =>
    Effect.gen(function*() {
      const outside = yield* start({ config: { allow_cidrs: ["10.0.0.0/8", "fd00::/8"] } })
      const reply = yield* outside.get("/health")
      assert.deepStrictEqual([reply.status, reply.body], [403, ""])
      const inside = yield* start({ config: { allow_cidrs: ["127.0.0.0/8"] }, checks: [good("good")] })
      assert.strictEqual((yield* inside.get("/health?check=good")).status, 200)
    }))
})

describe("defaults", () => {
  it("port 25001 on all addresses, node_ready, 15 s", () => {
    const { default_checks: checks, drain_seconds: drain, listen, max_in_flight: most } = HealthConfig.defaults
    assert.deepStrictEqual({ checks, drain, listen, most }, { checks: ["node_ready"], drain: 15, listen: { host: "0.0.0.0", port: 25_001 }, most: 64 })
  })
})
