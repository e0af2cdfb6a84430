/** Merging a configuration into an object, by the types of its fields. */
import { equals, get, type JsonObject } from "../internal/jsonValue.js"
import * as PathElement from "./PathElement.js"
import type * as TypedSchema from "./TypedSchema.js"
import * as TypedValue from "./TypedValue.js"

const mergeMaps = (shape: TypedSchema.MapType, live: JsonObject, applied: JsonObject): JsonObject => {
  const result = new Map(Object.entries(live))
  for (const [name, value] of Object.entries(applied)) {
    const child = TypedValue.childSchema(shape, name)
    if (child !== undefined) result.set(name, mergeValues(child, get(live, name), value))
  }
  return Object.fromEntries(result)
}

/**
 * Items of the configuration come in its order. Items that only the object has keep their place among the items around them,
 * as far as the order of the configuration allows.
 */
const mergeLists = (
  shape: TypedSchema.ListType,
  live: ReadonlyArray<unknown>,
  applied: ReadonlyArray<unknown>
): ReadonlyArray<unknown> => {
  const own = TypedValue.indexOf(shape, live)
  const given = TypedValue.indexOf(shape, applied)
  const places = live.map((item) => PathElement.item(shape, item))
  const shared = [...given.keys()].filter((element) => own.has(element))
  const result: Array<unknown> = []
  let at = 0
  let next = 0
  const isOwn = (place: string | undefined) => place === undefined || !given.has(place)
  const passOwn = () => {
    while (at < live.length && (isOwn(places[at]) || places[at] !== shared[next])) {
      if (isOwn(places[at])) result.push(live[at])
      at++
    }
  }
  for (const [element, item] of given) {
    passOwn()
    const before = own.get(element)
    result.push(before === undefined || before === TypedValue.several ? item : mergeValues(shape.item, before, item))
    if (shared[next] !== element) continue
    if (places[at] === element) at++
    next++
  }
  for (; at < live.length; at++) if (isOwn(places[at])) result.push(live[at])
  return result
}

const mergeValues = (schema: TypedSchema.TypedSchema, live: unknown, applied: unknown): unknown => {
  if (live === undefined || live === applied) return applied
  if (applied === undefined) return live
  const shape = TypedValue.shapeOf(schema, applied ?? live)
  if (shape._tag === "Scalar" || shape._tag !== TypedValue.shapeOf(schema, live ?? applied)._tag) return applied
  if (TypedValue.isNothing(live) && TypedValue.isNothing(applied)) return applied
  if (shape._tag === "List") {
    if (shape.list === "atomic") return equals(live, applied) ? live : applied
    return mergeLists(shape, TypedValue.listOf(live), TypedValue.listOf(applied))
  }
  if (shape.atomic) return equals(live, applied) ? live : applied
  return mergeMaps(shape, TypedValue.mapOf(live) ?? {}, TypedValue.mapOf(applied) ?? {})
}

/** The object with a configuration merged into it. Neither argument is modified. @category combinators */
export const merge = (schema: TypedSchema.TypedSchema, live: unknown, applied: unknown): unknown =>
  mergeValues(schema, live, applied)
