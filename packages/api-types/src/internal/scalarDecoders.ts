/** Decoders of the scalar types of the field tables. Plain functions: they run for every field of every object that is written. */
import * as Either from "effect/Either"
import * as Quantity from "../Quantity.js"
import * as Timestamp from "../Timestamp.js"
import { base64Problem } from "./base64.js"
import type { DecodeContext } from "./goValue.js"
import { DecodeProblem, mismatch } from "./goValue.js"

/**
 * Turns one JSON value (never null) into its canonical form, or throws a `DecodeProblem`. `known` is what is in its place in an object that
 * is canonical already: parts of the value that are the very same there are taken as they are.
 */
export type Decoder = (value: unknown, context: DecodeContext, known?: unknown) => unknown

/** A string of the named Go type. */
export const string = (goType: string): Decoder => (value, context) => {
  if (typeof value === "string") return value
  throw mismatch(value, goType, context)
}

const integer = (goType: string, bound: number): Decoder => (value, context) => {
  if (typeof value === "number" && Number.isInteger(value) && value >= -bound && value < bound) return value === 0 ? 0 : value
  throw mismatch(value, goType, context, true)
}

const bool: Decoder = (value, context) => {
  if (typeof value === "boolean") return value
  throw mismatch(value, "bool", context)
}

const double: Decoder = (value, context) => {
  if (typeof value === "number") return value
  throw mismatch(value, "float64", context)
}

const bytes: Decoder = (value, context) => {
  if (typeof value !== "string") throw mismatch(value, "[]uint8", context)
  const problem = base64Problem(value)
  if (problem === -1) return value
  // Go's decoder skips line breaks; what is stored has none.
  const compact = value.replaceAll(/[\r\n]/g, "")
  if (compact.length !== value.length && base64Problem(compact) === -1) return compact
  throw new DecodeProblem(`illegal base64 data at input byte ${problem}`)
}

const canonicalSeconds = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/
const secondsLayout = "2006-01-02T15:04:05Z07:00"

const instantOf = (value: unknown): Timestamp.Instant => {
  if (typeof value !== "string") throw mismatch(value, "string", noContext)
  const instant = Timestamp.parse(value)
  if (instant === undefined) {
    throw new DecodeProblem(`parsing time ${JSON.stringify(value)} as "${secondsLayout}": cannot parse ${JSON.stringify(value)} as "2006"`)
  }
  return instant
}

// Times are decoded by their own unmarshaller in Go, which does not know the field around it.
const noContext: DecodeContext = { hasUnknown: false, fields: [], structs: [] }

const time: Decoder = (value) => {
  const instant = instantOf(value)
  return typeof value === "string" && canonicalSeconds.test(value) ? value : Timestamp.formatSeconds(instant)
}

const microTime: Decoder = (value) => Timestamp.formatMicros(instantOf(value))

const maximumRemembered = 4096

/** Decodes amounts to their canonical text, after `adjust`. */
const quantityDecoder = (adjust: (quantity: Quantity.Quantity) => Quantity.Quantity): Decoder => {
  // Nearly all amounts in a cluster are the same few texts.
  const remembered = new Map<string, string>()
  return (value) => {
    const text = typeof value === "number" ? String(value) : value
    if (typeof text !== "string") throw new DecodeProblem(Quantity.wrongFormat)
    const known = remembered.get(text)
    if (known !== undefined) return known
    const parsed = Quantity.parse(text.trim())
    if (Either.isLeft(parsed)) throw new DecodeProblem(parsed.left.message)
    const canonical = Quantity.toCanonical(adjust(parsed.right))
    if (remembered.size >= maximumRemembered) remembered.clear()
    remembered.set(text, canonical)
    return canonical
  }
}

/** Amounts of resources are counted in thousandths; smaller parts are rounded up. */
export const resourceAmount: Decoder = quantityDecoder(Quantity.roundUpToMillis)

const intOrString: Decoder = (value) => {
  if (typeof value === "string") return value
  if (typeof value === "number" && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31) return value
  throw mismatch(value, "int32", noContext, true)
}

const raw: Decoder = (value) => value

/** Decoder and Go name of each scalar type. */
export const scalars: Readonly<Record<string, { readonly decode: Decoder; readonly go: string }>> = {
  string: { decode: string("string"), go: "string" },
  int32: { decode: integer("int32", 2 ** 31), go: "int32" },
  int64: { decode: integer("int64", 2 ** 63), go: "int64" },
  double: { decode: double, go: "float64" },
  bool: { decode: bool, go: "bool" },
  bytes: { decode: bytes, go: "[]uint8" },
  time: { decode: time, go: "v1.Time" },
  microTime: { decode: microTime, go: "v1.MicroTime" },
  duration: { decode: string("string"), go: "v1.Duration" },
  quantity: { decode: quantityDecoder((quantity) => quantity), go: "resource.Quantity" },
  intOrString: { decode: intOrString, go: "intstr.IntOrString" },
  raw: { decode: raw, go: "runtime.RawExtension" }
}
