/**
 * Amounts of resources with the notation of Kubernetes: `500m`, `1.5Gi`, `12e6`.
 *
 * Exact: a quantity is an integer number of billionths. Plain functions, because the scheduler and the decoder call them for every pod.
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"

/** How a quantity is written back: `12Mi`, `12M` or `12e6`. @category models */
export type Format = "BinarySI" | "DecimalSI" | "DecimalExponent"

/** @category models */
export interface Quantity {
  /** The amount in billionths. */
  readonly nanos: bigint
  readonly format: Format
}

/** The text is not a quantity; `message` is the one Kubernetes gives. @category errors */
export class QuantityError extends Data.TaggedError("QuantityError")<{ readonly text: string; readonly message: string }> {}

const nano = 1_000_000_000n
/** What Kubernetes says about a text that is no quantity. @category errors */
export const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const wrongSuffix = "unable to parse quantity's suffix"

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[+-]?\d*)$/
const exponentPattern = /^[eE]([+-]?\d{1,9})$/

// Longer texts and larger exponents are no amounts of anything, but would make numbers of any size.
const maximumLength = 256
const maximumExponent = 100

const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]

// Amounts in binary notation end at the largest 64-bit integer.
const maximumBinary = (2n ** 63n - 1n) * nano

const divideUp = (dividend: bigint, divisor: bigint): bigint => {
  const quotient = dividend / divisor
  return dividend % divisor === 0n ? quotient : quotient + 1n
}

const failed = (text: string, message: string) => Either.left(new QuantityError({ text: text.slice(0, maximumLength), message }))

/** Reads a quantity. What is smaller than a billionth is rounded away from zero. @category constructors */
export const parse = (text: string): Either.Either<Quantity, QuantityError> => {
  const match = text.length > maximumLength ? null : pattern.exec(text)
  if (match === null) return failed(text, wrongFormat)
  const [, sign, whole = "", fraction = "", suffix = ""] = match
  if (whole === "" && fraction === "") return failed(text, wrongFormat)
  const digits = BigInt(whole + fraction)
  let format: Format
  let magnitude: bigint
  const decimal = decimalExponents[suffix]
  const binary = binaryExponents[suffix]
  if (binary !== undefined) {
    format = "BinarySI"
    magnitude = divideUp(digits * 2n ** BigInt(binary) * nano, 10n ** BigInt(fraction.length))
    if (magnitude > maximumBinary) magnitude = maximumBinary
    // Below one, binary notation would round: Kubernetes keeps the amount and changes the notation.
    if (magnitude > 0n && magnitude < nano) format = "DecimalSI"
  } else {
    let exponent = decimal
    format = "DecimalSI"
    if (exponent === undefined) {
      const scientific = exponentPattern.exec(suffix)
      if (scientific === null) return failed(text, wrongSuffix)
      format = "DecimalExponent"
      exponent = Number(scientific[1])
      if (exponent > maximumExponent && digits !== 0n) return failed(text, wrongSuffix)
    }
    const scale = exponent + 9 - fraction.length
    if (scale >= 0) magnitude = digits === 0n ? 0n : digits * 10n ** BigInt(scale)
    else magnitude = scale < -2 * maximumLength ? (digits === 0n ? 0n : 1n) : divideUp(digits, 10n ** BigInt(-scale))
  }
  return Either.right({ nanos: sign === "-" ? -magnitude : magnitude, format })
}

