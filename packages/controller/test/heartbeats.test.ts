import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as heartbeats from "../src/internal/heartbeats.js"

describe("heartbeats", () => {
  it("counts from the last change", () => {
    const heard = heartbeats.make(0)
    assert.deepStrictEqual([heard.observe("n", "a", 1000, "watch"), heard.observe("n", "a", 5000, "watch"), heard.observe("n", "b", 6000, "watch"), heard.observe("n", "b", 9000, "watch")], [1000, 1000, 6000, 6000])
  })

  it("takes an old value that comes late for no news", () => {
    const heard = heartbeats.make(0)
    heard.observe("n", "a", 1000, "watch")
    heard.observe("n", "b", 2000, "watch")
    assert.strictEqual(heard.observe("n", "a", 9000, "watch"), 2000)
  })

  it("is not misled by a watch that shows the same for ever while direct reads go on", () => {
    const heard = heartbeats.make(0)
    heard.observe("n", "stuck", 0, "watch")
    for (let n = 1; n <= 10; n++) {
      heard.tick(n * 10_000)
      heard.observe("n", `read ${n}`, n * 10_000, "read")
    }
    assert.strictEqual(heard.observe("n", "stuck", 105_000, "watch"), 100_000)
  })

  it("starts anew when the process itself was stopped", () => {
    const heard = heartbeats.make(0)
    heard.observe("n", "a", 1000, "watch")
    for (let now = 5000; now <= 30_000; now += 5000) heard.tick(now)
    assert.strictEqual(heard.observe("n", "a", 31_000, "watch"), 1000)
    assert.strictEqual(heard.observe("n", "a", 3_600_000, "watch"), 3_600_000)
  })

  it.prop(
    "never says that a node was heard of in the future or before its last change",
    [FastCheck.array(FastCheck.tuple(FastCheck.integer({ min: 0, max: 8000 }), FastCheck.nat(10)), { maxLength: 40 })],
    ([steps]) => {
      const heard = heartbeats.make(0)
      let now = 0
      let last = 0
      for (const [delay, value] of steps) {
        now += delay
        const at = heard.observe("n", `${value}`, now, value % 2 === 0 ? "watch" : "read")
        assert.isTrue(at >= last && at <= now)
        last = at
      }
    }
  )
})
