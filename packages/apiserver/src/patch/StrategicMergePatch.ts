/**
 * Strategic merge patch: a merge patch that knows from the field tables which lists are merged and by which key, and that
 * understands Kubernetes' directives (`$patch`, `$retainKeys`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`).
 */
import type { Schema } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { field, itemMessage } from "../internal/fieldTables.js"
import { equals, isArray, isObject, type JsonObject } from "../internal/jsonValue.js"

/** What is wrong with a patch. @category errors */
export interface StrategicMergePatchFailure {
  readonly message: string
}

const orderPrefix = "$setElementOrder/"
const deletePrefix = "$deleteFromPrimitiveList/"

// A patch is a tree that a client sent: a problem deep inside ends the whole walk, so it is thrown and caught in `apply`.
class Malformed {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

const isDirective = (key: string): boolean =>
  key === "$patch" || key === "$retainKeys" || key.startsWith(orderPrefix) || key.startsWith(deletePrefix)

/** What a part of a patch means where nothing is there to merge it with: itself, without directives and nulls. */
const fresh = (patch: unknown): unknown => {
  if (isArray(patch)) return patch.filter((item) => !isObject(item) || item["$patch"] === undefined).map(fresh)
  if (!isObject(patch)) return patch
  if (patch["$patch"] === "delete") return {}
  return Object.fromEntries(
    Object.entries(patch)
      .filter(([key, value]) => value !== null && !isDirective(key))
      .map(([key, value]) => [key, fresh(value)])
  )
}

const list = (value: unknown, key: string): ReadonlyArray<unknown> => {
  if (isArray(value)) return value
  throw new Malformed(`the value of ${key} must be a list`)
}

const keyOf = (item: unknown, mergeKey: string | undefined): unknown => {
  if (mergeKey === undefined) return item
  const value = isObject(item) ? item[mergeKey] : undefined
  if (value === undefined || value === null) {
    throw new Malformed(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`)
  }
  return value
}

const indexIn = (items: ReadonlyArray<unknown>, key: unknown, mergeKey: string | undefined): number =>
  items.findIndex((item) => equals(mergeKey === undefined ? item : isObject(item) ? item[mergeKey] : undefined, key))

/** Items named by `order` come in that order; the others keep their place relative to them as far as both were in `before`. */
const reorder = (
  items: ReadonlyArray<unknown>,
  order: ReadonlyArray<unknown>,
  before: ReadonlyArray<unknown>,
  mergeKey: string | undefined
): ReadonlyArray<unknown> => {
  const keys = order.map((entry) => keyOf(entry, mergeKey))
  const rank = (item: unknown) => keys.findIndex((key) => equals(key, keyOf(item, mergeKey)))
  const named = items.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b))
  const others = items.filter((item) => rank(item) < 0)
  const result: Array<unknown> = []
  let next = 0
  for (const item of named) {
    const place = indexIn(before, keyOf(item, mergeKey), mergeKey)
    for (; next < others.length; next++) {
      const other = indexIn(before, keyOf(others[next], mergeKey), mergeKey)
      if (place < 0 || other < 0 || other > place) break
      result.push(others[next])
    }
    result.push(item)
  }
  return [...result, ...others.slice(next)]
}

const mergeKeyed = (
  current: ReadonlyArray<unknown>,
  patch: ReadonlyArray<unknown>,
  mergeKey: string,
  message: string | undefined
): ReadonlyArray<unknown> => {
  if (patch.some((item) => isObject(item) && item["$patch"] === "replace")) return list(fresh(patch), "list")
  const result = [...current]
  for (const item of patch) {
    const at = indexIn(result, keyOf(item, mergeKey), mergeKey)
    if (isObject(item) && item["$patch"] === "delete") {
      if (at >= 0) result.splice(at, 1)
    } else if (at >= 0) result[at] = mergeValue(result[at], item, message)
    else result.push(fresh(item))
  }
  return result
}

const mergeSet = (
  current: ReadonlyArray<unknown>,
  patch: ReadonlyArray<unknown>,
  removed: ReadonlyArray<unknown>
): ReadonlyArray<unknown> => {
  const result = current.filter((item) => !removed.some((gone) => equals(gone, item)))
  for (const item of patch) if (!result.some((had) => equals(had, item))) result.push(item)
  return result
}

const strategies = (known: Schema.Field | undefined): ReadonlyArray<string> => known?.patch?.split(",") ?? []

const mergeList = (
  current: unknown,
  patch: JsonObject,
  name: string,
  known: Schema.Field | undefined
): ReadonlyArray<unknown> => {
  const before = isArray(current) ? current : []
  const given = patch[name]
  const order = patch[orderPrefix + name]
  const removed = patch[deletePrefix + name]
  if (!strategies(known).includes("merge")) {
    return given === undefined ? before : list(fresh(list(given, name)), name)
  }
  const changes = given === undefined ? [] : list(given, name)
  const mergeKey = known?.mergeKey
  const merged = mergeKey === undefined
    ? mergeSet(before, changes, removed === undefined ? [] : list(removed, deletePrefix + name))
    : mergeKeyed(before, changes, mergeKey, known === undefined ? undefined : itemMessage(known))
  return order === undefined ? merged : reorder(merged, list(order, orderPrefix + name), before, mergeKey)
}

/** Lists that a patch touches by a directive alone, without giving the list itself. */
const directiveLists = (patch: JsonObject): ReadonlyArray<string> =>
  Object.keys(patch).flatMap((key) => {
    const prefix = [orderPrefix, deletePrefix].find((p) => key.startsWith(p))
    const name = prefix === undefined ? undefined : key.slice(prefix.length)
    return name === undefined || Object.hasOwn(patch, name) ? [] : [name]
  })

const mergeObject = (current: JsonObject, patch: JsonObject, message: string | undefined): unknown => {
  const directive = patch["$patch"]
  if (directive === "replace") return fresh({ ...patch, $patch: undefined })
  if (directive === "delete") return {}
  if (directive !== undefined && directive !== "merge") {
    throw new Malformed(`Unknown patch type found: ${JSON.stringify(directive)}`)
  }
  const retain = patch["$retainKeys"]
  const kept = retain === undefined ? undefined : list(retain, "$retainKeys")
  const result = new Map(Object.entries(current).filter(([key]) => kept === undefined || kept.includes(key)))
  for (const name of directiveLists(patch)) {
    if (isArray(result.get(name))) result.set(name, mergeList(result.get(name), patch, name, field(message, name)))
  }
  for (const [key, value] of Object.entries(patch)) {
    if (isDirective(key)) continue
    const known = field(message, key)
    if (value === null) result.delete(key)
    else if (isArray(value)) result.set(key, mergeList(result.get(key), patch, key, known))
    else if (!result.has(key) || strategies(known).includes("replace")) result.set(key, fresh(value))
    else result.set(key, mergeValue(result.get(key), value, known === undefined ? undefined : itemMessage(known)))
  }
  return Object.fromEntries(result)
}

const mergeValue = (current: unknown, patch: unknown, message: string | undefined): unknown =>
  isObject(patch) ? isObject(current) ? mergeObject(current, patch, message) : fresh(patch) : patch

/**
 * The object with the patch applied. `message` is the definition name of its type in the field tables. Neither argument is
 * modified. Fields that the tables do not know merge as in a plain merge patch.
 *
 * @category combinators
 */
export const apply = (
  current: unknown,
  patch: unknown,
  message: string
): Either.Either<unknown, StrategicMergePatchFailure> => {
  if (!isObject(current) || !isObject(patch)) return Either.left({ message: "Invalid JSON document" })
  try {
    return Either.right(mergeObject(current, patch, message))
  } catch (cause) {
    if (cause instanceof Malformed) return Either.left({ message: cause.message })
    throw cause
  }
}
