import { assert, describe, it } from "@effect/vitest"
import { PoolSpace } from "../src/index.js"

const pool = (available: number) => ({ size: 128_000, available, health: "ONLINE" })

describe("PoolSpace", () => {
  it("says what the pool has left when nothing is said yet", () => {
    assert.strictEqual(PoolSpace.change(undefined, pool(64_000.7), 0, 0), "64000")
    assert.strictEqual(PoolSpace.change("some", pool(-3), 0, 0), "0")
    assert.strictEqual(PoolSpace.change("64000", undefined, 0, 100_000), undefined)
  })

  it("tells larger changes, and once a minute at most", () => {
    assert.strictEqual(PoolSpace.change("64000", pool(64_999), 0, 100_000), undefined)
    assert.strictEqual(PoolSpace.change("64000", pool(65_000), 0, 100_000), "65000")
    assert.strictEqual(PoolSpace.change("64000", pool(10_000), 0, 59_999), undefined)
    assert.strictEqual(PoolSpace.change("64000", pool(10_000), 0, 60_000), "10000")
  })
})
