import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as ByteDelta from "../src/internal/byteDelta.js"

const encoder = new TextEncoder()

const difference = (text: string, base: string) => ByteDelta.encode(encoder.encode(text), encoder.encode(base), 1 << 20)

const pod = (revision: number, phase: string, conditions: ReadonlyArray<string>) =>
  JSON.stringify({
    metadata: { name: "web", resourceVersion: String(revision), labels: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`label-${i}`, `${i * 7919}`])) },
    spec: { containers: Array.from({ length: 5 }, (_, i) => ({ name: `c-${i}`, image: `registry.example.com/${i}`, command: ["run", String(i)] })) },
    status: { phase, conditions: conditions.map((type) => ({ type, status: "True" })) }
  })

/** Some text, and what a few edits make of it. */
const edited = FastCheck.tuple(
  FastCheck.uint8Array({ maxLength: 600 }),
  FastCheck.array(
    FastCheck.record({
      at: FastCheck.double({ min: 0, max: 1, noNaN: true }),
      removed: FastCheck.nat(40),
      inserted: FastCheck.uint8Array({ maxLength: 40 }),
      again: FastCheck.boolean()
    }),
    { maxLength: 6 }
  )
).map(([base, edits]) => {
  let result = base
  for (const { again, at, inserted, removed } of edits) {
    const from = Math.floor(result.length * at)
    // Something moved or repeated is found elsewhere in the base.
    const middle = again ? base.slice(from, from + 60) : inserted
    result = Uint8Array.from([...result.slice(0, from), ...middle, ...result.slice(from + removed)])
  }
  return { base, result }
})

describe("the difference between two versions", () => {
  it.prop("leads back to the version, whatever was changed", [edited], ([{ base, result }]) => {
    const delta = ByteDelta.encode(result, base, 1 << 20)
    assert.isDefined(delta)
    if (delta !== undefined) assert.deepStrictEqual(ByteDelta.decode(delta, base), result)
  }, { fastCheck: { numRuns: 400 } })

  it.prop("is refused when it is damaged, and never endless", [edited, FastCheck.nat(1000), FastCheck.nat(255)], ([{ base, result }, at, value]) => {
    const delta = ByteDelta.encode(result, base, 1 << 20)
    if (delta === undefined || delta.length === 0) return
    delta[at % delta.length] = value
    try {
      ByteDelta.decode(delta, base)
    } catch (error) {
      assert.instanceOf(error, RangeError)
    }
  }, { fastCheck: { numRuns: 400 } })

  it("is some tens of bytes for changes in several places of an object", () => {
    const before = pod(4711, "Pending", ["Initialized", "PodScheduled"])
    const after = pod(4718, "Running", ["Initialized", "Ready", "PodScheduled"])
    assert.isBelow(difference(before, after)?.length ?? Infinity, 60)
    assert.isBelow(difference(after, before)?.length ?? Infinity, 90)
    assert.isBelow(difference(after, after)?.length ?? Infinity, 8)
  })

  it("finds what was moved", () => {
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i * 7919} of a text;`)
    const moved = [...lines.slice(20), ...lines.slice(0, 20)].join("")
    assert.isBelow(difference(moved, lines.join(""))?.length ?? Infinity, 20)
  })

  it("is none when it would be as long as allowed", () => {
    assert.isUndefined(ByteDelta.encode(encoder.encode("x".repeat(100)), encoder.encode("y".repeat(100)), 75))
  })

  it("of large objects takes a bounded memory of places", () => {
    const base = Uint8Array.from({ length: 1_500_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24)
    const result = Uint8Array.from([...base.subarray(0, 700_000), 1, 2, 3, ...base.subarray(700_100)])
    const delta = ByteDelta.encode(result, base, 1 << 20)
    assert.isBelow(delta?.length ?? Infinity, 1000)
    assert.deepStrictEqual(delta === undefined ? delta : ByteDelta.decode(delta, base), result)
  })
})
