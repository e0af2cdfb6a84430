/** JSON merge patch (RFC 7386). */
import { get, isObject, put } from "../internal/jsonValue.js"

/**
 * The target with the patch applied: objects merge, null removes, anything else replaces. Neither argument is modified.
 *
 * @category combinators
 */
export const apply = (target: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) delete result[key]
    else put(result, key, apply(get(result, key), value))
  }
  return result
}
