/** Functions of texts: patterns, `replace`, `quote` and `format`. */
import type { Environment } from "@marcbachmann/cel-js"
import * as Either from "effect/Either"
import { isArray, isObject } from "../JsonSchema.js"
import * as Patterns from "../Patterns.js"
import { fail } from "./celFailure.js"
import { charge } from "./celMeter.js"
import { registerNamespace } from "./celNamespace.js"
import { linearMatches } from "./celSource.js"

/** A pattern that comes from data may take long to compile. */
const maximumPattern = 10_000

/** The pattern to try on a text. Trying takes time by the lengths of both. */
const patternFor = (text: string, source: string): Patterns.Pattern => {
  if (source.length > maximumPattern) return fail(`the regular expression is longer than ${maximumPattern} characters`)
  charge((1 + text.length / 10) * (1 + source.length / 4))
  const compiled = Patterns.compile(source)
  return Either.isRight(compiled) ? compiled.right : fail(`error parsing regexp: ${compiled.left}`)
}

/** Texts that a rule can build are bounded, so that no rule fills the memory. */
const maximumText = 1_000_000

const bounded = (text: string): string => text.length > maximumText ? fail("the text grows beyond its bound") : text

/** Refuses a replacement that would make too much before it is made. */
const replace = (text: string, from: string, to: string, times: bigint): string => {
  const places = times === 0n ? 0 : from === "" ? text.length + 1 : Math.floor(text.length / from.length)
  if (text.length + places * to.length > maximumText * 8) return fail("the text grows beyond its bound")
  if (times < 0n) return bounded(text.replaceAll(from, () => to))
  let left = times
  return bounded(text.replaceAll(from, (found) => left-- > 0n ? to : found))
}

const quoted: ReadonlyMap<string, string> = new Map([
  ["\u0007", "\\a"], ["\b", "\\b"], ["\f", "\\f"], ["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"], ["\v", "\\v"], ["\\", "\\\\"], ["\"", "\\\""]
])

const quote = (text: string): string => `"${Array.from(text, (char) => quoted.get(char) ?? char).join("")}"`

/** A number as Go writes it with an exponent of two digits at least. */
const exponential = (value: number, digits: number): string =>
  value.toExponential(digits).replace(/e([+-])(\d)$/, (_, sign: string, digit: string) => `e${sign}0${digit}`)

const special = (value: number): string | undefined =>
  Number.isFinite(value) ? undefined : Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity"

/** The library's class for durations. */
interface Duration {
  readonly seconds: bigint
  readonly nanos: number
  readonly toString: () => string
}

const isDuration = (value: unknown): value is Duration =>
  typeof value === "object" && value !== null && "seconds" in value && typeof value.seconds === "bigint" && "nanos" in value

/** Without the fraction of the second when there is none. */
const timeText = (time: Date): string => time.toISOString().replace(/\.?0*Z$/, "Z")

/** Maps that an expression writes down are objects without a class. */
const isPlain = (value: object): boolean => [null, Object.prototype].includes(Object.getPrototypeOf(value))

const entryOf = ([key, value]: readonly [unknown, unknown]): string => `${shown(key)}: ${shown(value)}`

/** What `%s` shows. */
const shown = (value: unknown): string => {
  charge(1)
  if (typeof value === "string") return value
  if (typeof value === "number") return special(value) ?? String(value)
  if (typeof value === "bigint" || typeof value === "boolean" || value === null) return String(value)
  if (isArray(value)) return `[${value.map(shown).join(", ")}]`
  if (value instanceof Map) return `{${[...value].map(entryOf).sort().join(", ")}}`
  if (value instanceof Date) return timeText(value)
  if (isDuration(value)) return value.toString()
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (isObject(value) && isPlain(value)) return shown(new Map(Object.entries(value)))
  return fail("could not convert argument to string")
}

const hex = (value: unknown): string => {
  if (typeof value === "bigint") return value.toString(16)
  if (typeof value === "string") return Buffer.from(value).toString("hex")
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : fail("only integers, byte buffers, and strings can be formatted as hex")
}

