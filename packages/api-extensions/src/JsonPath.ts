/**
 * JSON paths as printer columns, selectable fields and scale subresources use them: names, indices and slices, several of them at once, `*`,
 * everything below (`..`), and filters.
 */
import * as Either from "effect/Either"
import { get, isArray, isObject } from "./JsonSchema.js"

type Operator = "==" | "!=" | "<" | "<=" | ">" | ">="

type Step =
  | { readonly _tag: "Name"; readonly name: string }
  | { readonly _tag: "Index"; readonly index: number }
  | { readonly _tag: "Slice"; readonly from: number | undefined; readonly to: number | undefined; readonly by: number }
  | { readonly _tag: "All" }
  | { readonly _tag: "Below" }
  | { readonly _tag: "Union"; readonly steps: ReadonlyArray<Step> }
  | { readonly _tag: "Filter"; readonly path: JsonPath; readonly comparison: Comparison | undefined }

interface Comparison {
  readonly operator: Operator
  /** A value, or the path of one in the same item. */
  readonly right: { readonly value: unknown } | { readonly path: JsonPath }
}

/** A compiled path. @category models */
export type JsonPath = ReadonlyArray<Step>

/** What stands between quotes, with its escapes resolved. */
const unquoted = (text: string): string | undefined => {
  const match = /^'((?:[^'\\]|\\.)*)'$/.exec(text) ?? /^"((?:[^"\\]|\\.)*)"$/.exec(text)
  return match === null ? undefined : (match[1] ?? "").replaceAll(/\\(.)/g, "$1")
}

const isQuote = (char: string): boolean => char === "'" || char === "\""

/** Calls `at` for every place of a text that is not inside quotes, until it gives something. */
const outside = <A>(text: string, start: number, at: (index: number, char: string) => A | undefined): A | undefined => {
  let quote = ""
  for (let index = start; index < text.length; index++) {
    const char = text.charAt(index)
    if (quote !== "") {
      if (char === "\\") index++
      else if (char === quote) quote = ""
    } else if (isQuote(char)) quote = char
    else {
      const found = at(index, char)
      if (found !== undefined) return found
    }
  }
  return undefined
}

const literalOf = (text: string): { readonly value: unknown } | undefined => {
  const quoted = unquoted(text)
  if (quoted !== undefined) return { value: quoted }
  if (text === "true" || text === "false") return { value: text === "true" }
  return /^-?\d+(?:\.\d+)?$/.test(text) ? { value: Number(text) } : undefined
}

const operators: ReadonlyArray<Operator> = ["==", "!=", "<=", ">=", "<", ">"]

/** `@.path`, `@.path == value`, or with a path on both sides. */
const filterOf = (inner: string): Step | undefined => {
  const found = outside(inner, 0, (index) => {
    const operator = operators.find((one) => inner.startsWith(one, index))
    return operator === undefined ? undefined : { index, operator }
  })
  const left = pathOf(found === undefined ? inner : inner.slice(0, found.index))
  if (left === undefined) return undefined
  if (found === undefined) return { _tag: "Filter", path: left, comparison: undefined }
  const { index, operator } = found
  const text = inner.slice(index + operator.length).trim()
  const path = pathOf(text)
  const right = path === undefined ? literalOf(text) : { path }
  return right === undefined ? undefined : { _tag: "Filter", path: left, comparison: { operator, right } }
}

/** A path that begins at the item of a filter. */
const pathOf = (text: string): JsonPath | undefined => {
  const trimmed = text.trim()
  if (!trimmed.startsWith("@")) return undefined
  const parsed = parse(trimmed.slice(1))
  return Either.isRight(parsed) ? parsed.right : undefined
}

const sliceOf = (text: string): Step | undefined => {
  const match = /^(-?\d*):(-?\d*)(?::(\d*))?$/.exec(text)
  if (match === null) return undefined
  const [, from = "", to = "", by = ""] = match
  const step = by === "" ? 1 : Number(by)
  if (step < 1 || from === "-" || to === "-") return undefined
  return { _tag: "Slice", from: from === "" ? undefined : Number(from), to: to === "" ? undefined : Number(to), by: step }
}

const partOf = (part: string): Step | undefined => {
  const text = part.trim()
  if (/^-?\d+$/.test(text)) return { _tag: "Index", index: Number(text) }
  if (text === "*") return { _tag: "All" }
  const quoted = unquoted(text)
  return quoted === undefined ? sliceOf(text) : { _tag: "Name", name: quoted }
}

const partsOf = (text: string): ReadonlyArray<string> => {
  const commas: Array<number> = []
  outside(text, 0, (index, char) => {
    if (char === ",") commas.push(index)
    return undefined
  })
  return [...commas, text.length].map((end, place) => text.slice(place === 0 ? 0 : (commas[place - 1] ?? 0) + 1, end))
}

const bracketOf = (inner: string): Step | undefined => {
  const filter = /^\s*\?\(([^]*)\)\s*$/.exec(inner)
  if (filter !== null) return filterOf(filter[1] ?? "")
  const steps = partsOf(inner).map(partOf)
  const known = steps.filter((step) => step !== undefined)
  if (known.length < steps.length) return undefined
  return known.length === 1 ? known[0] : { _tag: "Union", steps: known }
}

