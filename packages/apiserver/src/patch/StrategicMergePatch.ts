/**
 * Strategic merge patch: a merge patch that knows from the field tables which lists are merged and by which key, and that
 * understands Kubernetes' directives (`$patch`, `$retainKeys`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`).
 */
import { Schema } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { isArray, isObject, type JsonObject } from "../internal/jsonValue.js"

/**
 * What is wrong with a patch. `Malformed`: a directive does not have its form. `Unfit`: the patch does not fit together, or not the
 * type that it is for.
 *
 * @category errors
 */
export interface StrategicMergePatchFailure {
  readonly reason: "Malformed" | "Unfit"
  readonly message: string
}

const orderPrefix = "$setElementOrder/"
const deletePrefix = "$deleteFromPrimitiveList/"

// A patch is a tree that a client sent: a problem deep inside ends the whole walk, so it is thrown and caught in `apply`.
class Problem implements StrategicMergePatchFailure {
  readonly reason: StrategicMergePatchFailure["reason"]
  readonly message: string
  constructor(reason: StrategicMergePatchFailure["reason"], message: string) {
    this.reason = reason
    this.message = message
  }
}

const malformed = (what: string): Problem => new Problem("Malformed", `invalid patch format of ${what}`)
const unfit = (message: string): Problem => new Problem("Unfit", message)

const isDirective = (key: string): boolean =>
  key === "$patch" || key === "$retainKeys" || key.startsWith(orderPrefix) || key.startsWith(deletePrefix)

const hasPatchDirective = (value: unknown): boolean => isObject(value) && value["$patch"] !== undefined

/** What a part of a patch means where nothing is there to merge it with: itself, without nulls and parts that are directives. */
const fresh = (patch: unknown): unknown => {
  if (isArray(patch)) return patch.filter((item) => !hasPatchDirective(item)).map(fresh)
  if (!isObject(patch)) return patch
  return Object.fromEntries(
    Object.entries(patch)
      .filter(([key, value]) => value !== null && !isDirective(key) && !hasPatchDirective(value))
      .map(([key, value]) => [key, fresh(value)])
  )
}

const typeName = (value: unknown): string => {
  if (value === null || value === undefined) return "%!s(<nil>)"
  if (isObject(value)) return "map[string]interface {}"
  return typeof value === "number" ? "float64" : typeof value === "boolean" ? "bool" : typeof value
}

const list = (value: unknown): ReadonlyArray<unknown> => {
  if (isArray(value)) return value
  throw unfit(`expected a []interface {}, but received a ${typeName(value)}`)
}

/** A value as Go prints it, which messages quote. */
const goText = (value: unknown): string => {
  if (isArray(value)) return `[${value.map(goText).join(" ")}]`
  if (isObject(value)) return `map[${Object.keys(value).sort().map((key) => `${key}:${goText(value[key])}`).join(" ")}]`
  if (value === null || value === undefined) return "<nil>"
  return typeof value === "string" ? value : JSON.stringify(value)
}

// What tells items apart, as a text; undefined for an item of the object that lacks it. Lists may be long, so items are looked up by it.
const placeOf = (item: unknown, mergeKey: string | undefined): string | undefined => {
  const value = mergeKey === undefined ? item : isObject(item) ? item[mergeKey] : undefined
  return value === undefined || value === null ? undefined : JSON.stringify(value)
}

const keyOf = (item: unknown, mergeKey: string | undefined): string => {
  const key = placeOf(item, mergeKey)
  if (key === undefined) throw unfit(`map: ${goText(item)} does not contain declared merge key: ${mergeKey ?? ""}`)
  return key
}

/** Positions of items by what tells them apart; of several that are alike, the first. */
const positions = (items: ReadonlyArray<unknown>, mergeKey: string | undefined): Map<string | undefined, number> => {
  const found = new Map<string | undefined, number>()
  for (const [at, item] of items.entries()) {
    const key = placeOf(item, mergeKey)
    if (key !== undefined && !found.has(key)) found.set(key, at)
  }
  return found
}

