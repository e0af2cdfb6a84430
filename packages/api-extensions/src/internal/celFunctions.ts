/** Functions that Kubernetes adds to CEL, as far as they need no namespace of their own. */
import { Quantity } from "@reddwarf/api-types"
import type { Environment } from "@marcbachmann/cel-js"
import * as Either from "effect/Either"
import { isIP } from "node:net"
import * as Formats from "../Formats.js"
import { isArray } from "../JsonSchema.js"
import * as Patterns from "../Patterns.js"
import { hasField, linearMatches } from "./celSource.js"

/** A failure of an evaluation, which the message of the rule reports. */
const fail = (message: string): never => {
  throw new Error(message)
}

const patternOf = (source: string): Patterns.Pattern => {
  const compiled = Patterns.compile(source)
  return Either.isRight(compiled) ? compiled.right : fail(`error parsing regexp: ${compiled.left}`)
}

/** Texts that a rule can build are bounded, so that no rule fills the memory. */
const maximumText = 1_000_000

const bounded = (text: string): string => text.length > maximumText ? fail("the text grows beyond its bound") : text

const replaceFirst = (text: string, from: string, to: string, times: bigint): string => {
  if (times < 0n) return bounded(text.replaceAll(from, to))
  let result = ""
  let rest = text
  for (let left = times; left > 0n; left--) {
    const at = rest.indexOf(from)
    if (at < 0) break
    result += rest.slice(0, at) + to
    rest = rest.slice(at + from.length)
    if (from === "") break
  }
  return bounded(result + rest)
}

const registerTexts = (env: Environment): void => {
  env.registerFunction(`string.${linearMatches}(string): bool`, (text: string, pattern: string) => patternOf(pattern).test(text))
  env.registerFunction("string.find(string): string", (text: string, pattern: string) => patternOf(pattern).find(text, 1)[0] ?? "")
  env.registerFunction("string.findAll(string): list<string>", (text: string, pattern: string) => patternOf(pattern).find(text, -1))
  env.registerFunction(
    "string.findAll(string, int): list<string>",
    (text: string, pattern: string, limit: bigint) => patternOf(pattern).find(text, Number(limit))
  )
  env.registerFunction("string.charAt(int): string", (text: string, index: bigint) => {
    const chars = Array.from(text)
    return index < 0n || index > BigInt(chars.length) ? fail(`index out of range: ${index}`) : chars[Number(index)] ?? ""
  })
  env.registerFunction("string.replace(string, string): string", (text: string, from: string, to: string) => bounded(text.replaceAll(from, to)))
  env.registerFunction("string.replace(string, string, int): string", replaceFirst)
  env.registerFunction("string.reverse(): string", (text: string) => Array.from(text).toReversed().join(""))
}

type Comparable = string | bigint | number | boolean | Date

const compare = (left: Comparable, right: Comparable): number => left < right ? -1 : left > right ? 1 : 0

const least = (list: ReadonlyArray<Comparable>, sign: 1 | -1): Comparable => {
  const [first, ...rest] = list
  if (first === undefined) return fail(sign === 1 ? "min called on empty list" : "max called on empty list")
  return rest.reduce((best, item) => compare(item, best) * sign < 0 ? item : best, first)
}

const registerLists = (env: Environment): void => {
  for (const type of ["int", "double", "string", "bool", "google.protobuf.Timestamp", "google.protobuf.Duration"]) {
    env.registerFunction(`list<${type}>.isSorted(): bool`, (list: ReadonlyArray<Comparable>) =>
      list.every((item, index) => index === 0 || compare(list[index - 1] ?? item, item) <= 0))
    env.registerFunction(`list<${type}>.min(): ${type}`, (list: ReadonlyArray<Comparable>) => least(list, 1))
    env.registerFunction(`list<${type}>.max(): ${type}`, (list: ReadonlyArray<Comparable>) => least(list, -1))
    env.registerFunction(`list<${type}>.indexOf(${type}): int`, (list: ReadonlyArray<Comparable>, item: Comparable) =>
      BigInt(list.findIndex((other) => compare(other, item) === 0)))
    env.registerFunction(`list<${type}>.lastIndexOf(${type}): int`, (list: ReadonlyArray<Comparable>, item: Comparable) =>
      BigInt(list.findLastIndex((other) => compare(other, item) === 0)))
  }
  env.registerFunction("list<int>.sum(): int", (list: ReadonlyArray<bigint>) => list.reduce((sum, item) => sum + item, 0n))
  env.registerFunction("list<double>.sum(): double", (list: ReadonlyArray<number>) => list.reduce((sum, item) => sum + item, 0))
}

class QuantityValue {
  readonly quantity: Quantity.Quantity
  constructor(quantity: Quantity.Quantity) {
    this.quantity = quantity
  }
}

const quantityOf = (text: string): QuantityValue => {
  const parsed = Quantity.parse(text)
  return Either.isRight(parsed) ? new QuantityValue(parsed.right) : fail(parsed.left.message)
}

