/** Removes what a schema does not declare. */
import { additionalOf, child, define, isArray, isObject, itemsOf, type JsonObject, type JsonSchema, preserves, propertyOf, typeFields } from "./JsonSchema.js"

/** @category models */
export interface Pruned {
  /** The same value when nothing was removed. */
  readonly value: unknown
  /** Paths of what was removed, such as `spec.list[0].foo`, in alphabetical order. */
  readonly removed: ReadonlyArray<string>
}

/** As many paths are reported; a body could hold millions of unknown fields. */
const maximumReported = 100

type Report = (path: string) => void

const pruneMembers = (
  value: JsonObject,
  schema: JsonSchema | undefined,
  isResource: boolean,
  keepsUnknown: boolean,
  path: string,
  report: Report
): JsonObject => {
  let changed = false
  const result: Record<string, unknown> = {}
  const additional = schema === undefined ? false : additionalOf(schema)
  for (const key of Object.keys(value)) {
    const member = value[key]
    const at = child(path, key)
    const property = schema === undefined ? undefined : propertyOf(schema, key)
    let next = member
    if (isResource && typeFields.has(key)) next = member
    else if (property !== undefined) next = prune(member, property, at, report)
    else if (typeof additional === "object") next = prune(member, additional, at, report)
    // Any value goes, but nothing inside it is declared.
    else if (additional) next = keepsUnknown ? member : prune(member, undefined, at, report)
    else if (!keepsUnknown) {
      report(at)
      changed = true
      continue
    }
    if (next !== member) changed = true
    define(result, key, next)
  }
  return changed ? result : value
}

const pruneItems = (items: ReadonlyArray<unknown>, each: (item: unknown, index: number) => unknown): ReadonlyArray<unknown> => {
  const result = items.map(each)
  return result.every((item, index) => item === items[index]) ? items : result
}

/** `keeps`: the list around the value keeps what is unknown, for its items too. */
const prune = (value: unknown, schema: JsonSchema | undefined, path: string, report: Report, keeps = false): unknown => {
  const keepsUnknown = keeps || schema !== undefined && preserves(schema)
  if (isObject(value)) {
    const isResource = schema?.["x-kubernetes-embedded-resource"] === true
    return pruneMembers(value, schema, isResource, keepsUnknown, path, report)
  }
  if (!isArray(value)) return value
  const items = schema === undefined ? undefined : itemsOf(schema)
  return pruneItems(value, (item, index) =>
    keepsUnknown && items === undefined ? item : prune(item, items, `${path}[${index}]`, report, keepsUnknown))
}

/**
 * Removes undeclared fields of an object of this schema. At its root `apiVersion`, `kind` and `metadata` stay as they are.
 *
 * @category combinators
 */
export const pruneResource = (value: unknown, schema: JsonSchema): Pruned => {
  const removed: Array<string> = []
  const report: Report = (path) => {
    if (removed.length < maximumReported) removed.push(path)
  }
  const next = isObject(value) ? pruneMembers(value, schema, true, preserves(schema), "", report) : value
  return { value: next, removed: removed.sort() }
}

/** Removes undeclared fields of a value inside an object. @category combinators */
export const pruneValue = (value: unknown, schema: JsonSchema): Pruned => {
  const removed: Array<string> = []
  const next = prune(value, schema, "", (path) => removed.push(path))
  return { value: next, removed: removed.sort() }
}

const schemaOf = (schema: JsonSchema | undefined, name: string): JsonSchema | undefined => {
  if (schema === undefined) return undefined
  const additional = additionalOf(schema)
  return propertyOf(schema, name) ?? (typeof additional === "object" ? additional : undefined)
}

/** A null where none may be, and for which nothing else can be put. */
const isPointless = (value: unknown, schema: JsonSchema | undefined): boolean =>
  value === null && schema !== undefined && schema.nullable !== true && schema.default === undefined

/**
 * The value without the fields that are null although they may not be and have no default: a client that writes such a null means that the
 * field is not there. Gives the same value when there is nothing to remove.
 *
 * @category combinators
 */
export const withoutNulls = (value: unknown, schema: JsonSchema | undefined): unknown => {
  if (isArray(value)) {
    const items = schema === undefined ? undefined : itemsOf(schema)
    return pruneItems(value, (item) => withoutNulls(item, items))
  }
  if (!isObject(value) || schema === undefined) return value
  let result: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const member = value[key]
    const below = schemaOf(schema, key)
    const isRemoved = isPointless(member, below)
    const next = isRemoved ? undefined : withoutNulls(member, below)
    if (next === member) continue
    result ??= { ...value }
    if (isRemoved) delete result[key]
    else define(result, key, next)
  }
  return result ?? value
}