/** Items named by `order` come in that order; the others keep their place relative to them as far as both were in `before`. */
const reorder = (
  items: ReadonlyArray<unknown>,
  order: ReadonlyArray<unknown>,
  before: ReadonlyArray<unknown>,
  mergeKey: string | undefined
): ReadonlyArray<unknown> => {
  if (order.length === 0) return items
  const ranks = positions(order, mergeKey)
  const places = positions(before, mergeKey)
  const rank = (item: unknown) => ranks.get(placeOf(item, mergeKey)) ?? -1
  const named = items.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b))
  const others = items.filter((item) => rank(item) < 0)
  const result: Array<unknown> = []
  let next = 0
  for (const item of named) {
    const place = places.get(placeOf(item, mergeKey))
    for (; next < others.length; next++) {
      const other = places.get(placeOf(others[next], mergeKey))
      if (place === undefined || other === undefined || other > place) break
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
  checkElements(patch)
  if (patch.some((item) => isObject(item) && item["$patch"] === "replace")) return list(fresh(patch))
  const removed = new Set<string | undefined>(patch.filter(hasPatchDirective).map((item) => keyOf(item, mergeKey)))
  const result = removed.size === 0 ? [...current] : current.filter((item) => !removed.has(placeOf(item, mergeKey)))
  const known = positions(result, mergeKey)
  for (const item of patch) {
    if (hasPatchDirective(item)) continue
    const key = keyOf(item, mergeKey)
    const at = known.get(key)
    if (at === undefined) known.set(key, result.push(fresh(item)) - 1)
    else result[at] = mergeValue(result[at], item, message)
  }
  return result
}

const checkElements = (patch: ReadonlyArray<unknown>): void => {
  for (const item of patch) {
    const directive = isObject(item) ? item["$patch"] : undefined
    if (directive === undefined || directive === "delete" || directive === "replace") continue
    throw unfit(
      directive === "merge"
        ? "merging lists cannot yet be specified in the patch"
        : `unknown patch type: ${goText(directive)} in map: ${goText(item)}`
    )
  }
}

/** The items of a patch must all be in the order that it gives, and in that order. */
const checkOrder = (
  patch: ReadonlyArray<unknown>,
  order: ReadonlyArray<unknown>,
  mergeKey: string | undefined
): void => {
  if (order.length === 0) return
  let at = 0
  for (const item of patch.filter((one) => !hasPatchDirective(one))) {
    const key = keyOf(item, mergeKey)
    while (at < order.length && keyOf(order[at], mergeKey) !== key) at++
    if (at === order.length) {
      throw unfit(`The order in patch list:\n${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`)
    }
    at++
  }
}

const mergeSet = (
  current: ReadonlyArray<unknown>,
  patch: ReadonlyArray<unknown>,
  removed: ReadonlyArray<unknown>
): ReadonlyArray<unknown> => {
  const gone = new Set(removed.map((item) => placeOf(item, undefined)))
  const result = current.filter((item) => !gone.has(placeOf(item, undefined)))
  const had = new Set(result.map((item) => placeOf(item, undefined)))
  for (const item of patch) {
    const key = placeOf(item, undefined)
    if (!had.has(key)) result.push(item)
    had.add(key)
  }
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
  const mergeKey = known?.mergeKey
  const changes = given === undefined ? [] : list(given)
  const order = orderOf(patch, name, changes, mergeKey)
  const removed = removedFrom(patch, name)
  if (!strategies(known).includes("merge")) return given === undefined ? mergeSet(before, [], removed) : list(fresh(changes))
  if (mergeKey === undefined && changes.some(isObject)) throw unfit(`cannot merge lists without merge key for ${name}`)
  const merged = mergeKey === undefined
    ? mergeSet(before, changes, removed)
    : mergeKeyed(before, changes, mergeKey, known === undefined ? undefined : Schema.itemMessage(known))
  return reorder(merged, order, before, mergeKey)
}

const removedFrom = (patch: JsonObject, name: string): ReadonlyArray<unknown> => {
  const removed = patch[deletePrefix + name]
  return isArray(removed) ? removed : []
}

// Without a directive the items of the patch are in the order of the patch.
const orderOf = (
  patch: JsonObject,
  name: string,
  changes: ReadonlyArray<unknown>,
  mergeKey: string | undefined
): ReadonlyArray<unknown> => {
  const order = patch[orderPrefix + name]
  if (order === undefined) return changes.filter((item) => !hasPatchDirective(item))
  checkOrder(changes, list(order), mergeKey)
  return list(order)
}

/** Lists that a patch touches by a directive alone, without giving the list itself. */
const directiveLists = (patch: JsonObject): ReadonlyArray<string> =>
  Object.keys(patch).flatMap((key) => {
    if (key === deletePrefix.slice(0, -1)) throw malformed("primitive list")
    if (key === orderPrefix.slice(0, -1)) throw malformed("setElementOrder list")
    const prefix = [orderPrefix, deletePrefix].find((p) => key.startsWith(p))
    const name = prefix === undefined ? undefined : key.slice(prefix.length)
    return name === undefined || Object.hasOwn(patch, name) ? [] : [name]
  })

/** The keys that a patch wants to keep; it must not set any others. Undefined: all. */
const retainedBy = (patch: JsonObject): ReadonlyArray<unknown> | undefined => {
  const kept = patch["$retainKeys"]
  if (kept === undefined) return undefined
  const isFit = isArray(kept) &&
    Object.entries(patch).every(([key, value]) => value === null || isDirective(key) || kept.includes(key))
  if (!isFit) throw malformed("retainKeys")
  return kept
}

const mergeObject = (current: JsonObject, patch: JsonObject, message: string | undefined): unknown => {
  const directive = patch["$patch"]
  if (directive === "replace") return fresh({ ...patch, $patch: undefined })
  if (directive === "delete") return {}
  if (directive !== undefined && directive !== "merge") {
    throw unfit(`unknown patch type: ${goText(directive)} in map: ${goText(patch)}`)
  }
  const kept = retainedBy(patch)
  const result = new Map(Object.entries(current).filter(([key]) => kept === undefined || kept.includes(key)))
  for (const name of directiveLists(patch)) {
    if (isArray(result.get(name))) result.set(name, mergeList(result.get(name), patch, name, Schema.field(message, name)))
  }
  for (const [key, value] of Object.entries(patch)) {
    if (isDirective(key)) continue
    const known = Schema.field(message, key)
    if (value === null) result.delete(key)
    else if (isArray(value)) result.set(key, mergeList(result.get(key), patch, key, known))
    else if (!result.has(key) && hasPatchDirective(value)) continue
    else if (!result.has(key) || strategies(known).includes("replace")) result.set(key, fresh(value))
    else result.set(key, mergeValue(result.get(key), value, known === undefined ? undefined : Schema.itemMessage(known)))
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
  if (!isObject(current) || !isObject(patch)) return Either.left(new Problem("Malformed", "invalid JSON document"))
  try {
    return Either.right(mergeObject(current, patch, message))
  } catch (cause) {
    if (cause instanceof Problem) return Either.left(cause)
    throw cause
  }
}
