import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Slabs from "../src/internal/slabs.js"

const placed = (text: string): Slabs.Placed => ({ bytes: new TextEncoder().encode(text), slab: undefined })
const textOf = ({ bytes }: Slabs.Placed) => new TextDecoder().decode(bytes)

describe("slabs", () => {
  it("leave large objects where they are", () => {
    const slabs = Slabs.make(64)
    const large = placed("x".repeat(9))
    const { bytes } = large
    slabs.place(large)
    assert.strictEqual(large.bytes, bytes)
    slabs.remove(large)
    assert.strictEqual(slabs.size(), 0)
  })

  it("keep what is there and what was there readable, and do not grow with time", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.array(FastCheck.record({ at: FastCheck.nat({ max: 19 }), text: FastCheck.string({ maxLength: 8 }) }), { maxLength: 400 }),
      (writes) => {
        const slabs = Slabs.make(64)
        const current = new Map<number, { readonly entry: Slabs.Placed; readonly text: string }>()
        const former: Array<{ readonly bytes: Uint8Array; readonly text: string }> = []
        for (const { at, text } of writes) {
          const entry = placed(text)
          const before = current.get(at)
          current.set(at, { entry, text: textOf(entry) })
          slabs.place(entry)
          if (before !== undefined) {
            former.push({ bytes: before.entry.bytes, text: before.text })
            slabs.remove(before.entry)
          }
        }
        for (const { entry, text } of current.values()) assert.strictEqual(textOf(entry), text)
        for (const { bytes, text } of former) assert.strictEqual(new TextDecoder().decode(bytes), text)
        const live = [...current.values()].reduce((sum, { entry }) => sum + (entry.slab === undefined ? 0 : entry.bytes.length), 0)
        // At least half of each slab is in use, but for the current one and the one that was filled last.
        assert.isAtMost(slabs.size(), 2 * live + 3 * 64)
      }
    ))
  })
})
