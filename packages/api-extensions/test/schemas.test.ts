import { describe, expect, it } from "@effect/vitest"
import * as Defaulting from "../src/Defaulting.js"
import type { JsonSchema } from "../src/JsonSchema.js"
import { Either } from "effect"
import * as EmbeddedResources from "../src/EmbeddedResources.js"
import { pruneResource, pruneValue, withoutNulls } from "../src/Pruning.js"
import * as SchemaCheck from "../src/SchemaCheck.js"
import * as ValueCheck from "../src/ValueCheck.js"
import { schemas, values } from "./support.js"

const texts = (problems: ReadonlyArray<{ readonly path: string; readonly message: string }>) => problems.map(({ message, path }) => `${path}: ${message}`)

describe("pruning", () => {
  it.prop("is idempotent", [schemas, values], ([schema, value]) => {
    const once = pruneValue(value, schema)
    const twice = pruneValue(once.value, schema)
    expect(twice.removed).toEqual([])
    expect(twice.value).toBe(once.value)
  })

  it.prop("keeps a value that has nothing to lose", [schemas, values], ([schema, value]) => {
    const { removed, value: kept } = pruneValue(value, schema)
    if (removed.length === 0) expect(kept).toBe(value)
    else expect(kept).not.toEqual(value)
  })

  it("keeps what a schema preserves, and prunes what is declared inside it", () => {
    const schema: JsonSchema = {
      type: "object",
      properties: {
        free: {
          type: "object",
          "x-kubernetes-preserve-unknown-fields": true,
          properties: { known: { type: "object", properties: { a: { type: "string" } } } }
        },
        any: { type: "object", additionalProperties: { type: "object", properties: { a: { type: "string" } } } }
      }
    }
    expect(pruneResource({ kind: "X", free: { z: { z: 1 }, known: { a: "1", b: 2 } }, any: { k: { a: "1", b: 1 } }, gone: [1] }, schema)).toEqual({
      value: { kind: "X", free: { z: { z: 1 }, known: { a: "1" } }, any: { k: { a: "1" } } },
      removed: ["any.k.b", "free.known.b", "gone"]
    })
  })
})

describe("defaulting", () => {
  it.prop("is idempotent", [schemas, values], ([schema, value]) => {
    const once = Defaulting.withDefaults(value, schema)
    expect(Defaulting.withDefaults(once, schema)).toBe(once)
  })

  it.prop("never makes a valid value invalid", [schemas, values], ([schema, value]) => {
    if (ValueCheck.validate(value, schema).length > 0) return
    expect(texts(ValueCheck.validate(Defaulting.withDefaults(value, schema), schema))).toEqual([])
  })

  it.prop("adds nothing that pruning takes away", [schemas, values], ([schema, value]) => {
    const pruned = pruneValue(value, schema).value
    expect(pruneValue(Defaulting.withDefaults(pruned, schema), schema).removed).toEqual([])
  })

  it("fills objects that are there, and nulls that may not be", () => {
    const schema: JsonSchema = {
      type: "object",
      properties: {
        spec: { type: "object", properties: { n: { type: "integer", default: 3 }, deep: { type: "object", default: {}, properties: { m: { type: "integer", default: 4 } } } } },
        list: { type: "array", items: { type: "object", properties: { s: { type: "string", default: "x" } } } }
      }
    }
    expect(Defaulting.withDefaults({}, schema)).toEqual({})
    expect(Defaulting.withDefaults({ spec: { n: null }, list: [{}, { s: "y" }] }, schema)).toEqual({
      spec: { n: 3, deep: { m: 4 } },
      list: [{ s: "x" }, { s: "y" }]
    })
  })
})

