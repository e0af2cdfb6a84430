/** `has`, quantities, and what values are equal. */
import { Quantity } from "@reddwarf/api-types"
import type { Environment } from "@marcbachmann/cel-js"
import * as Either from "effect/Either"
import { isArray, isObject } from "../JsonSchema.js"
import { fail } from "./celFailure.js"
import type { Call, Macro } from "./celMacro.js"
import { charge } from "./celMeter.js"
import { hasField } from "./celSource.js"

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

const ofInteger = (value: bigint): Quantity.Quantity => ({ nanos: value * 1_000_000_000n, format: "DecimalSI" })

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
  env.registerFunction(`${type}.add(int): ${type}`, (left: QuantityValue, right: bigint) =>
    new QuantityValue(Quantity.add(left.quantity, ofInteger(right))))
  env.registerFunction(`${type}.sub(int): ${type}`, (left: QuantityValue, right: bigint) =>
    new QuantityValue(Quantity.subtract(left.quantity, ofInteger(right))))
  env.registerOperator(`${type} == ${type}`, (left: QuantityValue, right: QuantityValue) =>
    Quantity.compare(left.quantity, right.quantity) === 0)
  env.registerFunction(`${type}.compareTo(${type}): int`, (left: QuantityValue, right: QuantityValue) =>
    BigInt(Quantity.compare(left.quantity, right.quantity)))
  env.registerFunction(`${type}.isLessThan(${type}): bool`, (left: QuantityValue, right: QuantityValue) =>
    Quantity.compare(left.quantity, right.quantity) < 0)
  env.registerFunction(`${type}.isGreaterThan(${type}): bool`, (left: QuantityValue, right: QuantityValue) =>
    Quantity.compare(left.quantity, right.quantity) > 0)
}

/** The object and the field of `object.field`. */
const selected = (node: unknown): readonly [object: unknown, field: unknown] | undefined => {
  if (typeof node !== "object" || node === null || !("op" in node) || !("args" in node) || !isArray(node.args)) return undefined
  return node.op === "." || node.op === ".?" ? [node.args[0], node.args[1]] : undefined
}

const has = ({ args, receiver }: Call): Macro => ({
  args,
  receiver,
  async: false,
  typeCheck: (checker, macro, scope) => {
    const [node] = macro.args
    if (selected(node) === undefined) throw checker.createError("invalid_macro_argument", "invalid argument to has() macro", node)
    checker.check(node, scope)
    return checker.getType("bool")
  },
  evaluate: (evaluator, macro, scope) => {
    const [node] = macro.args
    const [object, field] = selected(node) ?? []
    const value = evaluator.run(object, scope)
    return evaluator.debugType(value).fieldLazy(value, field, node, evaluator) !== undefined
  }
})

/** Adds them to an environment. */
export const register = (env: Environment): void => {
  env.registerFunction(`${hasField}(ast): bool`, has)
  registerQuantities(env)
}

/** A map, also one that an expression writes down. */
const mapOf = (value: unknown): ReadonlyMap<unknown, unknown> | undefined =>
  value instanceof Map ? value : isObject(value) ? new Map(Object.entries(value)) : undefined

/** Equality of values of an expression. */
export const celEquals = (left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (typeof left === "object") charge(1)
  if (isArray(left) || isArray(right)) {
    return isArray(left) && isArray(right) && left.length === right.length && left.every((item, index) => celEquals(item, right[index]))
  }
  if (left instanceof Date && right instanceof Date) return left.getTime() === right.getTime()
  if (left instanceof Map || right instanceof Map) {
    const a = mapOf(left)
    const b = mapOf(right)
    return a !== undefined && b !== undefined && a.size === b.size &&
      [...a].every(([key, value]) => b.has(key) && celEquals(value, b.get(key)))
  }
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false
  const names = Object.keys(left)
  return names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && celEquals(Reflect.get(left, name), Reflect.get(right, name)))
}
