import { assert, describe, it } from "@effect/vitest"
import { NodeConditions } from "@reddwarf/node-agent"
import { sameJson } from "../src/internal/sameJson.js"

const now = 1_795_000_000_000

describe("NodeConditions", () => {
  const healthy: NodeConditions.Measurements = {
    notReady: undefined,
    memory: { total: 8e9, free: 4e9 },
    pool: { size: 100, available: 50, health: "ONLINE" },
    processes: { used: 10, limit: 30_000 }
  }
  it.each<readonly [string, Partial<NodeConditions.Measurements>, string, string]>([
    ["MemoryPressure", {}, "False", "KubeletHasSufficientMemory"],
    ["MemoryPressure", { memory: { total: 8e9, free: 1e6 } }, "True", "KubeletHasInsufficientMemory"],
    ["DiskPressure", { pool: { size: 100, available: 5, health: "ONLINE" } }, "True", "KubeletHasDiskPressure"],
    ["DiskPressure", { pool: { size: 100, available: 50, health: "SUSPENDED" } }, "True", "PoolNotHealthy"],
    ["DiskPressure", { pool: undefined }, "Unknown", "KubeletCannotMeasure"],
    ["PIDPressure", { processes: { used: 29_000, limit: 30_000 } }, "True", "KubeletHasInsufficientPID"],
    ["Ready", {}, "True", "KubeletReady"],
    ["Ready", { notReady: "no pool" }, "False", "KubeletNotReady"]
  ])("%s with %o is %s %s", (type, change, status, reason) => {
    const condition = NodeConditions.of(undefined, { ...healthy, ...change }, now).find((other) => other.type === type)
    assert.deepStrictEqual([condition?.status, condition?.reason], [status, reason])
  })

  it("keep their transition time while they stay", () => {
    const first = NodeConditions.of(undefined, healthy, now)
    const later = NodeConditions.of(first, healthy, now + 60_000)
    assert.isTrue(NodeConditions.same(first, later))
    assert.deepStrictEqual(later.map((condition) => condition.lastTransitionTime), first.map((condition) => condition.lastTransitionTime))
    assert.notDeepEqual(later[0]?.lastHeartbeatTime, first[0]?.lastHeartbeatTime)
  })
})

describe("sameJson", () => {
  it("ignores order and emptiness, and nothing else", () => {
    assert.isTrue(sameJson({ a: 1, b: [{ c: {} }] }, { b: [{}], a: 1, d: undefined, e: [] }))
    assert.isFalse(sameJson({ a: [1, 2] }, { a: [2, 1] }))
    assert.isFalse(sameJson({ a: 0 }, {}))
  })
})
