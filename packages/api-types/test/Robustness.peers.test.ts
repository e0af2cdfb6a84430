/** Whatever is left out of an object or stands in the wrong place, a kind answers with problems and never throws. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { type Kind, Kinds, ObjectCodec } from "../src/index.js"
import { now } from "./pods.js"
import { exists, missing, vector } from "./vectors.js"

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value)

/** The value with some of its parts left out or emptied, as `choose` says for each of them. */
const damaged = (value: unknown, choose: () => number): unknown => {
  if (Array.isArray(value)) {
    const choice = choose()
    return choice === 0 ? [] : value.map((item) => damaged(item, choose))
  }
  if (!isObject(value)) return typeof value === "string" && choose() === 1 ? "" : typeof value === "number" && choose() === 2 ? 0 : value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (choose() === 0 ? [] : [[key, damaged(item, choose)]]))
  )
}

/** Everything that a server does with an object. */
const exercise = (kind: Kind.Kind, json: unknown): void => {
  const decoded = ObjectCodec.decode(kind, json)
  if (Either.isLeft(decoded)) return
  const { object } = decoded.right
  const created = kind.defaults(kind.prepareForCreate(kind.defaults(object), now))
  assert.deepStrictEqual(kind.defaults(created), created, `the defaults of ${kind.kind} are not stable`)
  kind.validate(created)
  kind.validateUpdate(kind.prepareForUpdate(created, object), object)
  kind.validateUpdate(kind.prepareForStatusUpdate(object, created), created)
  assert.lengthOf(kind.cells(object, now), kind.columns.length)
  for (const read of Object.values(kind.selectableFields)) assert.isString(read(object))
}

describe("every kind", () => {
  it.each(Kinds.all.map((kind) => [`${kind.group || "core"}/${kind.version} ${kind.kind}`, kind] as const))("takes an empty %s", (_, kind) => {
    for (const json of [{}, { metadata: {} }, { metadata: {}, spec: {} }, { metadata: {}, spec: {}, status: {} }]) exercise(kind, json)
  })

  const published = Kinds.all.map((kind) => [`${kind.group || "core"}.${kind.version}.${kind.kind}`, kind] as const).filter(([name]) => exists(name))
  it.skipIf(missing !== undefined).each(published)(
    missing === undefined ? "takes damaged objects of %s" : `takes damaged objects of %s (skipped: ${missing})`,
    (name, kind) => {
      const { json } = vector(name)
      FastCheck.assert(
        FastCheck.property(FastCheck.infiniteStream(FastCheck.nat({ max: 12 })), (choices) => {
          exercise(kind, damaged(json, () => choices.next().value))
        }),
        { numRuns: 30, seed: 7 }
      )
    }
  )
})
