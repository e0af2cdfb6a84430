/** The API types as Effect Schemas, made from the same field tables as everything else. */
import * as EffectSchema from "effect/Schema"
import { schemaDefinition, unions } from "./internal/schemaUnions.js"
import type { Field } from "./Schema.js"
import { fieldsOf, tables } from "./Schema.js"

/** A JSON object. @category models */
export type JsonObject = Readonly<Record<string, unknown>>

const int32 = EffectSchema.Int.pipe(EffectSchema.between(-(2 ** 31), 2 ** 31 - 1))

const scalarOf = (type: string): EffectSchema.Schema.AnyNoContext | undefined => {
  switch (type) {
    case "string":
    case "bytes":
    case "time":
    case "microTime":
    case "duration":
      return EffectSchema.String
    case "int32":
      return int32
    case "int64":
      return EffectSchema.Int
    case "double":
      return EffectSchema.Number
    case "bool":
      return EffectSchema.Boolean
    case "quantity":
      return EffectSchema.Union(EffectSchema.String, EffectSchema.Number)
    case "intOrString":
      return EffectSchema.Union(EffectSchema.Int, EffectSchema.String)
    case "raw":
      return EffectSchema.Unknown
    default:
      return undefined
  }
}

const typeOf = (type: string): EffectSchema.Schema.AnyNoContext => {
  if (type.startsWith("[]")) return EffectSchema.Array(typeOf(type.slice(2)))
  if (type.startsWith("{}")) return EffectSchema.Record({ key: EffectSchema.String, value: typeOf(type.slice(2)) })
  const union = unions[type]
  if (union !== undefined) return EffectSchema.Union(typeOf(schemaDefinition), typeOf(union.other))
  // Suspended, because messages may contain themselves.
  return scalarOf(type) ?? EffectSchema.suspend(() => of(type))
}

const propertyOf = (field: Field) => {
  const schema = typeOf(field.type)
  return field.required === true ? schema : EffectSchema.optional(EffectSchema.NullOr(schema))
}

const schemas = new Map<string, EffectSchema.Schema<JsonObject>>()

/**
 * The schema of an API type by its OpenAPI definition name, such as `io.k8s.api.core.v1.Pod`, or of a kind by `kind.schema`. Fields that the
 * type does not have are kept as they are; `null` is accepted for optional fields. An unknown name gives a schema of any JSON object.
 *
 * It checks the shape only and changes nothing: what the server stores is made by `ObjectCodec.decode`.
 *
 * @category constructors
 */
export const of = (definition: string): EffectSchema.Schema<JsonObject> => {
  const known = schemas.get(definition)
  if (known !== undefined) return known
  const fields = Object.fromEntries([...fieldsOf(definition)].map(([name, field]) => [name, propertyOf(field)]))
  const struct = EffectSchema.Struct(fields, { key: EffectSchema.String, value: EffectSchema.Unknown })
  const schema = EffectSchema.make<JsonObject>(struct.ast).annotations({ identifier: tables[definition]?.go ?? definition })
  schemas.set(definition, schema)
  return schema
}
