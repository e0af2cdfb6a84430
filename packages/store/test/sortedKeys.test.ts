import { assert, describe, it } from "@effect/vitest"
import { Key } from "@reddwarf/store"
import * as FastCheck from "effect/FastCheck"
import * as SortedKeys from "../src/internal/sortedKeys.js"

const name = FastCheck.string({ minLength: 1, maxLength: 3, unit: FastCheck.constantFrom("/", "a", "b", "\u{ffee}", "\u{1f600}") })
const step = FastCheck.oneof(
  FastCheck.record({ kind: FastCheck.constant("toggle" as const), key: name }),
  FastCheck.record({ kind: FastCheck.constant("many" as const), key: name, count: FastCheck.integer({ min: 1, max: 3000 }) }),
  FastCheck.record({ kind: FastCheck.constant("clear" as const), key: name }),
  FastCheck.record({ kind: FastCheck.constant("read" as const), key: name })
)

describe("keys in their order", () => {
  it.prop("are those that are there, from any place on", [FastCheck.array(step, { maxLength: 40 })], ([steps]) => {
    const there = new Set<string>()
    const sorted = SortedKeys.make((key) => there.has(key))
    const toggle = (key: string) => {
      if (there.delete(key)) sorted.remove(key)
      else {
        there.add(key)
        sorted.add(key)
      }
    }
    for (const one of steps) {
      if (one.kind === "toggle") toggle(one.key)
      if (one.kind === "many") for (let i = 0; i < one.count; i++) toggle(`${one.key}${i * 7919 % one.count}`)
      if (one.kind === "clear") for (const key of there) if (key.startsWith(one.key)) toggle(key)
      if (one.kind !== "read") continue
      const next = sorted.from((key) => Key.compare(key, one.key) < 0)
      const found: Array<string> = []
      let last: string | undefined
      for (let key = next(); key !== undefined; key = next()) {
        // What is gone may still be seen, in its place, once.
        assert.isTrue(last === undefined || Key.compare(last, key) < 0)
        last = key
        if (there.has(key)) found.push(key)
      }
      assert.deepStrictEqual(found, [...there].filter((key) => Key.compare(key, one.key) >= 0).sort(Key.compare))
    }
  }, { fastCheck: { numRuns: 300 } })
})