const decimal = (value: unknown, verb: string, digits: number | undefined): string => {
  if (typeof value === "string" && ["NaN", "Infinity", "-Infinity"].includes(value)) return value
  if (typeof value !== "number" && typeof value !== "bigint") return fail(`${verb === "f" ? "fixed-point" : "scientific"} clause can only be used on doubles`)
  const number = Number(value)
  return special(number) ?? (verb === "f" ? number.toFixed(Math.min(digits ?? 6, 100)) : exponential(number, Math.min(digits ?? 6, 100)))
}

const integer = (value: unknown, verb: string): string => {
  if (verb === "b" && typeof value === "boolean") return value ? "1" : "0"
  if (typeof value === "number" && verb === "d") return special(value) ?? fail("decimal clause can only be used on integers")
  if (typeof value !== "bigint") return fail(`${verb === "d" ? "decimal" : verb === "o" ? "octal" : "binary"} clause can only be used on integers`)
  return value.toString(verb === "d" ? 10 : verb === "o" ? 8 : 2)
}

const clause = (value: unknown, verb: string, digits: number | undefined): string => {
  switch (verb) {
    case "s":
      return shown(value)
    case "d":
    case "b":
    case "o":
      return integer(value, verb)
    case "f":
    case "e":
      return decimal(value, verb, digits)
    case "x":
      return hex(value)
    case "X":
      return hex(value).toUpperCase()
    default:
      return fail(`unrecognized formatting clause "${verb}"`)
  }
}

const format = (text: string, args: ReadonlyArray<unknown>): string => {
  let next = 0
  let size = text.length
  const result = text.replaceAll(/%(?:%|(?:\.(\d+))?([^]?))/g, (found, digits: string | undefined, verb: string | undefined) => {
    if (found === "%%") return "%"
    if (verb === undefined || verb === "") return fail("unexpected end of string")
    if (next >= args.length) return fail(`index ${next} out of range`)
    const value = clause(args[next], verb, digits === undefined ? undefined : Number(digits))
    next++
    size += value.length
    charge(value.length / 16)
    return size > maximumText ? fail("the text grows beyond its bound") : value
  })
  return result
}

/** Adds them to an environment. */
export const register = (env: Environment): void => {
  env.registerFunction(`string.${linearMatches}(string): bool`, (text: string, pattern: string) => patternFor(text, pattern).test(text))
  env.registerFunction("string.find(string): string", (text: string, pattern: string) => patternFor(text, pattern).find(text, 1)[0] ?? "")
  env.registerFunction("string.findAll(string): list<string>", (text: string, pattern: string) => patternFor(text, pattern).find(text, -1))
  env.registerFunction(
    "string.findAll(string, int): list<string>",
    (text: string, pattern: string, limit: bigint) => patternFor(text, pattern).find(text, Number(limit))
  )
  env.registerFunction("string.charAt(int): string", (text: string, index: bigint) => {
    const chars = Array.from(text)
    return index < 0n || index > BigInt(chars.length) ? fail(`index out of range: ${index}`) : chars[Number(index)] ?? ""
  })
  env.registerFunction("string.replace(string, string): string", (text: string, from: string, to: string) => replace(text, from, to, -1n))
  env.registerFunction("string.replace(string, string, int): string", replace)
  env.registerFunction("string.reverse(): string", (text: string) => Array.from(text).toReversed().join(""))
  env.registerFunction("string.format(list): string", format)
  env.registerFunction(`${registerNamespace(env, "strings")}.quote(string): string`, (_: unknown, text: string) => quote(text))
  env.registerFunction("string(google.protobuf.Timestamp): string", (time: Date) => shown(time))
  env.registerFunction("string(google.protobuf.Duration): string", (time: Duration) => time.toString())
  env.registerFunction("int(google.protobuf.Timestamp): int", (time: Date) => BigInt(Math.floor(time.getTime() / 1000)))
}
