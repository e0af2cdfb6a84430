import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as jsonParts from "../src/internal/jsonParts.js"

const encode = (value: unknown, indent?: number): Uint8Array => new TextEncoder().encode(JSON.stringify(value, undefined, indent))

/** The same by looking into the parsed value. */
const pick = (value: unknown, parts: jsonParts.Parts): unknown => {
  if (parts === true) return value
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  return Object.fromEntries(Object.entries(value).flatMap(([name, member]) => {
    const wanted = Object.hasOwn(parts, name) ? parts[name] : undefined
    const found = wanted === undefined ? undefined : pick(member, wanted)
    return found === undefined ? [] : [[name, found]]
  }))
}

const parts: jsonParts.Parts = { metadata: { name: true, labels: { app: true } }, spec: true, "": true }
const read = jsonParts.reader(parts)

describe("parts of a JSON text", () => {
  it("are the members that were asked for", () => {
    const object = {
      kind: "Pod",
      metadata: {
        managedFields: [{ fieldsV1: { "k:{\"name\":\"a\"}": {}, "]}": "\\\"" } }],
        name: "a",
        labels: { app: "x", other: "{[" }
      },
      spec: { nodeName: "n", list: [1, -2.5e3, true, null, ["]"]] },
      status: 7
    }
    assert.deepStrictEqual(read(encode(object)), {
      metadata: { name: "a", labels: { app: "x" } },
      spec: { nodeName: "n", list: [1, -2500, true, null, ["]"]] }
    })
    assert.deepStrictEqual(read(encode({ metadata: ["name"], spec: null })), { spec: null })
    assert.deepStrictEqual(read(encode({})), {})
  })

  it("are the same as those of the parsed text, however it is written", () => {
    const names = FastCheck.constantFrom("metadata", "name", "labels", "app", "spec", "", "status", "\"", "\\", "{", "é")
    const { tree } = FastCheck.letrec<{ readonly tree: unknown; readonly leaf: unknown; readonly object: unknown }>((tie) => ({
      tree: FastCheck.oneof({ maxDepth: 5 }, tie("leaf"), tie("object"), FastCheck.array(tie("tree"), { maxLength: 3 })),
      object: FastCheck.dictionary(names, tie("tree"), { maxKeys: 5 }),
      leaf: FastCheck.oneof(FastCheck.string(), FastCheck.integer(), FastCheck.double({ noNaN: true, noDefaultInfinity: true }), FastCheck.boolean(), FastCheck.constant(null))
    }))
    FastCheck.assert(FastCheck.property(FastCheck.dictionary(names, tree, { maxKeys: 6 }), FastCheck.constantFrom(0, 2), (object, indent) => {
      const parsed: unknown = JSON.parse(JSON.stringify(object))
      assert.deepStrictEqual(read(encode(object, indent)), pick(parsed, parts))
    }))
  })

  it("can be asked for together", () => {
    assert.deepStrictEqual(jsonParts.union({ a: { b: true } }, { a: { c: true }, d: true }), { a: { b: true, c: true }, d: true })
    assert.strictEqual(jsonParts.union({ a: true }, true), true)
    assert.deepStrictEqual(jsonParts.union({ a: { b: true } }, { a: true }), { a: true })
  })
})
