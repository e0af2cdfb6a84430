import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { FieldError } from "../src/index.js"

const error = FastCheck.constantFrom("", ".a", ".b", "[0]").map((path) => FieldError.required(path))
const errors = FastCheck.array(error, { maxLength: 3 })
const lists = FastCheck.array(errors, { maxLength: 4 })

const under = (prefix: string, found: ReadonlyArray<FieldError.FieldError>) =>
  found.map((each) => ({ ...each, path: `${prefix}${each.path}` }))

describe("FieldError", () => {
  it("says nothing about what is valid with one and the same list", () => {
    assert.strictEqual(FieldError.all([], FieldError.none, []), FieldError.none)
    assert.strictEqual(FieldError.at(".spec", []), FieldError.none)
    assert.strictEqual(FieldError.each([1, 2], () => []), FieldError.none)
    assert.strictEqual(FieldError.among(undefined, () => [FieldError.required("")]), FieldError.none)
    assert.strictEqual(FieldError.amongEntries({ a: "b" }, () => []), FieldError.none)
    assert.strictEqual(FieldError.invalidEach("a", 1, []), FieldError.none)
  })

  it.prop("joins problems in the order of the rules", [lists], ([found]) => {
    assert.deepStrictEqual(FieldError.all(...found), found.flat())
    assert.deepStrictEqual(FieldError.among(found, (each) => each), found.flat())
  })

  it.prop("puts the place of a part before the paths in it", [lists], ([found]) => {
    assert.deepStrictEqual(FieldError.at(".spec", found.flat()), under(".spec", found.flat()))
    assert.deepStrictEqual(FieldError.atKey("k", found.flat()), under("[k]", found.flat()))
    assert.deepStrictEqual(FieldError.each(found, (each) => each), found.flatMap((each, index) => under(`[${index}]`, each)))
  })

  it.prop("goes over the own entries of a map", [FastCheck.dictionary(FastCheck.string(), FastCheck.string())], ([map]) => {
    const seen: Array<readonly [string, string]> = []
    const found = FieldError.amongEntries(map, (key, value) => {
      seen.push([key, value])
      return [FieldError.invalid("", key, value)]
    })
    assert.deepStrictEqual(seen, Object.entries(map))
    assert.lengthOf(found, seen.length)
  })
})
