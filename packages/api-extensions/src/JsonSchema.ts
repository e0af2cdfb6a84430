/** The schema of a custom resource: the JSON form of `openAPIV3Schema`, and how to walk it. */
import type { ApiextensionsV1 } from "@reddwarf/api-types"

/** @category models */
export type JsonSchema = ApiextensionsV1.JSONSchemaProps

/** A JSON object. @category models */
export type JsonObject = { readonly [key: string]: unknown }

/** True for JSON objects, false for lists, null and scalars. @category combinators */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** True for lists, whose items are not known. @category combinators */
export const isArray = (value: unknown): value is ReadonlyArray<unknown> => Array.isArray(value)

/** The value of an own property. @category combinators */
export const get = (value: unknown, key: string): unknown => isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined

const isSchema = (value: JsonSchema | ReadonlyArray<JsonSchema>): value is JsonSchema => !Array.isArray(value)

/** The schema of the items of a list; undefined when there is none or several. @category combinators */
export const itemsOf = ({ items }: JsonSchema): JsonSchema | undefined => items !== undefined && isSchema(items) ? items : undefined

/** The schema of values under names that are not declared; `true` when any value goes. @category combinators */
export const additionalOf = ({ additionalProperties }: JsonSchema): JsonSchema | boolean => additionalProperties ?? false

/** The schema of a declared field. @category combinators */
export const propertyOf = ({ properties }: JsonSchema, name: string): JsonSchema | undefined =>
  properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined

/** Declared fields in the order of the schema. @category combinators */
export const propertiesOf = ({ properties }: JsonSchema): ReadonlyArray<readonly [string, JsonSchema]> => Object.entries(properties ?? {})

/** Whether values that the schema does not know are kept. @category combinators */
export const preserves = (schema: JsonSchema): boolean => schema["x-kubernetes-preserve-unknown-fields"] === true

/** Fields that every resource has, also an embedded one. @category models */
export const typeFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"])

/** The same value with the names of every object in alphabetical order, as custom resources are written. @category combinators */
export const sorted = (value: unknown): unknown => {
  if (isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value).sort()) {
    if (value[key] !== undefined) define(result, key, sorted(value[key]))
  }
  return result
}

/** Sets a property, also one that is called `__proto__`. @category combinators */
export const define = (target: object, key: string, value: unknown): void => {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else Reflect.set(target, key, value)
}

/** Structural equality of JSON values. An absent property and one that is undefined are the same. @category combinators */
export const equals = (left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (isArray(left)) return isArray(right) && left.length === right.length && left.every((item, index) => equals(item, right[index]))
  if (!isObject(left) || !isObject(right)) return false
  for (const key of Object.keys(left)) if (!equals(left[key], get(right, key))) return false
  for (const key of Object.keys(right)) if (right[key] !== undefined && get(left, key) === undefined) return false
  return true
}

/** `path.name`, or the name alone at the root. @category combinators */
export const child = (path: string, name: string): string => path === "" ? name : `${path}.${name}`
