/** JSON merge patch (RFC 7386). */
import { isObject } from "../internal/jsonValue.js"

/**
 * The target with the patch applied: objects merge, null removes, anything else replaces. Neither argument is modified.
 *
 * @category combinators
 */
export const apply = (target: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch
  const result = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key)
    else result.set(key, apply(result.get(key), value))
  }
  return Object.fromEntries(result)
}
