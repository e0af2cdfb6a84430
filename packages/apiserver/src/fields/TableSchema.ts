/** The types of built-in kinds, from the field tables. */
import { type Kind, ObjectCodec, Schema } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import * as TypedSchema from "./TypedSchema.js"

// Which key fields may be left out, and what they stand for then, is not in the tables.
const keyDefaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "io.k8s.api.core.v1.ContainerPort": { protocol: "TCP" },
  "io.k8s.api.core.v1.ServicePort": { protocol: "TCP" },
  "io.k8s.api.core.v1.LocalObjectReference": { name: "" }
}

const messages = new Map<string, TypedSchema.TypedSchema>()

// Messages refer to each other in circles, so the fields of one are looked at when they are needed first.
const messageOf = (message: string, atomic: boolean): TypedSchema.TypedSchema => {
  const key = atomic ? `${message}!` : message
  const known = messages.get(key)
  if (known !== undefined) return known
  const types = new Map<string, TypedSchema.TypedSchema | undefined>()
  const made: TypedSchema.TypedSchema = {
    _tag: "Map",
    atomic,
    element: undefined,
    field: (name) => {
      if (types.has(name)) return types.get(name)
      const field = Schema.fieldsOf(message).get(name)
      const type = field === undefined ? undefined : fieldType(field)
      // Names that no field has come from clients and are not remembered.
      if (type !== undefined) types.set(name, type)
      return type
    }
  }
  messages.set(key, made)
  return made
}

const typeOf = (type: string, atomic: boolean): TypedSchema.TypedSchema => {
  if (type.startsWith("[]")) return TypedSchema.atomicList(TypedSchema.atomic)
  if (type.startsWith("{}")) return TypedSchema.mapOf(typeOf(type.slice(2), false), atomic)
  if (Schema.isMessage(type)) return messageOf(type, atomic || Schema.messageMapType(type) === "atomic")
  // Any JSON, and the fields of a JSON schema that have two forms.
  return type === "raw" || type.startsWith("schemaOr") ? TypedSchema.atomic : TypedSchema.scalar
}

const fieldType = (field: Schema.Field): TypedSchema.TypedSchema => {
  const { type } = field
  if (!type.startsWith("[]")) return typeOf(type, field.mapType === "atomic")
  const item = type.slice(2)
  const merges = field.patch?.split(",").includes("merge") === true
  const list = field.listType ?? (merges ? (field.mergeKey === undefined ? "set" : "map") : "atomic")
  if (list === "set") return TypedSchema.setOf(typeOf(item, false))
  if (list !== "map") return TypedSchema.atomicList(typeOf(item, false))
  const keys = field.listKeys ?? (field.mergeKey === undefined ? [] : [field.mergeKey])
  return TypedSchema.keyedList(typeOf(item, false), keys, keyDefaults[item])
}

const kinds = new WeakMap<Kind.Kind, TypedSchema.KindSchema>()

const fromTables = (kind: Kind.Kind): TypedSchema.KindSchema => ({
  root: typeOf(kind.schema, false),
  empty: { ...Either.getOrElse(ObjectCodec.decode(kind, { metadata: {} }), () => ({ object: {} })).object }
})

/** The type of the objects of a kind. @category combinators */
export const ofKind = (kind: Kind.Kind): TypedSchema.KindSchema => {
  const provided = TypedSchema.providedFor(kind)
  if (provided !== undefined) return provided
  const known = kinds.get(kind)
  if (known !== undefined) return known
  const made = fromTables(kind)
  kinds.set(kind, made)
  return made
}