describe("validation", () => {
  const at = (value: unknown, schema: JsonSchema) => texts(ValueCheck.validate({ f: value }, { type: "object", properties: { f: schema } }))

  it("says what Kubernetes says", () => {
    expect(at("abcd", { type: "string", maxLength: 3 })).toEqual(["f: Too long: may not be more than 3 bytes"])
    expect(at("", { type: "string", minLength: 1 })).toEqual([`f: Invalid value: "": f in body should be at least 1 chars long`])
    expect(at("b", { type: "string", pattern: "^a+$" })).toEqual([`f: Invalid value: "b": f in body should match '^a+$'`])
    expect(at(11, { type: "integer", maximum: 10 })).toEqual(["f: Invalid value: 11: f in body should be less than or equal to 10"])
    expect(at(3, { type: "integer", multipleOf: 2 })).toEqual(["f: Invalid value: 3: f in body should be a multiple of 2"])
    expect(at([1, 2], { type: "array", maxItems: 1, items: { type: "integer" } })).toEqual(["f: Too many: 2: must have at most 1 item"])
    expect(at([], { type: "array", minItems: 1, items: { type: "integer" } })).toEqual(["f: Invalid value: 0: f in body should have at least 1 items"])
    expect(at(1.5, { type: "integer" })).toEqual([`f: Invalid value: "number": f in body must be of type integer: "number"`])
    expect(at("x", { type: "string", format: "date-time" })).toEqual([`f: Invalid value: "x": f in body must be of type date-time: "x"`])
    expect(at({ a: 1 }, { type: "object", additionalProperties: { type: "string" } })).toEqual([
      `f.a: Invalid value: "integer": f.a in body must be of type string: "integer"`
    ])
    expect(at(1, { oneOf: [{ minimum: 5 }, { maximum: 0 }], type: "integer" })[0]).toBe(
      `<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found none valid`
    )
    expect(at(true, { "x-kubernetes-int-or-string": true })).toEqual([
      `f: Invalid value: "boolean": f in body must be of type integer,string: "boolean"`
    ])
    expect(at(null, { type: "string" })).toEqual([`f: Invalid value: "null": f in body must be of type string: "null"`])
    expect(at(null, { type: "string", nullable: true })).toEqual([])
  })

  it("is done with a hostile pattern in no time", () => {
    const start = performance.now()
    expect(at(`${"a".repeat(5000)}!`, { type: "string", pattern: "^(a+)+$" })).toHaveLength(1)
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it("leaves alone what an update does not touch", () => {
    const schema: JsonSchema = {
      type: "object",
      properties: { old: { type: "integer", minimum: 5 }, next: { type: "integer", minimum: 5 } }
    }
    expect(texts(ValueCheck.validateUpdate({ old: 1, next: 1 }, { old: 1, next: 6 }, schema))).toEqual([
      "next: Invalid value: 1: next in body should be greater than or equal to 5"
    ])
  })
})

describe("schemas", () => {
  const problems = (schema: JsonSchema) => texts(SchemaCheck.validate(schema, "s"))

  it("must be structural", () => {
    expect(problems({ properties: { a: { type: "string" } } })).toEqual(["s.type: Required value: must not be empty at the root"])
    expect(problems({ type: "object", properties: { a: { type: "array" } } })).toEqual([
      "s.properties[a].items: Required value: must be specified"
    ])
    expect(problems({ type: "object", properties: { a: { type: "string", allOf: [{ type: "string" }] } } })).toEqual([
      "s.properties[a].allOf[0].type: Forbidden: must be empty to be structural"
    ])
    expect(problems({ type: "object", properties: { a: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] } } })).toEqual([])
    expect(problems({ type: "object", properties: { metadata: { type: "object", properties: { labels: { type: "object" } } } } })).toEqual([
      "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified"
    ])
    expect(problems({ type: "object", properties: { a: { type: "integer", default: "x" } } })).toEqual([
      `s.properties[a].default: Invalid value: "string": s.properties[a].default in body must be of type integer: "string"`
    ])
    expect(problems({ type: "object", properties: { a: { type: "string", pattern: "(" } } })[0]).toContain("must be a valid regular expression")
    expect(problems({ type: "object", properties: { a: { type: "array", "x-kubernetes-list-type": "map", items: { type: "object", properties: {} } } } })).toEqual([
      "s.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map"
    ])
  })

  it("may not compare with the old value where items cannot be told apart", () => {
    const items: JsonSchema = { type: "object", properties: { a: { type: "integer" } }, "x-kubernetes-validations": [{ rule: "self.a >= oldSelf.a" }] }
    expect(problems({ type: "object", properties: { l: { type: "array", items } } })[0]).toContain(
      "oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[l]"
    )
  })
})

describe("nulls", () => {
  const schema: JsonSchema = {
    type: "object",
    properties: {
      plain: { type: "string" },
      filled: { type: "string", default: "x" },
      open: { type: "string", nullable: true },
      list: { type: "array", items: { type: "object", properties: { a: { type: "string" } } } },
      map: { type: "object", additionalProperties: { type: "string" } }
    }
  }

  it("stand for fields that are not there", () => {
    const value = { plain: null, filled: null, open: null, list: [{ a: null }], map: { k: null, l: "1" }, unknown: null }
    expect(withoutNulls(value, schema)).toEqual({ filled: null, open: null, list: [{}], map: { l: "1" }, unknown: null })
    const kept = { open: null, list: [null] }
    expect(withoutNulls(kept, schema)).toBe(kept)
  })

  it.prop("are removed once and for all", [schemas, values], ([source, value]) => {
    const once = withoutNulls(value, source)
    expect(withoutNulls(once, source)).toBe(once)
  })
})

describe("values that are updated", () => {
  const item: JsonSchema = { type: "object", properties: { name: { type: "string" }, size: { type: "integer", maximum: 3 } } }
  const list = (type: string): JsonSchema => ({
    type: "object",
    properties: { list: { type: "array", items: item, "x-kubernetes-list-type": type, ...(type === "map" ? { "x-kubernetes-list-map-keys": ["name"] } : {}) } }
  })
  const old = { list: [{ name: "a", size: 9 }] }
  const next = { list: [{ name: "b", size: 1 }, { name: "a", size: 9 }] }
  const message = "list[1].size: Invalid value: 9: list[1].size in body should be less than or equal to 3"

  it("are spared where their items can be told apart", () => {
    expect(texts(ValueCheck.validateUpdate(next, old, list("map")))).toEqual([])
    expect(texts(ValueCheck.validateUpdate({ list: [{ name: "a", size: 9, more: 1 }] }, old, list("map")))).toEqual([])
    // What stands at the same place need not be the same item.
    expect(texts(ValueCheck.validateUpdate({ list: [...old.list, { name: "b", size: 1 }] }, old, list("atomic")))).toEqual([message.replaceAll("[1]", "[0]")])
    expect(texts(ValueCheck.validateUpdate(old, old, list("atomic")))).toEqual([])
  })

  it("are compared in linear time", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => ({ name: `n${index}`, size: 1 }))
    expect(ValueCheck.validateUpdate({ list: many.toReversed() }, { list: many }, list("map"))).toEqual([])
  })
})