const formatDecimal = (nanos: bigint, format: "DecimalSI" | "DecimalExponent"): string => {
  let mantissa = nanos
  let exponent = -9
  const largest = format === "DecimalExponent" ? Number.MAX_SAFE_INTEGER : 18
  while (mantissa % 1000n === 0n && exponent < largest) {
    mantissa /= 1000n
    exponent += 3
  }
  if (format === "DecimalSI") return `${mantissa}${decimalSuffixes[exponent / 3 + 3] ?? ""}`
  return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`
}

/**
 * The one text of an amount: no fraction digits, the largest suffix (in steps of 1000 or 1024) that loses nothing, in the quantity's own format.
 *
 * @category combinators
 */
export const toCanonical = (quantity: Quantity): string => {
  const { format, nanos } = quantity
  if (nanos === 0n) return "0"
  if (format !== "BinarySI") return formatDecimal(nanos, format)
  const small = nanos > -1024n * nano && nanos < 1024n * nano
  if (small || nanos % nano !== 0n) return formatDecimal(nanos, "DecimalSI")
  let mantissa = nanos / nano
  let index = 0
  while (mantissa % 1024n === 0n && index < binarySuffixes.length - 1) {
    mantissa /= 1024n
    index++
  }
  return `${mantissa}${binarySuffixes[index] ?? ""}`
}

/** -1, 0 or 1, by amount alone: `1Gi` and `1024Mi` are equal. @category combinators */
export const compare = (left: Quantity, right: Quantity): -1 | 0 | 1 =>
  left.nanos < right.nanos ? -1 : left.nanos > right.nanos ? 1 : 0

/** Keeps the format of `left`, unless that is zero. @category combinators */
export const add = (left: Quantity, right: Quantity): Quantity => ({
  nanos: left.nanos + right.nanos,
  format: left.nanos === 0n ? right.format : left.format
})

/** Keeps the format of `left`, unless that is zero. @category combinators */
export const subtract = (left: Quantity, right: Quantity): Quantity => ({
  nanos: left.nanos - right.nanos,
  format: left.nanos === 0n ? right.format : left.format
})

const roundUp = (nanos: bigint, unit: bigint): number => Number(nanos > 0n ? divideUp(nanos, unit) : nanos / unit)

/** The amount in whole thousandths, rounded away from zero. @category combinators */
export const roundUpToMillis = (quantity: Quantity): Quantity => {
  const rest = quantity.nanos % 1_000_000n
  if (rest === 0n) return quantity
  return { nanos: quantity.nanos - rest + (rest > 0n ? 1_000_000n : -1_000_000n), format: quantity.format }
}

/** Thousandths, rounded up: the unit of CPU. Exact up to 2^53. @category combinators */
export const toMillis = (quantity: Quantity): number => roundUp(quantity.nanos, 1_000_000n)

/** Whole units (bytes, pods), rounded up. Exact up to 2^53. @category combinators */
export const toNumber = (quantity: Quantity): number => roundUp(quantity.nanos, nano)

/** Whether the amount is a whole number of units. @category combinators */
export const isInteger = (quantity: Quantity): boolean => quantity.nanos % nano === 0n

/** An amount in thousandths, such as CPU millicores; a fraction is cut off. @category constructors */
export const fromMillis = (millis: number): Quantity => ({ nanos: BigInt(Math.trunc(millis)) * 1_000_000n, format: "DecimalSI" })

/** An amount in bytes, written with `Ki`, `Mi` and so on; a fraction is cut off. @category constructors */
export const fromBytes = (bytes: number): Quantity => ({ nanos: BigInt(Math.trunc(bytes)) * nano, format: "BinarySI" })

/** A plain count; a fraction is cut off. @category constructors */
export const fromNumber = (count: number): Quantity => ({ nanos: BigInt(Math.trunc(count)) * nano, format: "DecimalSI" })

/** @category constructors */
export const zero: Quantity = { nanos: 0n, format: "DecimalSI" }

// Nearly all amounts in a cluster are the same few texts.
const remembered = new Map<string, Quantity>()
const maximumRemembered = 4096

/** The quantity of a text that was validated before; zero when it is absent or malformed. @category constructors */
export const fromText = (text: string | undefined): Quantity => {
  if (text === undefined) return zero
  const known = remembered.get(text)
  if (known !== undefined) return known
  const quantity = Either.getOrElse(parse(text), () => zero)
  if (remembered.size >= maximumRemembered) remembered.clear()
  remembered.set(text, quantity)
  return quantity
}
