/** Fills what an object leaves out with the defaults of its schema. */
import { additionalOf, define, isArray, isObject, itemsOf, type JsonObject, type JsonSchema, propertiesOf, propertyOf } from "./JsonSchema.js"

const wanting = (value: unknown, { nullable }: JsonSchema): boolean => value === undefined || value === null && nullable !== true

/** The value itself, or the default in place of a null that may not be. */
const orDefault = (value: unknown, schema: JsonSchema): unknown =>
  value === null && schema.nullable !== true && schema.default !== undefined ? schema.default : value

const fillObject = (value: JsonObject, schema: JsonSchema): JsonObject => {
  let result: Record<string, unknown> | undefined
  const set = (key: string, next: unknown): void => {
    result ??= { ...value }
    define(result, key, next)
  }
  for (const [name, property] of propertiesOf(schema)) {
    const present = Object.hasOwn(value, name) ? value[name] : undefined
    const given = property.default !== undefined && wanting(present, property) ? property.default : present
    if (given === undefined) continue
    const next = withDefaults(given, property)
    if (next !== present) set(name, next)
  }
  const additional = additionalOf(schema)
  if (typeof additional === "object") {
    for (const key of Object.keys(value)) {
      if (propertyOf(schema, key) !== undefined) continue
      const next = withDefaults(orDefault(value[key], additional), additional)
      if (next !== value[key]) set(key, next)
    }
  }
  return result ?? value
}

/**
 * The value with every default that applies: to a missing field of an object that is there, and to a null where none may be. Gives the same
 * value when there is nothing to fill.
 *
 * @category combinators
 */
export const withDefaults = (value: unknown, schema: JsonSchema): unknown => {
  if (isObject(value)) return fillObject(value, schema)
  if (!isArray(value)) return value
  const items = itemsOf(schema)
  if (items === undefined) return value
  const result = value.map((item) => withDefaults(orDefault(item, items), items))
  return result.every((item, index) => item === value[index]) ? value : result
}

/** Whether a schema has a default at any depth. @category combinators */
export const hasDefaults = (schema: JsonSchema): boolean => {
  if (schema.default !== undefined) return true
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  return propertiesOf(schema).some(([, property]) => hasDefaults(property)) ||
    items !== undefined && hasDefaults(items) ||
    typeof additional === "object" && hasDefaults(additional)
}
