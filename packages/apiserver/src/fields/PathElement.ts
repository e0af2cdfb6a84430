/**
 * Steps of a field path, in the notation of `fieldsV1`: `f:<field>`, `k:<JSON of the keys of a list item>`, `v:<JSON of an item
 * of a set>`, `i:<index>`. Each has one spelling, so that steps can be compared as texts.
 */
import { isObject } from "../internal/jsonValue.js"
import type { ListType } from "./TypedSchema.js"

/** @category models */
export type PathElement = string

// A text that was put together has to be looked up by the engine before it can name a property, which costs more than all else that
// is done with it. As many as all built-in kinds have; other names come from clients.
const known = new Map<string, PathElement>()
const maxKnown = 4096

/** The step to a field. @category constructors */
export const field = (name: string): PathElement => {
  const found = known.get(name)
  if (found !== undefined) return found
  const made = `f:${name}`
  if (known.size < maxKnown && name.length < 64) known.set(name, made)
  return made
}

/** The field name of a step; undefined for a step into a list. @category combinators */
export const fieldName = (element: PathElement): string | undefined => element.startsWith("f:") ? element.slice(2) : undefined

// The same for items of lists with one key, nearly all of which are told apart by a name.
const knownItems = new Map<string, Map<string, PathElement>>()
let itemsLeft = 4096

const named = (key: string, name: string): PathElement => {
  let items = knownItems.get(key)
  const found = items?.get(name)
  if (found !== undefined) return found
  const made = `k:{${JSON.stringify(key)}:${JSON.stringify(name)}}`
  if (itemsLeft === 0 || name.length >= 64) return made
  if (items === undefined) knownItems.set(key, items = new Map())
  items.set(name, made)
  itemsLeft--
  return made
}

const keyed = (item: unknown, { keyDefaults, keys }: ListType): PathElement | undefined => {
  if (!isObject(item)) return undefined
  const [only] = keys
  if (only !== undefined && keys.length === 1) {
    const value = item[only] ?? keyDefaults[only]
    if (typeof value === "string") return named(only, value)
  }
  let text = ""
  for (const key of keys) {
    const value = item[key] ?? keyDefaults[key]
    if (value === undefined) continue
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${JSON.stringify(value)}`
  }
  return text === "" ? undefined : `k:{${text}}`
}

/** The step to an item of a list that is no atomic one; undefined for an item that such a list cannot have. @category constructors */
export const item = (list: ListType, value: unknown): PathElement | undefined => {
  if (list.list === "map") return keyed(value, list)
  return typeof value === "object" || value === undefined ? undefined : `v:${JSON.stringify(value)}`
}

/** Why a list cannot have an item. @category combinators */
export const itemProblem = (list: ListType, value: unknown): string => {
  if (list.list === "map") {
    if (value === null) return "associative list with keys may not have a null element"
    if (!isObject(value)) return "associative list with keys may not have non-map elements"
    const keys = list.keys.map((key) => JSON.stringify(key)).join(" ")
    return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`
  }
  if (value === null) return "associative list without keys has an element that's an explicit null"
  return Array.isArray(value)
    ? "not supported: associative list with lists as elements"
    : "associative list without keys has an element that's a map type"
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The one spelling of a step that a client wrote; undefined for what is no step. @category constructors */
export const canonical = (element: string): PathElement | undefined => {
  const content = element.slice(2)
  if (element.startsWith("f:")) return element
  if (element.startsWith("i:")) return /^-?\d{1,9}$/.test(content) ? `i:${Number(content)}` : undefined
  const value = parsed(content)
  if (value === undefined) return undefined
  if (element.startsWith("v:")) return `v:${JSON.stringify(value)}`
  if (!element.startsWith("k:") || !isObject(value)) return undefined
  const entries = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${JSON.stringify(value[key])}`)
  return `k:{${entries.join(",")}}`
}

const kinds = "fkvi"

const compareValues = (a: unknown, b: unknown): number => {
  if (typeof a === "number" && typeof b === "number") return a - b
  const left = JSON.stringify(a) ?? ""
  const right = JSON.stringify(b) ?? ""
  return left < right ? -1 : left > right ? 1 : 0
}

const compareKeys = (a: unknown, b: unknown): number => {
  if (!isObject(a) || !isObject(b)) return compareValues(a, b)
  const left = Object.keys(a)
  const right = Object.keys(b)
  for (const [i, key] of left.entries()) {
    const other = right[i]
    if (other === undefined) return 1
    if (key !== other) return key < other ? -1 : 1
    const order = compareValues(a[key], b[key])
    if (order !== 0) return order
  }
  return left.length - right.length
}

// One key with a text as its value: such steps are in order as they are written, and most steps into lists are such.
const isSingleText = (element: string): boolean => element.endsWith("\"}") && !element.includes(",")

/** The order in which steps are written: fields by name, then items by their keys or values. @category combinators */
export const compare = (a: PathElement, b: PathElement): number => {
  const kind = kinds.indexOf(a.charAt(0)) - kinds.indexOf(b.charAt(0))
  if (kind !== 0) return kind
  if (a.startsWith("f:") || isSingleText(a) && isSingleText(b)) return a < b ? -1 : a > b ? 1 : 0
  return compareKeys(parsed(a.slice(2)), parsed(b.slice(2)))
}

/** A step as messages show it: `.replicas`, `[name="c"]`. @category combinators */
export const print = (element: PathElement): string => {
  const content = element.slice(2)
  if (element.startsWith("f:")) return `.${content}`
  if (element.startsWith("v:")) return `[=${content}]`
  if (element.startsWith("i:")) return `[${content}]`
  const keys = parsed(content)
  return isObject(keys) ? `[${Object.keys(keys).map((key) => `${key}=${JSON.stringify(keys[key])}`).join(",")}]` : `[${content}]`
}

/** A path as messages show it: `.spec.containers[name="c"].image`. @category combinators */
export const printPath = (path: ReadonlyArray<PathElement>): string => path.map(print).join("")
