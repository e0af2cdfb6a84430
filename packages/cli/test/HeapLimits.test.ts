/** When a quiet program collects its heap. */
import { assert, describe, it } from "@effect/vitest"
import { HeapLimits } from "@reddwarf/cli"

const mebibyte = 1024 * 1024

describe("a collection of a quiet program", () => {
  it("is worth it after the start, and after work that left much", () => {
    assert.isTrue(HeapLimits.isWorthwhile(20 * mebibyte, 0))
    assert.isTrue(HeapLimits.isWorthwhile(23 * mebibyte, 20 * mebibyte))
    assert.isTrue(HeapLimits.isWorthwhile(56 * mebibyte, 50 * mebibyte))
  })

  it("is not for a little, as little is measured by the heap", () => {
    assert.isFalse(HeapLimits.isWorthwhile(21 * mebibyte, 20 * mebibyte))
    assert.isFalse(HeapLimits.isWorthwhile(54 * mebibyte, 50 * mebibyte))
    assert.isFalse(HeapLimits.isWorthwhile(10 * mebibyte, 50 * mebibyte))
  })
})
