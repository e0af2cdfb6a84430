/** Values seen through their types: what has parts that can be owned, and what is replaced as a whole. Plain functions. */
import { isArray, isObject, type JsonObject } from "../internal/jsonValue.js"
import * as PathElement from "./PathElement.js"
import * as TypedSchema from "./TypedSchema.js"

const untypedList = TypedSchema.atomicList(TypedSchema.atomic)
const untypedMap = TypedSchema.mapOf(TypedSchema.atomic, true)
const deducedMap = TypedSchema.mapOf(TypedSchema.deduced)

/** The type that a value of `schema` has; for values of any type it follows from the value. */
export const shapeOf = (
  schema: TypedSchema.TypedSchema,
  value: unknown
): TypedSchema.Scalar | TypedSchema.MapType | TypedSchema.ListType => {
  if (schema._tag !== "Untyped") return schema
  const shape = isArray(value) ? untypedList : isObject(value) ? (schema.atomic ? untypedMap : deducedMap) : TypedSchema.scalar
  return shape._tag === "Untyped" ? { _tag: "Scalar" } : shape
}

/** The type of what a map has under a name; undefined when it may have nothing there. */
export const childSchema = (map: TypedSchema.MapType, name: string): TypedSchema.TypedSchema | undefined =>
  map.field(name) ?? map.element

/** The entries of a value that is a map. */
export const mapOf = (value: unknown): JsonObject | undefined => isObject(value) ? value : undefined

/** The items of a value that is a list. */
export const listOf = (value: unknown): ReadonlyArray<unknown> => isArray(value) ? value : []

/** True for null, and for maps and lists without content. */
export const isNothing = (value: unknown): boolean => {
  if (isArray(value)) return value.length === 0
  if (!isObject(value)) return value === null || value === undefined
  for (const _ in value) return false
  return true
}

/** The items of a list by the steps to them; a step that leads to several items has the mark instead of one. */
export type Index = Map<PathElement.PathElement, unknown>

/** Stands for the items that share one step. */
export const several: unique symbol = Symbol("several")

/** The items of a list that is not atomic, by the steps to them. Items that such a list cannot have are left out. */
export const indexOf = (list: TypedSchema.ListType, items: ReadonlyArray<unknown>): Index => {
  const index: Index = new Map()
  for (const item of items) {
    const element = PathElement.item(list, item)
    if (element !== undefined) index.set(element, index.has(element) ? several : item)
  }
  return index
}
