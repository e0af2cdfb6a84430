/** Paths by which a schema names one of its own fields: `.spec.color`, or `.labels['a.b']` where brackets are allowed. */
import * as Either from "effect/Either"
import { additionalOf, type JsonSchema, propertyOf } from "./JsonSchema.js"

/** @category models */
export interface Found {
  /** As messages have it: `spec.labels[a.b]`. */
  readonly path: string
  /** Undefined for any value at all. */
  readonly schema: JsonSchema | undefined
}

const escapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\"
}

/** A dot, a bracket, a text in single quotes, or a name up to one of the first two. */
const tokens = /[.[\]]|'(?:\\[^]|[^'\\])*'|[^.[\]]+/g

const unquoted = (token: string): Either.Either<string, string> => {
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'")) return Either.left(`expected single quoted string but got ${token}`)
  const inner = token.slice(1, -1)
  const wrong = [...inner.matchAll(/\\([^])/g)].find(([, char = ""]) => escapes[char] === undefined)
  if (wrong !== undefined) return Either.left(`invalid string literal: invalid escape char ${wrong[0]}`)
  return Either.right(inner.replaceAll(/\\([^])/g, (_, char: string) => escapes[char] ?? char))
}

const noField = "does not refer to a valid field"
const atEnd = "unexpected end of JSON path"

/** One step further: a declared field, or any key of a map. */
const step = ({ path, schema }: Found, name: string): Either.Either<Found, string> => {
  if (schema?.properties !== undefined) {
    const property = propertyOf(schema, name)
    return property === undefined ? Either.left(noField) : Either.right({ path: path === "" ? name : `${path}.${name}`, schema: property })
  }
  if (schema?.additionalProperties === undefined) return Either.left(noField)
  const additional = additionalOf(schema)
  return Either.right({ path: `${path}[${name}]`, schema: typeof additional === "object" ? additional : undefined })
}

/** Finds the field; left is what is wrong with the path. @category constructors */
export const find = (text: string, schema: JsonSchema, allowsBrackets: boolean): Either.Either<Found, string> => {
  const parts = text.match(tokens) ?? []
  let found: Found = { path: "", schema }
  for (let index = 0; index < parts.length; index++) {
    const token = parts[index] ?? ""
    if (token !== "." && token !== "[") return Either.left(`expected [ or . but got: ${token}`)
    if (token === "[" && !allowsBrackets) return Either.left("array notation is not allowed")
    const next = parts[++index]
    if (next === undefined) return Either.left(atEnd)
    const name = token === "." ? Either.right(next) : unquoted(next)
    const stepped: Either.Either<Found, string> = Either.flatMap(name, (key) => step(found, key))
    if (Either.isLeft(stepped)) return stepped
    found = stepped.right
    if (token === ".") continue
    const end = parts[++index]
    if (end === undefined) return Either.left(atEnd)
    if (end !== "]") return Either.left(`expected ] but got ${end}`)
  }
  return Either.right(found)
}
