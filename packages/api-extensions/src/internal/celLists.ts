/** Functions of lists. */
import type { Environment } from "@marcbachmann/cel-js"
import { isArray } from "../JsonSchema.js"
import { celEquals } from "./celFunctions.js"
import { fail } from "./celFailure.js"
import { charge } from "./celMeter.js"
import { registerNamespace } from "./celNamespace.js"

type Comparable = string | bigint | number | boolean | Date

/** Order of two values of one ordered type. */
export const compare = (left: Comparable, right: Comparable): number => left < right ? -1 : left > right ? 1 : 0

const isComparable = (value: unknown): value is Comparable =>
  value instanceof Date || ["string", "bigint", "number", "boolean"].includes(typeof value) ||
  // A duration compares by its number of seconds.
  typeof value === "object" && value !== null && typeof value.valueOf() === "number"

/** The places of a list in the order of their keys, which must be of an ordered type. */
export const sortedPlaces = (keys: ReadonlyArray<unknown>): ReadonlyArray<number> => {
  charge(keys.length * Math.ceil(Math.log2(keys.length + 2)))
  const [first] = keys
  const ordered = keys.map((key) =>
    isComparable(key) && typeof key === typeof first ? key : fail("list elements must have the same type and be comparable"))
  return ordered.map((key, place) => ({ key, place })).sort((a, b) => compare(a.key, b.key)).map(({ place }) => place)
}

const least = (list: ReadonlyArray<Comparable>, sign: 1 | -1): Comparable => {
  const [first, ...rest] = list
  if (first === undefined) return fail(sign === 1 ? "min called on empty list" : "max called on empty list")
  return rest.reduce((best, item) => compare(item, best) * sign < 0 ? item : best, first)
}

const flatten = (list: ReadonlyArray<unknown>, depth: bigint): ReadonlyArray<unknown> => {
  charge(list.length)
  return list.flatMap((item) => isArray(item) && depth > 0n ? flatten(item, depth - 1n) : [item])
}

/** Values of simple types are found by themselves, others by comparing. */
const keyOf = (value: unknown): string | undefined => {
  if (typeof value === "string") return `s${value}`
  // 1 and 1.0 are the same.
  return typeof value === "bigint" || typeof value === "number" || typeof value === "boolean" ? `n${value}` : undefined
}

const distinct = (list: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const simple = new Set<string>()
  const others: Array<unknown> = []
  return list.filter((value) => {
    const key = keyOf(value)
    if (key !== undefined) return simple.size < simple.add(key).size
    charge(others.length)
    if (others.some((other) => celEquals(other, value))) return false
    others.push(value)
    return true
  })
}

const slice = (list: ReadonlyArray<unknown>, from: bigint, to: bigint): ReadonlyArray<unknown> => {
  if (from < 0n || to < 0n) return fail(`cannot slice(${from}, ${to}), negative indexes not supported`)
  if (from > to) return fail(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`)
  return to > BigInt(list.length) ? fail(`cannot slice(${from}, ${to}), list is length ${list.length}`) : list.slice(Number(from), Number(to))
}

const range = (_: unknown, length: bigint): ReadonlyArray<bigint> => {
  charge(Number(length))
  return Array.from({ length: Math.max(Number(length), 0) }, (_item, index) => BigInt(index))
}

const positionOf = (index: number): bigint => BigInt(index)

/** Adds them to an environment. */
export const register = (env: Environment): void => {
  for (const type of ["int", "double", "string", "bool", "google.protobuf.Timestamp", "google.protobuf.Duration"]) {
    env.registerFunction(`list<${type}>.isSorted(): bool`, (list: ReadonlyArray<Comparable>) =>
      list.every((item, index) => index === 0 || compare(list[index - 1] ?? item, item) <= 0))
    env.registerFunction(`list<${type}>.min(): ${type}`, (list: ReadonlyArray<Comparable>) => least(list, 1))
    env.registerFunction(`list<${type}>.max(): ${type}`, (list: ReadonlyArray<Comparable>) => least(list, -1))
  }
  env.registerFunction("list<T>.indexOf(T): int", (list: ReadonlyArray<unknown>, item: unknown) =>
    positionOf(list.findIndex((other) => celEquals(other, item))))
  env.registerFunction("list<T>.lastIndexOf(T): int", (list: ReadonlyArray<unknown>, item: unknown) =>
    positionOf(list.findLastIndex((other) => celEquals(other, item))))
  env.registerFunction("list<int>.sum(): int", (list: ReadonlyArray<bigint>) => list.reduce((sum, item) => sum + item, 0n))
  env.registerFunction("list<double>.sum(): double", (list: ReadonlyArray<number>) => list.reduce((sum, item) => sum + item, 0))
  env.registerFunction("list<T>.slice(int, int): list<T>", slice)
  env.registerFunction("list<T>.distinct(): list<T>", distinct)
  env.registerFunction("list<T>.reverse(): list<T>", (list: ReadonlyArray<unknown>) => list.toReversed())
  env.registerFunction("list<T>.sort(): list<T>", (list: ReadonlyArray<unknown>) => sortedPlaces(list).map((place) => list[place]))
  env.registerFunction("list.flatten(): list", (list: ReadonlyArray<unknown>) => flatten(list, 1n))
  env.registerFunction("list.flatten(int): list", (list: ReadonlyArray<unknown>, depth: bigint) =>
    depth < 0n ? fail("level must be non-negative") : flatten(list, depth))
  env.registerFunction(`${registerNamespace(env, "lists")}.range(int): list<int>`, range)
}
