/** Removing what an applier gave up: fields that its last configuration had, its new one has not, and nobody else owns. */
import { isObject } from "../internal/jsonValue.js"
import * as AppliedFields from "./AppliedFields.js"
import * as FieldSet from "./FieldSet.js"
import * as PathElement from "./PathElement.js"
import type * as TypedSchema from "./TypedSchema.js"
import * as TypedValue from "./TypedValue.js"

const removeFromMap = (shape: TypedSchema.MapType, value: unknown, set: FieldSet.FieldSet): unknown => {
  const result = new Map<string, unknown>()
  for (const [name, content] of Object.entries(TypedValue.mapOf(value) ?? {})) {
    const node = set[PathElement.field(name)]
    const child = TypedValue.childSchema(shape, name)
    if (node === undefined || child === undefined) result.set(name, content)
    else if (!FieldSet.endsHere(node)) {
      const rest = removeBelow(child, content, node)
      if (rest !== undefined) result.set(name, rest)
    }
  }
  return result.size === 0 ? undefined : Object.fromEntries(result)
}

const removeFromList = (shape: TypedSchema.ListType, value: unknown, set: FieldSet.FieldSet): unknown => {
  const result = TypedValue.listOf(value).flatMap((item) => {
    const element = PathElement.item(shape, item)
    const node = element === undefined ? undefined : set[element]
    if (node === undefined) return [item]
    if (FieldSet.endsHere(node)) return []
    const rest = removeBelow(shape.item, item, node)
    return rest === undefined ? [] : [rest]
  })
  return result.length === 0 ? undefined : result
}

// What is left of a value; undefined when nothing is.
const removeBelow = (schema: TypedSchema.TypedSchema, value: unknown, set: FieldSet.FieldSet): unknown => {
  const shape = TypedValue.shapeOf(schema, value)
  if (shape._tag === "Scalar") return value
  if (shape._tag === "List") return shape.list === "atomic" ? undefined : removeFromList(shape, value, set)
  return shape.atomic ? undefined : removeFromMap(shape, value, set)
}

const remove = (schema: TypedSchema.TypedSchema, value: unknown, set: FieldSet.FieldSet): unknown =>
  FieldSet.isEmpty(set) ? value : removeBelow(schema, value, set) ?? {}

const childOf = (schema: TypedSchema.TypedSchema | undefined, element: string): {
  readonly named: boolean
  readonly schema: TypedSchema.TypedSchema | undefined
} => {
  if (schema?._tag === "List") return { named: false, schema: schema.item }
  const name = PathElement.fieldName(element)
  if (schema?._tag !== "Map" || name === undefined) return { named: false, schema }
  const declared = schema.field(name)
  return { named: declared !== undefined, schema: declared ?? schema.element }
}

/**
 * Adds to a set each declared field that has a part in it. A declared field is not owned by itself as long as it has content, so
 * only this way do fields count that lose all of it.
 */
const withDeclared = (schema: TypedSchema.TypedSchema | undefined, set: FieldSet.FieldSet): FieldSet.FieldSet => {
  const result: FieldSet.Builder = {}
  for (const element in set) {
    const node = set[element]
    if (node === undefined) continue
    if (element === FieldSet.self || FieldSet.isEmpty(node)) {
      result[element] = node
      continue
    }
    const child = childOf(schema, element)
    const below = withDeclared(child.schema, node)
    result[element] = child.named && below[FieldSet.self] === undefined ? { [FieldSet.self]: FieldSet.empty, ...below } : below
  }
  return result
}

/**
 * The merged object without the fields that its applier gave up.
 *
 * @param last What the applier owned before.
 * @param owned What all managers own now, the applier with its new configuration included.
 * @category combinators
 */
export const prune = (
  schema: TypedSchema.TypedSchema,
  merged: unknown,
  last: FieldSet.FieldSet,
  owned: FieldSet.FieldSet
): unknown => {
  if (FieldSet.isEmpty(last) || !isObject(merged)) return merged
  const fieldsOf = (value: unknown) => withDeclared(schema, AppliedFields.ofConfiguration(schema, value))
  const all = fieldsOf(merged)
  const given = withDeclared(schema, last)
  // Take away all that was applied last time, with whatever stands below it,
  const bare = remove(schema, merged, given)
  // put back what somebody owns,
  const kept = remove(
    schema,
    merged,
    FieldSet.difference(all, FieldSet.union(fieldsOf(bare), withDeclared(schema, owned)))
  )
  // and what nobody owned but the applier had not owned either.
  return remove(schema, merged, FieldSet.intersection(FieldSet.difference(all, fieldsOf(kept)), given))
}
