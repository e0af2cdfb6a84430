/** Small tools for JSON values. They treat `__proto__` as the ordinary key that it is in JSON. */

/** A JSON object. */
export type JsonObject = { readonly [key: string]: unknown }

/** True for objects, false for arrays, null and scalars. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** True for arrays, whose elements are not known. */
export const isArray = (value: unknown): value is ReadonlyArray<unknown> => Array.isArray(value)

/** Structural equality of JSON values. An absent property and one that is undefined are the same. */
export const equals = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((item, i) => equals(item, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  for (const key in a) if (!equals(a[key], b[key])) return false
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false
  return true
}

/** A copy without the given key; the same object when it has none. */
export const without = (object: JsonObject, key: string): JsonObject => {
  if (!Object.hasOwn(object, key)) return object
  const { [key]: _, ...rest } = object
  return rest
}

/** The value of an own property. */
export const get = (object: unknown, key: string): unknown =>
  isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined

/** The text under a name; empty for anything else. */
export const textAt = (object: unknown, key: string): string => {
  const value = get(object, key)
  return typeof value === "string" ? value : ""
}
