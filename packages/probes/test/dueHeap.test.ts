import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as dueHeap from "../src/internal/dueHeap.js"

const steps = FastCheck.array(
  FastCheck.oneof(
    FastCheck.record({ put: FastCheck.nat(20), due: FastCheck.nat(50) }),
    FastCheck.record({ remove: FastCheck.nat(20) })
  ),
  { maxLength: 200 }
)

describe("dueHeap", () => {
  it.prop("always has the least of what is in it first, whatever is put, moved and taken out", [steps], ([all]) => {
    const heap = dueHeap.make()
    const things = Array.from({ length: 21 }, () => ({ due: 0, place: -1 }))
    const model = new Map<number, number>()
    for (const step of all) {
      if ("put" in step) {
        heap.put(things[step.put] ?? { due: 0, place: -1 }, step.due)
        model.set(step.put, step.due)
      } else {
        heap.remove(things[step.remove] ?? { due: 0, place: -1 })
        model.delete(step.remove)
      }
      assert.strictEqual(heap.size(), model.size)
      assert.strictEqual(heap.first()?.due, model.size === 0 ? undefined : Math.min(...model.values()))
    }
    const drained: Array<number> = []
    for (let first = heap.first(); first !== undefined; first = heap.first()) {
      drained.push(first.due)
      heap.remove(first)
    }
    assert.deepStrictEqual(drained, [...model.values()].toSorted((a, b) => a - b))
  })
})
