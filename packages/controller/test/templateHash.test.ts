import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as templateHash from "../src/internal/templateHash.js"

describe("templateHash", () => {
  it("is FNV-1a of 32 bits", () => {
    assert.deepStrictEqual([templateHash.fnv1a(""), templateHash.fnv1a("a"), templateHash.fnv1a("foobar")], [0x811c9dc5, 0xe40c292c, 0xbf9cf968])
  })

  it.prop("does not depend on the order of keys, nor on what is empty", [FastCheck.dictionary(FastCheck.string({ minLength: 1 }), FastCheck.jsonValue())], ([value]) => {
    const reversed = Object.fromEntries(Object.entries(value).toReversed())
    assert.strictEqual(templateHash.of(reversed, undefined), templateHash.of({ ...value, "": {} }, 0))
  })

  it.prop("is a name, and another one after a collision", [FastCheck.jsonValue(), FastCheck.integer({ min: 1, max: 9 })], ([value, collisions]) => {
    assert.match(templateHash.of(value, undefined), /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
    assert.notStrictEqual(templateHash.of(value, collisions), templateHash.of(value, undefined))
  })
})