describe("numbers", () => {
  it("are multiples of fractions", () => {
    const problems = (value: number, multipleOf: number) => texts(ValueCheck.validate(value, { type: "number", multipleOf }))
    expect(problems(0.3, 0.1)).toEqual([])
    expect(problems(1e15 + 1, 2)).toHaveLength(1)
    expect(problems(0.35, 0.1)).toHaveLength(1)
    expect(problems(1, 0)).toHaveLength(1)
  })
})

describe("schemas that are checked", () => {
  const problems = (properties: Record<string, JsonSchema>) => texts(SchemaCheck.validate({ type: "object", properties }, "s"))
  const rules = (...all: ReadonlyArray<object>) => ({ "x-kubernetes-validations": all.map((rule) => ({ rule: "true", ...rule })) })

  it("have rules that can run where they stand", () => {
    const a: JsonSchema = { type: "string" }
    const at = "s.properties[x].x-kubernetes-validations[0]"
    expect(problems({ x: { type: "object", properties: { a }, ...rules({ optionalOldSelf: true }) } })).toEqual([
      `${at}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`
    ])
    expect(problems({ x: { type: "object", properties: { a }, ...rules({ fieldPath: ".b" }) } })).toEqual([`${at}.fieldPath: Invalid value: ".b": must be a valid path`])
    expect(problems({ x: { type: "object", properties: { a }, ...rules({ fieldPath: " " }) } })[0]).toBe(`${at}.fieldPath: Invalid value: " ": must be non-empty if specified`)
    expect(problems({ x: { type: "object", properties: { a }, ...rules({ fieldPath: ".a" }) } })).toEqual([])
    const atomic: JsonSchema = { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: { ...a, ...rules({ rule: "self == oldSelf" }) } } }
    expect(problems({ x: atomic })).toEqual([
      "s.properties[x].properties[a].x-kubernetes-validations[0].rule: Invalid value: \"self == oldSelf\": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[x]"
    ])
  })

  it("have defaults that keep their rules, and none for what the server fills in", () => {
    const spec: JsonSchema = { type: "object", properties: { n: { type: "integer" } }, ...rules({ rule: "self.n > 3", message: "too small" }) }
    expect(problems({ spec: { ...spec, default: { n: 1 } } })).toEqual(["s.properties[spec].default: Invalid value: too small"])
    expect(problems({ spec: { ...spec, default: { n: 4 } } })).toEqual([])
    expect(problems({ metadata: { type: "object", properties: { name: { type: "string", default: "x" } } } })).toEqual([
      "s.properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata"
    ])
    expect(problems({ l: { type: "array", "x-kubernetes-list-type": "set", items: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" } } })).toEqual([
      "s.properties[l].items.x-kubernetes-list-type: Invalid value: \"set\": must be atomic as item of a list with x-kubernetes-list-type=set"
    ])
  })
})

describe("pruned lists", () => {
  it("keep what is unknown when they preserve it, for their items too", () => {
    const items: JsonSchema = { type: "object", properties: { a: { type: "object", properties: { b: { type: "string" } } } } }
    const value = { list: [{ a: { b: "1", c: 2 }, d: 3 }] }
    const schema = (more: object): JsonSchema => ({ type: "object", properties: { list: { type: "array", items, ...more } } })
    expect(pruneResource(value, schema({})).removed).toEqual(["list[0].a.c", "list[0].d"])
    expect(pruneResource(value, schema({ "x-kubernetes-preserve-unknown-fields": true })).removed).toEqual(["list[0].a.c"])
  })
})

describe("embedded resources", () => {
  const schema: JsonSchema = {
    type: "object",
    properties: { list: { type: "array", items: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true } } }
  }

  it("have metadata like any object", () => {
    const value = { metadata: { odd: 1 }, list: [{ apiVersion: "v1", kind: "Pod", metadata: { name: "a", odd: 1, creationTimestamp: null }, spec: {} }] }
    const { unknownFields, value: coerced } = EmbeddedResources.coerce(value, schema)
    expect(coerced).toEqual(Either.right({ metadata: { odd: 1 }, list: [{ apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: {} }] }))
    expect(unknownFields).toEqual(["list[0].metadata.odd"])
    expect(EmbeddedResources.coerce({ list: [{ kind: 1 }] }, schema).value).toEqual(Either.left("list[0].kind: Invalid value: 1: must be a string"))
    expect(Either.isLeft(EmbeddedResources.coerce({ list: [{ metadata: { labels: 1 } }] }, schema).value)).toBe(true)
  })
})
