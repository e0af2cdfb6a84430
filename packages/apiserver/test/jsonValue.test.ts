import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { equals, equalsExcept, put, sharesExcept, sharing } from "../src/internal/jsonValue.js"

const json = FastCheck.jsonValue({ maxDepth: 4 })

const copyOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** Parts of `next` that are equal to what stands at their place in `old`, but are another object. */
const unshared = (next: unknown, old: unknown): number => {
  if (typeof next !== "object" || next === null || typeof old !== "object" || old === null || next === old) return 0
  if (equals(next, old)) return 1
  return Object.entries(next).reduce((sum, [key, value]) =>
    sum + (Object.hasOwn(old, key) ? unshared(value, Object.entries(old).find(([other]) => other === key)?.[1]) : 0), 0)
}

describe("sharing", () => {
  it.prop("is the value that it was given", [json, json], ([next, old]) => {
    expect(JSON.stringify(sharing(next, old)) === JSON.stringify(next) || equals(sharing(next, old), next)).toBe(true)
  })

  it.prop("is the old value when that is equal", [json], ([old]) => {
    expect(sharing(copyOf(old), old)).toBe(old)
  })

  it.prop("takes every part that has not changed from the old value", [FastCheck.dictionary(FastCheck.constantFrom("a", "b", "c", "__proto__"), json), json], ([old, value]) => {
    const next = { ...Object.fromEntries(Object.entries(old).map(([key, part]) => [key, copyOf(part)])), b: value }
    const shared = sharing(next, old)
    expect(equals(shared, next)).toBe(true)
    expect(unshared(shared, old)).toBe(0)
  })

  it("keeps what is only in one of the two apart", () => {
    const old = { kept: { a: 1 }, gone: { b: 2 }, list: [{ c: 3 }, { d: 4 }] }
    const next = { kept: { a: 1 }, come: { b: 2 }, list: [{ c: 3 }] }
    const shared = sharing(next, old)
    expect(shared).toEqual(next)
    expect(shared.kept).toBe(old.kept)
    expect(shared.list[0]).toBe(old.list[0])
    expect(shared.list).not.toBe(old.list)
  })
})

describe("comparing but for one key", () => {
  const fields = FastCheck.dictionary(FastCheck.constantFrom("a", "b", "c"), json)

  it.prop("says what comparing the rest says", [fields, fields], ([left, right]) => {
    const { a: _, ...restOfLeft } = left
    const { a: __, ...restOfRight } = right
    expect(equalsExcept("a", left, right)).toBe(equals(restOfLeft, restOfRight))
    expect(equalsExcept("a", left, { ...restOfLeft, a: right })).toBe(true)
  })

  it("tells the same from the equal, and an absent value from none", () => {
    const part = { x: 1 }
    expect(sharesExcept("a", { a: 1, b: part }, { a: 2, b: part })).toBe(true)
    expect(sharesExcept("a", { b: part }, { b: { x: 1 } })).toBe(false)
    expect(equalsExcept("a", { b: part }, { b: { x: 1 } })).toBe(true)
    expect(sharesExcept("a", { b: part }, { b: part, c: undefined })).toBe(true)
    expect(sharesExcept("a", { b: part }, { b: part, c: 1 })).toBe(false)
    expect(sharesExcept("a", { b: part, c: 1 }, { b: part })).toBe(false)
  })
})

describe("put", () => {
  it("gives any key its value, and no object another prototype", () => {
    const object: Record<string, unknown> = {}
    for (const key of ["__proto__", "constructor", "a"]) put(object, key, { polluted: true })
    expect(JSON.stringify(object)).toBe("{\"__proto__\":{\"polluted\":true},\"constructor\":{\"polluted\":true},\"a\":{\"polluted\":true}}")
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
  })
})
