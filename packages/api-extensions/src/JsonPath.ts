/** Simple JSON paths, as printer columns, selectable fields and scale subresources use them: names, indices, `*` and equality filters. */
import * as Either from "effect/Either"
import { get, isArray, isObject } from "./JsonSchema.js"

type Step =
  | { readonly _tag: "Name"; readonly name: string }
  | { readonly _tag: "Index"; readonly index: number }
  | { readonly _tag: "All" }
  | { readonly _tag: "Filter"; readonly path: ReadonlyArray<string>; readonly operator: string; readonly value: unknown }

/** A compiled path. @category models */
export type JsonPath = ReadonlyArray<Step>

const filterPattern = /^\?\(\s*@((?:\.[\w-]+)+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|(-?\d+(?:\.\d+)?)|(true|false))\s*\)$/

const filterOf = (text: string): Step | undefined => {
  const match = filterPattern.exec(text)
  if (match === null) return undefined
  const [, path = "", operator = "", double, single, number, flag] = match
  const value = double ?? single ?? (number === undefined ? flag === "true" : Number(number))
  return { _tag: "Filter", path: path.slice(1).split("."), operator, value }
}

const bracketOf = (inner: string): Step | undefined => {
  const text = inner.trim()
  if (/^-?\d+$/.test(text)) return { _tag: "Index", index: Number(text) }
  if (text === "*") return { _tag: "All" }
  const quoted = /^'((?:[^'\\]|\\.)*)'$/.exec(text) ?? /^"((?:[^"\\]|\\.)*)"$/.exec(text)
  if (quoted !== null) return { _tag: "Name", name: (quoted[1] ?? "").replaceAll(/\\(.)/g, "$1") }
  return filterOf(text)
}

/** End of a bracket that begins at `start`; quotes may hold brackets. */
const closing = (text: string, start: number): number => {
  let quote = ""
  for (let index = start + 1; index < text.length; index++) {
    const char = text.charAt(index)
    if (quote !== "") {
      if (char === "\\") index++
      else if (char === quote) quote = ""
    } else if (char === "'" || char === "\"") quote = char
    else if (char === "]") return index
  }
  return -1
}

/** Reads a path such as `.status.conditions[?(@.type=="Ready")].status`. Fails with what is wrong. @category constructors */
export const parse = (text: string): Either.Either<JsonPath, string> => {
  const steps: Array<Step> = []
  let index = 0
  while (index < text.length) {
    if (text.charAt(index) === ".") {
      const match = /^(?:\\.|[^.[\]\\])+/.exec(text.slice(index + 1))
      if (match === null) {
        if (index === text.length - 1 && index === 0 || text.charAt(index + 1) === "[") {
          index++
          continue
        }
        return Either.left(`unexpected end of path at ${index}`)
      }
      const name = match[0].replaceAll(/\\(.)/g, "$1")
      steps.push(name === "*" ? { _tag: "All" } : { _tag: "Name", name })
      index += 1 + match[0].length
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

const nested = (value: unknown, path: ReadonlyArray<string>): unknown => path.reduce(get, value)

const byName = (value: unknown, name: string): ReadonlyArray<unknown> => {
  const member = get(value, name)
  return member === undefined ? [] : [member]
}

const byIndex = (value: unknown, index: number): ReadonlyArray<unknown> => {
  if (!isArray(value)) return []
  const at = index < 0 ? value.length + index : index
  return at >= 0 && at < value.length ? [value[at]] : []
}

const members = (value: unknown): ReadonlyArray<unknown> =>
  isArray(value) ? value : isObject(value) ? Object.keys(value).sort().map((key) => value[key]) : []

const apply = (step: Step) => (value: unknown): ReadonlyArray<unknown> => {
  if (step._tag === "Name") return byName(value, step.name)
  if (step._tag === "Index") return byIndex(value, step.index)
  if (step._tag === "All") return members(value)
  if (!isArray(value)) return []
  return value.filter((item) => {
    const found = nested(item, step.path)
    return found !== undefined && (found === step.value) === (step.operator === "==")
  })
}

/** Every value at the path. @category combinators */
export const find = (path: JsonPath, value: unknown): ReadonlyArray<unknown> =>
  path.reduce<ReadonlyArray<unknown>>((values, step) => values.flatMap(apply(step)), [value])