/** End of a bracket that begins at `start`; quotes may hold brackets, and filters brackets of their own. */
const closing = (text: string, start: number): number => {
  let depth = 0
  return outside(text, start, (index, char) => {
    if (char === "[") depth++
    else if (char === "]" && --depth === 0) return index
    return undefined
  }) ?? -1
}

/** Longer paths are refused. */
const maximumLength = 4096

/** Reads a path such as `.status.conditions[?(@.type=="Ready")].status`. Fails with what is wrong. @category constructors */
export const parse = (text: string): Either.Either<JsonPath, string> => {
  const steps: Array<Step> = []
  let index = 0
  if (text.length > maximumLength) return Either.left(`it is longer than ${maximumLength} characters`)
  while (index < text.length) {
    if (text.charAt(index) === ".") {
      const below = text.charAt(index + 1) === "."
      if (below) steps.push({ _tag: "Below" })
      const start = index + (below ? 2 : 1)
      const match = /^(?:\\.|[^.[\]\\])+/.exec(text.slice(start))
      if (match === null) {
        if (index === text.length - 1 && index === 0 || text.charAt(start) === "[") {
          index = start
          continue
        }
        return Either.left(`unexpected end of path at ${index}`)
      }
      const name = match[0].replaceAll(/\\(.)/g, "$1")
      steps.push(name === "*" ? { _tag: "All" } : { _tag: "Name", name })
      index = start + match[0].length
    } else if (text.charAt(index) === "[") {
      const end = closing(text, index)
      const step = end < 0 ? undefined : bracketOf(text.slice(index + 1, end))
      if (step === undefined) return Either.left(end < 0 ? "unterminated array" : `unsupported subscript ${text.slice(index, end + 1)}`)
      steps.push(step)
      index = end + 1
    } else return Either.left(`unrecognized character ${JSON.stringify(text.charAt(index))}`)
  }
  return Either.right(steps)
}

const byName = (value: unknown, name: string): ReadonlyArray<unknown> => {
  const member = get(value, name)
  return member === undefined ? [] : [member]
}

/** Counted from the end when it is negative. */
const place = (list: ReadonlyArray<unknown>, index: number): number => index < 0 ? list.length + index : index

const byIndex = (value: unknown, index: number): ReadonlyArray<unknown> => {
  if (!isArray(value)) return []
  const at = place(value, index)
  return at >= 0 && at < value.length ? [value[at]] : []
}

const bySlice = (value: unknown, from: number, to: number | undefined, by: number): ReadonlyArray<unknown> => {
  if (!isArray(value)) return []
  const start = Math.max(place(value, from), 0)
  return value.slice(start, to === undefined ? value.length : Math.max(place(value, to), start)).filter((_, index) => index % by === 0)
}

const members = (value: unknown): ReadonlyArray<unknown> =>
  isArray(value) ? value : isObject(value) ? Object.keys(value).sort().map((key) => value[key]) : []

/** As many values are looked at: a path may ask for everything below everything below. */
const maximumFound = 10_000

/** A value and everything in it. */
const below = (value: unknown): ReadonlyArray<unknown> => {
  const found: Array<unknown> = [value]
  for (let index = 0; index < found.length && found.length < maximumFound; index++) {
    for (const member of members(found[index])) found.push(member)
  }
  return found.slice(0, maximumFound)
}

/** Negative, zero or positive; undefined for values that have no order. */
const order = (left: unknown, right: unknown): number | undefined => {
  if (typeof left === "number" && typeof right === "number") return left - right
  return typeof left === "string" && typeof right === "string" ? left < right ? -1 : Number(left > right) : undefined
}

const compare = (left: unknown, operator: Operator, right: unknown): boolean => {
  if (operator === "==") return left === right
  if (operator === "!=") return left !== right
  const sign = order(left, right)
  if (sign === undefined) return false
  return operator === "<" ? sign < 0 : operator === "<=" ? sign <= 0 : operator === ">" ? sign > 0 : sign >= 0
}

const passes = (item: unknown, path: JsonPath, comparison: Comparison | undefined): boolean => {
  const found = find(path, item)
  if (comparison === undefined) return found.length > 0
  const { operator, right } = comparison
  const values = "path" in right ? find(right.path, item) : [right.value]
  return found.length > 0 && values.length > 0 && compare(found[0], operator, values[0])
}

const apply = (step: Step) => (value: unknown): ReadonlyArray<unknown> => {
  if (step._tag === "Name") return byName(value, step.name)
  if (step._tag === "Index") return byIndex(value, step.index)
  if (step._tag === "Slice") return bySlice(value, step.from ?? 0, step.to, step.by)
  if (step._tag === "All") return members(value)
  if (step._tag === "Below") return below(value)
  if (step._tag === "Union") return step.steps.flatMap((one) => apply(one)(value))
  return members(value).filter((item) => passes(item, step.path, step.comparison))
}

/** Every value at the path. @category combinators */
export const find = (path: JsonPath, value: unknown): ReadonlyArray<unknown> =>
  path.reduce<ReadonlyArray<unknown>>((values, step) => values.flatMap(apply(step)).slice(0, maximumFound), [value])
