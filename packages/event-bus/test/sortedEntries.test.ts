import { assert, describe, it } from "@effect/vitest"
import { Key } from "@reddwarf/store"
import { FastCheck } from "effect"
import type { CacheEntry } from "../src/CacheEvent.js"
import { prefixesOf, resourceOf } from "../src/internal/keyPath.js"
import * as SortedEntries from "../src/internal/sortedEntries.js"

const entry = (key: string, revision: number): CacheEntry => ({
  key,
  revision,
  createRevision: revision,
  bytes: new Uint8Array(),
  object: undefined
})

const name = FastCheck.integer({ min: 0, max: 5_000 })
const namespace = FastCheck.constantFrom("a", "a-b", "b", "kube-system")
const write = FastCheck.record({ remove: FastCheck.boolean(), namespace, name })

const agrees = (sorted: SortedEntries.SortedEntries, model: ReadonlyMap<string, number>, prefix: string): void => {
  const expected = [...model].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => Key.compare(a, b))
  assert.deepStrictEqual(sorted.list(prefix).map(({ key, revision }) => [key, revision]), expected)
  assert.strictEqual(sorted.count(prefix), expected.length)
}

describe("sorted entries", () => {
  it.prop("hold what a sorted map holds", [FastCheck.array(write, { maxLength: 300 }), FastCheck.boolean()], ([writes, full]) => {
    const sorted = SortedEntries.make()
    const model = new Map<string, number>()
    const put = (key: string, revision: number): void => {
      sorted.set(entry(key, revision))
      model.set(key, revision)
    }
    // Enough entries for several runs, so that runs are split and emptied.
    if (full) for (let i = 0; i < 5_000; i += 3) put(`/core/pods/a/${i}`, 1)
    writes.forEach((write, i) => {
      const key = `/core/pods/${write.namespace}/${write.name}`
      if (!write.remove) return put(key, i + 2)
      sorted.delete(key)
      model.delete(key)
    })
    for (const prefix of ["/", "/core/pods/a/", "/core/pods/a-b/", "/core/pods/c/", "/core/pods/", "/core/secrets/", "/core/"]) agrees(sorted, model, prefix)
    assert.strictEqual(sorted.size(), model.size)
  })

  it("survive the removal of everything, in any direction", () => {
    const keys = Array.from({ length: 3_000 }, (_, i) => `/core/pods/a/${String(i).padStart(4, "0")}`)
    for (const order of [keys, keys.toReversed()]) {
      const sorted = SortedEntries.make()
      for (const key of keys.toReversed()) sorted.set(entry(key, 1))
      for (const key of order) sorted.delete(key)
      for (const prefix of ["/", "/core/pods/", "/core/pods/a/"]) assert.deepStrictEqual(sorted.list(prefix), [])
      sorted.set(entry("/core/pods/a/1", 2))
      assert.strictEqual(sorted.count("/core/pods/a/"), 1)
      assert.lengthOf(sorted.list("/core/pods/"), 1)
    }
  })
})

describe("key paths", () => {
  it("name the prefixes that watchers can have", () => {
    assert.deepStrictEqual(prefixesOf("/core/pods/default/a"), ["/", "/core/", "/core/pods/", "/core/pods/default/"])
    assert.deepStrictEqual(prefixesOf("/core/nodes/a"), ["/", "/core/", "/core/nodes/"])
  })

  it("name the resource of a key or prefix", () => {
    assert.strictEqual(resourceOf("/core/pods/default/a"), "/core/pods/")
    assert.strictEqual(resourceOf("/core/pods/"), "/core/pods/")
    assert.strictEqual(resourceOf("/core/"), undefined)
    assert.strictEqual(resourceOf("/"), undefined)
  })
})
