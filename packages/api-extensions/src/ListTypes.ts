/** Uniqueness of what `x-kubernetes-list-type` calls a set or a map. */
import { FieldError } from "@reddwarf/api-types"
import { additionalOf, child, get, isArray, isObject, itemsOf, type JsonSchema, propertyOf, sorted } from "./JsonSchema.js"

type Errors = ReadonlyArray<FieldError.FieldError>

const keyOf = (value: unknown): string => JSON.stringify(sorted(value)) ?? "undefined"

/** Indices at which a value occurs for the second time. */
const repeated = (values: ReadonlyArray<unknown>): ReadonlyArray<number> => {
  const seen = new Map<string, number>()
  const found: Array<number> = []
  for (const [index, value] of values.entries()) {
    const key = keyOf(value)
    const times = (seen.get(key) ?? 0) + 1
    seen.set(key, times)
    if (times === 2) found.push(index)
  }
  return found
}

const checkMapList = (list: ReadonlyArray<unknown>, keys: ReadonlyArray<string>, path: string): Errors => {
  const wrong = list.findIndex((item) => item !== null && !isObject(item))
  if (wrong >= 0) return [FieldError.invalid(`${path}[${wrong}]`, list[wrong], "must be an object for an array of list-type map")]
  const identities = list.map((item) =>
    Object.fromEntries(keys.flatMap((key) => get(item, key) === undefined ? [] : [[key, get(item, key)]])))
  return repeated(identities).map((index) => FieldError.duplicate(`${path}[${index}]`, identities[index]))
}

const checkList = (list: ReadonlyArray<unknown>, schema: JsonSchema, path: string): Errors => {
  const items = itemsOf(schema)
  const type = schema["x-kubernetes-list-type"]
  const own = type === "set"
    ? repeated(list).map((index) => FieldError.duplicate(`${path}[${index}]`, list[index]))
    : type === "map"
    ? checkMapList(list, schema["x-kubernetes-list-map-keys"] ?? [], path)
    : []
  return items === undefined ? own : [...own, ...list.flatMap((item, index) => validate(item, items, `${path}[${index}]`))]
}

/** Items that occur twice, at any depth. @category combinators */
export const validate = (value: unknown, schema: JsonSchema, path = ""): Errors => {
  if (isArray(value)) return checkList(value, schema, path)
  if (!isObject(value)) return []
  const additional = additionalOf(schema)
  return Object.keys(value).flatMap((name) => {
    const property = propertyOf(schema, name)
    if (property !== undefined) return validate(value[name], property, child(path, name))
    return typeof additional === "object" ? validate(value[name], additional, `${path}[${name}]`) : []
  })
}
