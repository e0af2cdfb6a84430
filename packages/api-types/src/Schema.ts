/**
 * Field tables: what Kubernetes' own sources say about each API type, as data.
 *
 * Decoding, defaulting, patching, OpenAPI and protobuf all read the same tables, so nothing about a field is written twice.
 */
import { enums as generatedEnums, tables as generatedTables } from "./generated/tables.js"

/**
 * Semantics of one field; an absent property means "no" or "not applicable".
 *
 * `type` is one of `string`, `int32`, `int64`, `double`, `bool`, `bytes` (base64), `time`, `microTime`, `duration`, `quantity`, `intOrString`,
 * `raw` (any JSON), `schemaOrArray`, `schemaOrBool`, `schemaOrStrings` (fields of a JSON schema that have two forms), the OpenAPI definition name of a message, `[]T` for a list or `{}T` for a map from string.
 *
 * @category models
 */
export interface Field {
  readonly type: string
  /** Protobuf field number. */
  readonly number?: number
  readonly required?: true
  /** Go writes the field even when it is empty (its tag has no `omitempty`). */
  readonly always?: true
  /** A pointer in Go: an explicit zero differs from an absent value. */
  readonly pointer?: true
  /** Strategic merge patch strategy: `merge`, `replace`, `retainKeys` or `merge,retainKeys`. */
  readonly patch?: string
  readonly mergeKey?: string
  /** `atomic`, `set` or `map`. */
  readonly listType?: string
  readonly listKeys?: ReadonlyArray<string>
  /** `atomic` or `granular`. */
  readonly mapType?: string
  /** Definition name of the enumeration in `enums`. */
  readonly enum?: string
}

/** One API type. @category models */
export interface Message {
  /** The name Go prints in decode errors, such as `v1.PodSpec`. */
  readonly go: string
  /** Types whose fields stand at this level in JSON; `number` is their protobuf field (TypeMeta has none). */
  readonly inline?: ReadonlyArray<{ readonly type: string; readonly number?: number }>
  readonly mapType?: string
  readonly fields: Readonly<Record<string, Field>>
}

/** Types by OpenAPI definition name, such as `io.k8s.api.core.v1.Pod`. @category models */
export type MessageTable = Readonly<Record<string, Message>>

/** The tables of every built-in type. @category models */
export const tables: MessageTable = generatedTables

/** Known values of each enumeration, by definition name. @category models */
export const enums: Readonly<Record<string, ReadonlyArray<string>>> = generatedEnums

const none: ReadonlyMap<string, Field> = new Map()
const known = new Map<string, ReadonlyMap<string, Field>>()

/**
 * All fields of a message by their names in JSON, in the order of the wire and those of inlined types first. Empty for what is no message.
 *
 * @category combinators
 */
export const fieldsOf = (definition: string): ReadonlyMap<string, Field> => {
  const found = known.get(definition)
  if (found !== undefined) return found
  const message = isMessage(definition) ? tables[definition] : undefined
  if (message === undefined) return none
  const inlined = (message.inline ?? []).flatMap(({ type }) => [...fieldsOf(type)])
  const fields = new Map([...inlined, ...Object.entries(message.fields)])
  known.set(definition, fields)
  return fields
}

/** A field of a message, also one of an inlined type; undefined when there is no such field or message. @category combinators */
export const field = (definition: string | undefined, name: string): Field | undefined =>
  definition === undefined ? undefined : fieldsOf(definition).get(name)

/** Whether a type has fields. @category combinators */
export const isMessage = (type: string): boolean => Object.hasOwn(tables, type)

/** Type of a field, or of the items of its lists and maps. @category combinators */
export const itemType = ({ type }: Field): string => type.replace(/^(\[\]|\{\})+/, "")

/** The message that a field or its items are; undefined when they are none. A map from names is no message itself. @category combinators */
export const itemMessage = (field: Field): string | undefined => {
  const type = itemType(field)
  return isMessage(type) && !field.type.startsWith("{}") ? type : undefined
}

/** How values of a message are merged: `atomic`, `granular` or, undefined, field by field. @category combinators */
export const messageMapType = (type: string): string | undefined => isMessage(type) ? tables[type]?.mapType : undefined
