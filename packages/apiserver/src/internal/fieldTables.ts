/** Fields of API types, found by their JSON names. */
import { FieldTables, type Schema } from "@reddwarf/api-types"

const none: ReadonlyMap<string, Schema.Field> = new Map()
const known = new Map<string, ReadonlyMap<string, Schema.Field>>()

/** All fields that stand in the JSON of a type, with those of inlined types. */
export const fieldsOf = (message: string): ReadonlyMap<string, Schema.Field> => {
  const found = known.get(message)
  if (found !== undefined) return found
  const table = FieldTables.tables[message]
  if (table === undefined) return none
  const fields = new Map<string, Schema.Field>()
  for (const { type } of table.inline ?? []) for (const [name, field] of fieldsOf(type)) fields.set(name, field)
  for (const [name, field] of Object.entries(table.fields)) fields.set(name, field)
  known.set(message, fields)
  return fields
}

/** One field, or undefined for an unknown field or type. */
export const field = (message: string | undefined, name: string): Schema.Field | undefined =>
  message === undefined ? undefined : fieldsOf(message).get(name)

/** Type of a field, or of the items of a list or map. */
export const itemType = ({ type }: Schema.Field): string => type.replace(/^(\[\]|\{\})+/, "")

/** The message type of a field or of its items; undefined when they are not messages. Maps from names are no message themselves. */
export const itemMessage = (known: Schema.Field): string | undefined => {
  const type = itemType(known)
  return FieldTables.tables[type] === undefined || known.type.startsWith("{}") ? undefined : type
}

/** True for types that have fields. */
export const isMessage = (type: string): boolean => Object.hasOwn(FieldTables.tables, type)

/** How values of a message are merged: `atomic`, `granular` or, undefined, field by field. */
export const messageMapType = (type: string): string | undefined => isMessage(type) ? FieldTables.tables[type]?.mapType : undefined