const registerQuantities = (env: Environment): void => {
  const type = "kubernetes.Quantity"
  env.registerType(type, { ctor: QuantityValue, fields: {} })
  env.registerFunction("isQuantity(string): bool", (text: string) => Either.isRight(Quantity.parse(text)))
  env.registerFunction(`quantity(string): ${type}`, quantityOf)
  env.registerFunction(`${type}.isInteger(): bool`, ({ quantity }: QuantityValue) => Quantity.isInteger(quantity))
  env.registerFunction(`${type}.asInteger(): int`, ({ quantity }: QuantityValue) =>
    Quantity.isInteger(quantity) ? quantity.nanos / 1_000_000_000n : fail("cannot convert value to integer"))
  env.registerFunction(`${type}.asApproximateFloat(): double`, ({ quantity }: QuantityValue) => Number(quantity.nanos) / 1e9)
  env.registerFunction(`${type}.sign(): int`, ({ quantity }: QuantityValue) => BigInt(Quantity.compare(quantity, Quantity.zero)))
  env.registerFunction(`${type}.add(${type}): ${type}`, (left: QuantityValue, right: QuantityValue) =>
    new QuantityValue(Quantity.add(left.quantity, right.quantity)))
  env.registerFunction(`${type}.sub(${type}): ${type}`, (left: QuantityValue, right: QuantityValue) =>
    new QuantityValue(Quantity.subtract(left.quantity, right.quantity)))
  env.registerFunction(`${type}.compareTo(${type}): int`, (left: QuantityValue, right: QuantityValue) =>
    BigInt(Quantity.compare(left.quantity, right.quantity)))
  env.registerFunction(`${type}.isLessThan(${type}): bool`, (left: QuantityValue, right: QuantityValue) =>
    Quantity.compare(left.quantity, right.quantity) < 0)
  env.registerFunction(`${type}.isGreaterThan(${type}): bool`, (left: QuantityValue, right: QuantityValue) =>
    Quantity.compare(left.quantity, right.quantity) > 0)
}

const urlOf = (text: string): URL | string => text.startsWith("/") ? text : new URL(text)

class UrlValue {
  readonly url: URL
  readonly isPath: boolean
  constructor(text: string) {
    const parsed = urlOf(text)
    this.isPath = typeof parsed === "string"
    // A path alone is a URL too; it has no scheme and no host.
    this.url = typeof parsed === "string" ? new URL(parsed, "http://path.invalid") : parsed
  }
}

const isUrl = (text: string): boolean => text.startsWith("/") || URL.canParse(text) && text.includes(":")

const registerAddresses = (env: Environment): void => {
  env.registerFunction("isIP(string): bool", (text: string) => isIP(text) !== 0)
  env.registerFunction("isCIDR(string): bool", (text: string) => Formats.matches("cidr", text))
  env.registerFunction("isURL(string): bool", isUrl)
  env.registerType("kubernetes.URL", { ctor: UrlValue, fields: {} })
  env.registerFunction("url(string): kubernetes.URL", (text: string) => isUrl(text) ? new UrlValue(text) : fail(`URL parse error during conversion from string: ${text}`))
  env.registerFunction("kubernetes.URL.getScheme(): string", ({ isPath, url }: UrlValue) => isPath ? "" : url.protocol.slice(0, -1))
  env.registerFunction("kubernetes.URL.getHost(): string", ({ isPath, url }: UrlValue) => isPath ? "" : url.host)
  env.registerFunction("kubernetes.URL.getHostname(): string", ({ isPath, url }: UrlValue) => isPath ? "" : url.hostname.replace(/^\[(.*)\]$/, "$1"))
  env.registerFunction("kubernetes.URL.getPort(): string", ({ url }: UrlValue) => url.port)
  env.registerFunction("kubernetes.URL.getEscapedPath(): string", ({ url }: UrlValue) => url.pathname)
}

/** The parts of the library's interface for macros that `has` needs. */
interface Checker {
  readonly check: (node: unknown, scope: unknown) => unknown
  readonly getType: (name: string) => unknown
  readonly createError: (code: string, message: string, node: unknown) => Error
}

interface Evaluator {
  readonly run: (node: unknown, scope: unknown) => unknown
  readonly debugType: (value: unknown) => {
    readonly fieldLazy: (value: unknown, name: unknown, node: unknown, evaluator: Evaluator) => unknown
  }
}

interface FieldMacro {
  readonly args: ReadonlyArray<unknown>
}

/** The object and the field of `object.field`. */
const selected = (node: unknown): readonly [object: unknown, field: unknown] | undefined => {
  if (typeof node !== "object" || node === null || !("op" in node) || !("args" in node) || !isArray(node.args)) return undefined
  return node.op === "." || node.op === ".?" ? [node.args[0], node.args[1]] : undefined
}

const registerHas = (env: Environment): void => {
  env.registerFunction(`${hasField}(ast): bool`, ({ args }: FieldMacro) => ({
    args,
    async: false,
    typeCheck: (checker: Checker, macro: FieldMacro, scope: unknown) => {
      const [node] = macro.args
      if (selected(node) === undefined) throw checker.createError("invalid_macro_argument", "invalid argument to has() macro", node)
      checker.check(node, scope)
      return checker.getType("bool")
    },
    evaluate: (evaluator: Evaluator, macro: FieldMacro, scope: unknown) => {
      const [node] = macro.args
      const [object, field] = selected(node) ?? []
      const value = evaluator.run(object, scope)
      return evaluator.debugType(value).fieldLazy(value, field, node, evaluator) !== undefined
    }
  }))
}

/** Adds all of them to an environment. */
export const register = (env: Environment): void => {
  registerHas(env)
  registerTexts(env)
  registerLists(env)
  registerQuantities(env)
  registerAddresses(env)
}

/** Equality of values of an expression. */
export const celEquals = (left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (isArray(left) || isArray(right)) {
    return isArray(left) && isArray(right) && left.length === right.length && left.every((item, index) => celEquals(item, right[index]))
  }
  if (left instanceof Date && right instanceof Date) return left.getTime() === right.getTime()
  if (left instanceof Map && right instanceof Map) {
    return left.size === right.size && [...left].every(([key, value]) => right.has(key) && celEquals(value, right.get(key)))
  }
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false
  const names = Object.keys(left)
  return names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && celEquals(Reflect.get(left, name), Reflect.get(right, name)))
}
