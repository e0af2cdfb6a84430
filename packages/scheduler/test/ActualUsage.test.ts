import { assert, describe, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Effect, FastCheck as fc, TestClock } from "effect"
import { ActualUsage, MeasuredUsage, NodeInfo } from "../src/index.js"
import { settle, until } from "./support/fakeCluster.js"
import { node, podInfo } from "./support/objects.js"

const gib = 1024 ** 3
const info = NodeInfo.make(node("n", { cpu: "4", memory: "8Gi" }), [podInfo("other", { cpu: "1", memory: "2Gi" })])
const pod = podInfo("p", { cpu: "1", memory: "2Gi" })

const scoreAt = (now: number, usage: MeasuredUsage.Usage | undefined): number =>
  ActualUsage.score(pod, info, { of: () => usage, now: () => now }, 60_000)

const measured = (cpuMillis: number, memory: number): MeasuredUsage.Usage => ({ cpuMillis, memoryBytes: memory * gib, measuredAt: 0 })

describe("ActualUsage", () => {
  it("scores by requests where nothing is measured", () => {
    assert.strictEqual(scoreAt(0, undefined), 50)
  })

  it("scores by what is used where that is more", () => {
    assert.strictEqual(scoreAt(0, measured(3000, 2)), 25)
    assert.strictEqual(scoreAt(0, measured(3000, 6)), 0)
    assert.strictEqual(scoreAt(0, measured(9000, 99)), 0)
  })

  it("has requests as the floor", () => {
    assert.strictEqual(scoreAt(0, measured(10, 0.1)), 50)
  })

  it("lets old measurements fade into the requests", () => {
    assert.strictEqual(scoreAt(60_000, measured(3000, 6)), 25)
    assert.strictEqual(scoreAt(120_000, measured(3000, 6)), 37)
    assert.strictEqual(scoreAt(86_400_000, measured(3000, 6)), 50)
  })

  it("gives nothing to a node without capacity", () => {
    assert.strictEqual(ActualUsage.score(pod, NodeInfo.make(node("n", { cpu: "0" })), { of: () => undefined, now: () => 0 }, 1), 0)
  })
})

describe("smoothing", () => {
  const at = (cpuMillis: number, measuredAt: number): MeasuredUsage.Usage => ({ cpuMillis, memoryBytes: 0, measuredAt })

  it("takes half of the old value after a half-life", () => {
    assert.strictEqual(MeasuredUsage.smoothed(undefined, at(100, 5), 1000).cpuMillis, 100)
    assert.strictEqual(MeasuredUsage.smoothed(at(100, 0), at(200, 1000), 1000).cpuMillis, 150)
    assert.strictEqual(MeasuredUsage.smoothed(at(100, 0), at(200, 2000), 1000).cpuMillis, 175)
  })

  it("ignores what is not newer", () => {
    assert.strictEqual(MeasuredUsage.smoothed(at(100, 10), at(200, 10), 1000).cpuMillis, 100)
  })

  it.prop("stays between what was and what is", [fc.nat(10_000), fc.nat(10_000), fc.integer({ min: 1, max: 1_000_000 })], ([before, next, passed]) => {
    const { cpuMillis } = MeasuredUsage.smoothed(at(before, 0), at(next, passed), 5000)
    assert.isTrue(cpuMillis >= Math.min(before, next) - 1e-9 && cpuMillis <= Math.max(before, next) + 1e-9)
  })
})

describe("measurements", () => {
  const kinds = [...Kinds.all, Kinds.nodeMetrics]
  const measure = (name: string, cpu: string, timestamp: string) =>
    Effect.flatMap(ApiClient.ApiClient, (client) =>
      client.create(Kinds.nodeMetrics, { metadata: { name }, timestamp, window: "15s", usage: { cpu, memory: "1Gi" } }))

  it.scoped("are read again and again, and forgotten when they are gone", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* measure("n", "500m", "1970-01-01T00:00:00Z")
      const usage = yield* MeasuredUsage.make({ halfLife: "15 seconds" })
      const first = yield* until("the node is measured", () => usage.of("n"))
      assert.deepStrictEqual(first, { cpuMillis: 500, memoryBytes: gib, measuredAt: 0 })

      yield* client.delete(Kinds.nodeMetrics, { name: "n" })
      yield* measure("n", "1500m", "1970-01-01T00:00:15Z")
      yield* TestClock.adjust("15 seconds")
      const second = yield* until("the node is measured again", () => usage.of("n")?.measuredAt === 15_000 ? usage.of("n") : undefined)
      assert.strictEqual(second.cpuMillis, 1000)

      yield* client.delete(Kinds.nodeMetrics, { name: "n" })
      yield* TestClock.adjust("15 seconds")
      yield* until("the node is forgotten", () => usage.of("n") === undefined)
    }).pipe(Effect.provide(FakeApi.layer({ kinds }))))

  it.scoped("may be missing altogether", () =>
    Effect.gen(function*() {
      const usage = yield* MeasuredUsage.make({ halfLife: "15 seconds" })
      yield* settle
      assert.strictEqual(usage.of("n"), undefined)
    }).pipe(Effect.provide(FakeApi.layer())))
})
