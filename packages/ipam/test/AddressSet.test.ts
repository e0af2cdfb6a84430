import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { AddressSet } from "../src/internal/addressSet.js"

describe("AddressSet", () => {
  it.prop(
    "finds what a plain search over a set finds",
    [
      fc.integer({ min: 1, max: 3000 }),
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 2999 }), fc.integer({ min: 1, max: 1100 })), { maxLength: 12 }),
      fc.integer({ min: 0, max: 2999 })
    ],
    ([size, changes, from]) => {
      const set = new AddressSet(BigInt(size))
      const model = new Set<number>()
      for (const [add, start, length] of changes) {
        for (let offset = start; offset < Math.min(size, start + length); offset++) {
          if (add) {
            set.add(BigInt(offset))
            model.add(offset)
          } else {
            set.delete(BigInt(offset))
            model.delete(offset)
          }
        }
      }
      let expected: number | undefined = from
      while (expected < size && model.has(expected)) expected += 1
      if (expected >= size) expected = undefined
      return set.nextAbsent(BigInt(from)) === (expected === undefined ? undefined : BigInt(expected)) &&
        set.has(BigInt(from)) === model.has(from)
    }
  )

  it("jumps over a million taken offsets of a large pool", () => {
    const set = new AddressSet(2n ** 24n)
    for (let offset = 0n; offset < 1_000_000n; offset++) set.add(offset)
    assert.strictEqual(set.nextAbsent(0n), 1_000_000n)
    set.delete(77n)
    assert.strictEqual(set.nextAbsent(0n), 77n)
    assert.strictEqual(set.nextAbsent(78n), 1_000_000n)
  })
})
