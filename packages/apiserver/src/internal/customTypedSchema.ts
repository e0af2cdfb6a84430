/** How the objects of a custom resource merge and are owned, by the extensions in its schema. */
import { JsonSchema as Json } from "@reddwarf/api-extensions"
import type { Kind } from "@reddwarf/api-types"
import * as TypedSchema from "../fields/TypedSchema.js"

type JsonSchema = Json.JsonSchema

const typeOf = (schema: JsonSchema, metadata: TypedSchema.TypedSchema | undefined): TypedSchema.TypedSchema => {
  if (schema.type === "array") return listOf(schema)
  if (schema.type === "object") return objectOf(schema, metadata)
  return Json.preserves(schema) ? TypedSchema.deduced : TypedSchema.scalar
}

const listOf = (schema: JsonSchema): TypedSchema.TypedSchema => {
  const items = Json.itemsOf(schema)
  const item = items === undefined ? TypedSchema.deduced : typeOf(items, undefined)
  const type = schema["x-kubernetes-list-type"]
  if (type === "set") return TypedSchema.setOf(item)
  if (type !== "map") return TypedSchema.atomicList(item)
  const keys = schema["x-kubernetes-list-map-keys"] ?? []
  const defaults = keys.flatMap((key) => {
    const value = items === undefined ? undefined : Json.propertyOf(items, key)?.default
    return value === undefined ? [] : [[key, value] as const]
  })
  return TypedSchema.keyedList(item, keys, Object.fromEntries(defaults))
}

const objectOf = (schema: JsonSchema, metadata: TypedSchema.TypedSchema | undefined): TypedSchema.TypedSchema => {
  const isAtomic = schema["x-kubernetes-map-type"] === "atomic"
  const additional = Json.additionalOf(schema)
  const fields = new Map(Json.propertiesOf(schema).map(([name, property]) => [name, typeOf(property, undefined)] as const))
  if (metadata !== undefined) {
    fields.set("metadata", metadata)
    fields.set("apiVersion", TypedSchema.scalar)
    fields.set("kind", TypedSchema.scalar)
  }
  const element = typeof additional === "object"
    ? typeOf(additional, undefined)
    : additional || Json.preserves(schema)
    ? TypedSchema.deduced
    : undefined
  if (fields.size === 0 && element === undefined) return isAtomic ? TypedSchema.atomic : TypedSchema.deduced
  return TypedSchema.struct(fields, { atomic: isAtomic, ...(element === undefined ? {} : { element }) })
}

/** Says how the objects of a custom kind are typed; metadata is that of a built-in kind. */
export const provide = (kind: Kind.Kind, metadata: TypedSchema.TypedSchema): void => {
  const schema: JsonSchema = kind.custom?.schema ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true }
  TypedSchema.provide(kind, { root: objectOf(schema, metadata), empty: { metadata: {} } })
}
