import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Recent from "../src/internal/recent.js"

class Box implements Recent.Holder {
  used = false
  holds = true
  readonly name: string
  readonly held: number
  constructor(name: string, held = 1) {
    this.name = name
    this.held = held
  }
  drop(): void {
    this.holds = false
  }
}

const kept = (boxes: ReadonlyArray<Box>) => boxes.filter(({ holds }) => holds).map(({ name }) => name)

const boxes = (...names: ReadonlyArray<string>) => names.map((name) => new Box(name))

describe("what may be thrown away", () => {
  it("goes when there is more than fits, the oldest first", () => {
    const recent = Recent.make(3, 100)
    const all = boxes("a", "b", "c", "d", "e")
    for (const box of all) recent.add(box)
    assert.deepStrictEqual(kept(all), ["c", "d", "e"])
  })

  it("stays for another round when it was used", () => {
    const recent = Recent.make(3, 100)
    const all = boxes("a", "b", "c")
    for (const box of all) recent.add(box)
    if (all[0] !== undefined) all[0].used = true
    const next = boxes("d", "e")
    for (const box of next) recent.add(box)
    assert.deepStrictEqual([...kept(all), ...kept(next)], ["a", "d", "e"])
  })

  it("goes when the bytes are too many, even if it was used", () => {
    const recent = Recent.make(10, 100)
    const all = [new Box("a", 40), new Box("b", 40), new Box("c", 40)]
    for (const box of all) {
      recent.add(box)
      box.used = true
    }
    assert.deepStrictEqual(kept(all), ["b", "c"])
    // What is larger than everything that fits is kept for the moment alone.
    const large = new Box("large", 1000)
    recent.add(large)
    assert.deepStrictEqual([...kept(all), ...kept([large])], ["large"])
  })

  it("is never more than the bounds, whatever is used", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.array(FastCheck.record({ size: FastCheck.integer({ min: 1, max: 30 }), use: FastCheck.nat({ max: 20 }) }), { maxLength: 60 }),
      (steps) => {
        const recent = Recent.make(8, 50)
        const all: Array<Box> = []
        for (const { size, use } of steps) {
          const box = new Box(String(all.length), size)
          recent.add(box)
          all.push(box)
          const other = all[use]
          if (other !== undefined) other.used = true
          const holding = all.filter(({ holds }) => holds)
          assert.isAtMost(holding.length, 8)
          assert.isAtMost(holding.reduce((sum, { held }) => sum + held, 0), 50)
          assert.isTrue(box.holds)
        }
      }
    ))
  })
})
