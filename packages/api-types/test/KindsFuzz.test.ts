/** Every kind is given objects that the field tables allow and nobody would write: what may fail is validation, never the code. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Either from "effect/Either"
import { Kinds, ObjectCodec, Schema } from "../src/index.js"
import { now } from "./pods.js"

const texts = ["", "a", "Bad_Name", "x.example.com", "example.com/a", "10.0.0.1", "10.0.0.0/8", "TCP", "cpu", "*", "é/%"]

/** A value of a type of the field tables, from a source of numbers in [0, 1). */
const valueOf = (type: string, random: () => number, depth: number): unknown => {
  if (type.startsWith("[]")) return Array.from({ length: Math.floor(random() * 3) }, () => valueOf(type.slice(2), random, depth))
  if (type.startsWith("{}")) {
    const size = Math.floor(random() * 3)
    return Object.fromEntries(Array.from({ length: size }, (_, index) => [`${texts[Math.floor(random() * texts.length)]}${index}`, valueOf(type.slice(2), random, depth)]))
  }
  if (Schema.tables[type] !== undefined) {
    if (depth <= 0) return {}
    return Object.fromEntries(
      [...Schema.fieldsOf(type)]
        .filter(() => random() < 0.5)
        .map(([name, field]) => [name, valueOf(field.type, random, depth - 1)])
    )
  }
  switch (type) {
    case "int32":
    case "int64":
      return Math.floor(random() * 200) - 20
    case "double":
      return random()
    case "bool":
      return random() < 0.5
    case "quantity":
      return ["0", "1", "-5", "1Gi", "100m"][Math.floor(random() * 5)]
    case "time":
    case "microTime":
      return random() < 0.3 ? null : "2026-01-01T00:00:00Z"
    case "bytes":
      return "YQ=="
    case "intOrString":
      return random() < 0.5 ? Math.floor(random() * 100) : "50%"
    case "duration":
      return "1s"
    case "string":
      return texts[Math.floor(random() * texts.length)]
    default:
      return {}
  }
}

/** A small generator of numbers, so that one seed gives one object. */
const generator = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const metadata = { name: "a", namespace: "default" }

describe("every kind", () => {
  for (const kind of Kinds.all) {
    it(`${kind.group === "" ? "core" : kind.group}/${kind.version} ${kind.kind} judges any object that its schema allows`, () => {
      const object = (seed: number) => {
        const value = { ...Object(valueOf(kind.schema, generator(seed), 7)), kind: undefined, apiVersion: undefined, metadata }
        return Either.getOrThrow(ObjectCodec.decode(kind, value)).object
      }
      FastCheck.assert(
        FastCheck.property(FastCheck.integer(), FastCheck.integer(), (first, second) => {
          const [a, b] = [first, second].map((seed) => kind.defaults(kind.prepareForCreate(kind.defaults(object(seed)), now)))
          if (a === undefined || b === undefined) return
          kind.validate(a)
          kind.validateUpdate(kind.prepareForUpdate(a, b), b)
          kind.validateUpdate(kind.prepareForStatusUpdate(a, b), b)
          assert.lengthOf(kind.cells(a, now), kind.columns.length)
          for (const getter of Object.values(kind.selectableFields)) assert.isString(getter(a))
          kind.generationContent?.(a)
          if (kind.storage === undefined) return
          const stored = kind.storage.toStored(a)
          const again = kind.storage.toStored(kind.storage.fromStored(stored))
          assert.deepStrictEqual(again, stored)
        }),
        { numRuns: 60 }
      )
    })
  }
})
