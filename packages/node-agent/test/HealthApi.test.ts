/** The agent's own health: evidence of its parts, and what is left behind for others. */
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { HealthApi } from "@reddwarf/node-agent"
import { AgentStatus } from "@reddwarf/node-health"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { readFileSync, rmSync } from "node:fs"
import { get } from "node:http"
import { createServer } from "node:net"
import { join } from "node:path"
import { settle, until } from "vitest-config/waiting"
import { directories } from "./support/harness.js"

const pod = (name: string, priority: number): CoreV1.Pod => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default", uid: name }, spec: { priority, containers: [] } })

const asked = (port: number, path: string) =>
  Effect.async<readonly [number, string]>((resume) => {
    get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (text: string) => (body += text))
      response.once("end", () => resume(Effect.succeed([response.statusCode ?? 0, body])))
    }).on("error", (error) => resume(Effect.die(error)))
  })

const statusIn = (dataDir: string) =>
  until("the status file", Effect.sync(() => {
    try {
      return AgentStatus.decode(readFileSync(join(dataDir, AgentStatus.fileName), "utf8"))
    } catch {
      return undefined
    }
  }))

const start = (more: Partial<HealthApi.Options> = {}) =>
  Effect.gen(function*() {
    const { dataDir } = yield* directories
    const api = yield* HealthApi.make({
      port: 0,
      dataDir,
      zoneStates: Effect.succeed(new Map()),
      lastPassEnd: () => undefined,
      pods: () => [pod("a", 0), pod("b", 2_000_000_000)],
      zoneOf: ({ metadata }) => `zone-${metadata.name}`,
      maxPods: 110,
      brands: ["lx"],
      ...more
    })
    const port = yield* until("it listens", Effect.sync(api.port))
    return { dataDir, api, ask: (path: string) => asked(port, path) }
  }).pipe(Effect.provide(NodeContext.layer))

describe("/healthz", () => {
  it.scopedLive("says ok, and leaves evidence for the health endpoint of the node", () =>
    Effect.gen(function*() {
      const { ask, dataDir } = yield* start()
      const status = yield* statusIn(dataDir)
      assert.deepStrictEqual({ ...status, zonesListedAt: 0 }, { version: 1, pid: process.pid, zonesListedAt: 0, brands: ["lx"], zones: [{ name: "zone-a", critical: false }, { name: "zone-b", critical: true }], pods: 2, maxPods: 110 })
      assert.deepStrictEqual(yield* ask("/healthz"), [200, "ok"])
      assert.deepStrictEqual(yield* ask("/healthz?verbose"), [200, "[+]ledger ok\n[+]reconcile ok\n[+]runtime ok\nhealthz check passed\n"])
      assert.strictEqual((yield* ask("/other"))[0], 404)
    }))

  it.scopedLive("leaves the evidence also when nobody may ask for it", () =>
    Effect.gen(function*() {
      const { dataDir } = yield* directories
      const listedAt = yield* Clock.currentTimeMillis
      const api = yield* HealthApi.make({ port: undefined, dataDir, zoneStates: Effect.succeed(new Map()), lastPassEnd: () => undefined, pods: () => [], zoneOf: () => "", maxPods: 1, brands: [] })
      const status = yield* statusIn(dataDir)
      assert.isAtLeast(status.zonesListedAt, listedAt)
      assert.isUndefined(api.port())
    }).pipe(Effect.provide(NodeContext.layer)))

  it("evidence is good for three minutes", () => {
    const good = { at: 1000, problem: undefined }
    assert.isUndefined(HealthApi.judge(good, 1000 + HealthApi.evidenceMillis - 1))
    assert.strictEqual(HealthApi.judge(good, 1000 + HealthApi.evidenceMillis), "nothing heard for 180 s")
    assert.strictEqual(HealthApi.judge({ at: 1000, problem: "x" }, 1000), "x")
  })

  it.scopedLive("fails when no pass ended for three minutes", () =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      let passEnd = now - HealthApi.evidenceMillis
      const { ask } = yield* start({ lastPassEnd: () => passEnd })
      const [code, body] = yield* ask("/healthz")
      assert.strictEqual(code, 500)
      assert.match(body, /^\[\+\]ledger ok\n\[-\]reconcile failed: nothing heard for 18\d s\n\[\+\]runtime ok\nhealthz check failed\n$/)
      passEnd = now
      assert.strictEqual((yield* ask("/healthz"))[0], 200)
    }))

  it.scopedLive("fails at once when the ledger cannot be written or the runtime does not answer, and recovers", () =>
    Effect.gen(function*() {
      let problem: string | undefined
      const { ask, dataDir } = yield* start({
        interval: "20 millis",
        zoneStates: Effect.suspend(() => problem === undefined ? Effect.succeed(new Map<string, string>()) : Effect.fail({ message: problem }))
      })
      problem = "zoneadm is not there"
      yield* until("the failure", Effect.map(ask("/healthz"), ([code, body]) => code === 500 && body.includes("[-]runtime failed: zoneadm is not there")))
      problem = undefined
      yield* until("recovery", Effect.map(ask("/healthz"), ([code]) => code === 200))
      rmSync(dataDir, { recursive: true, maxRetries: 5 })
      yield* until("the failure", Effect.map(ask("/healthz?verbose"), ([code, body]) => code === 500 && body.includes("[-]ledger failed: ")))
    }))

  it.scoped("a port that is taken is tried again", () =>
    Effect.gen(function*() {
      const other = yield* Effect.async<ReturnType<typeof createServer>>((resume) => {
        const created = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
      })
      const address = other.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const { dataDir } = yield* directories
      const api = yield* HealthApi.make({ port, dataDir, zoneStates: Effect.succeed(new Map()), lastPassEnd: () => undefined, pods: () => [], zoneOf: () => "", maxPods: 1, brands: [] })
      yield* settle
      assert.isUndefined(api.port())
      yield* Effect.async<void>((resume) => void other.close(() => resume(Effect.void)))
      yield* TestClock.adjust("10 seconds")
      yield* until("it listens", Effect.sync(api.port))
    }).pipe(Effect.provide(NodeContext.layer)))
})
