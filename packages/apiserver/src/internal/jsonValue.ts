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

const agreeExcept = (key: string, a: object, b: object, agree: (left: unknown, right: unknown) => boolean): boolean => {
  if (!isObject(a) || !isObject(b)) return false
  for (const name in a) if (name !== key && !agree(a[name], b[name])) return false
  for (const name in b) if (name !== key && b[name] !== undefined && a[name] === undefined) return false
  return true
}

/** Whether two objects are equal but for what they have under one key. */
export const equalsExcept = (key: string, a: object, b: object): boolean => agreeExcept(key, a, b, equals)

/** Whether two objects have the very same values, not only equal ones, but for what they have under one key. */
export const sharesExcept = (key: string, a: object, b: object): boolean => agreeExcept(key, a, b, Object.is)

const hasNoMore = (a: JsonObject, b: JsonObject): boolean => {
  for (const key in a) if (a[key] !== undefined && !Object.hasOwn(b, key)) return false
  return true
}

// Equal values are of the same type, whatever it is.
const isOfType = <A>(_: A, _other: unknown): _other is A => true

const sharingItems = (next: ReadonlyArray<unknown>, old: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  let isSame = next.length === old.length
  let copy: Array<unknown> | undefined
  for (let i = 0; i < next.length; i++) {
    const item = i < old.length ? sharing(next[i], old[i]) : next[i]
    if (i >= old.length || item !== old[i]) isSame = false
    if (item !== next[i]) (copy ??= [...next])[i] = item
  }
  return isSame ? old : copy ?? next
}

const sharingFields = (next: JsonObject, old: JsonObject): JsonObject => {
  let isSame = hasNoMore(old, next)
  let copy: Record<string, unknown> | undefined
  for (const key in next) {
    const before = get(old, key)
    const value = before === undefined ? next[key] : sharing(next[key], before)
    if (value !== before) isSame = false
    if (value !== next[key]) (copy ??= { ...next })[key] = value
  }
  return isSame ? old : copy ?? next
}

/**
 * The same JSON value, with all that is equal in `old` taken from there: whoever compares the two later sees at once where nothing is
 * different.
 */
export const sharing = <A>(next: A, old: unknown): A => {
  if (next === old) return next
  const shared: unknown = isArray(next)
    ? isArray(old) ? sharingItems(next, old) : next
    : isObject(next) && isObject(old)
    ? sharingFields(next, old)
    : next
  return isOfType(next, shared) ? shared : next
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

/** Gives an object a property of its own. */
export const put = (object: Record<string, unknown>, key: string, value: unknown): void => {
  // Assigning this key would change the prototype of the object instead.
  if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
}

/** The text under a name; empty for anything else. */
export const textAt = (object: unknown, key: string): string => {
  const value = get(object, key)
  return typeof value === "string" ? value : ""
}
