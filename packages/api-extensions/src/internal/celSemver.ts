/** Semantic versions: `semver`, `isSemver`. */
import type { Environment } from "@marcbachmann/cel-js"
import { fail } from "./celFailure.js"

const number = "0|[1-9]\\d*"
const form = new RegExp(`^(${number})\\.(${number})\\.(${number})(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`)

class SemverValue {
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly stage: ReadonlyArray<string>
  constructor(numbers: readonly [bigint, bigint, bigint], stage: ReadonlyArray<string>) {
    this.numbers = numbers
    this.stage = stage
  }
}

const isNumber = (part: string): boolean => /^\d+$/.test(part)

const parse = (text: string): SemverValue | undefined => {
  const match = form.exec(text)
  if (match === null) return undefined
  const [, major = "0", minor = "0", patch = "0", stage] = match
  const parts = stage === undefined ? [] : stage.split(".")
  return parts.some((part) => isNumber(part) && part.length > 1 && part.startsWith("0"))
    ? undefined
    : new SemverValue([BigInt(major), BigInt(minor), BigInt(patch)], parts)
}

/** A version as people write it: with a `v`, without its last numbers, with zeros in front of them. */
const normalized = (text: string): string => {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?([-+].*)?$/.exec(text)
  if (match === null) return text
  const [, major = "0", minor = "0", patch = "0", rest = ""] = match
  return `${BigInt(major)}.${BigInt(minor)}.${BigInt(patch)}${rest}`
}

const comparePart = (left: string, right: string): number => {
  if (isNumber(left) && isNumber(right)) return BigInt(left) < BigInt(right) ? -1 : BigInt(left) > BigInt(right) ? 1 : 0
  if (isNumber(left) !== isNumber(right)) return isNumber(left) ? -1 : 1
  return left < right ? -1 : left > right ? 1 : 0
}

/** What comes before a release (1.0.0-rc.1) is less than the release. */
const compareStages = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): number => {
  if (left.length === 0 || right.length === 0) return Math.sign(right.length - left.length)
  for (const [index, part] of left.entries()) {
    const other = right[index]
    if (other === undefined) return 1
    const order = comparePart(part, other)
    if (order !== 0) return order
  }
  return left.length < right.length ? -1 : 0
}

const compare = (left: SemverValue, right: SemverValue): number => {
  for (const [index, value] of left.numbers.entries()) {
    const other = right.numbers[index] ?? 0n
    if (value !== other) return value < other ? -1 : 1
  }
  return compareStages(left.stage, right.stage)
}

const read = (text: string, loose: boolean): SemverValue | undefined => parse(loose ? normalized(text) : text)

/** Adds them to an environment. */
export const register = (env: Environment): void => {
  const type = "kubernetes.Semver"
  const make = (text: string, loose = false): SemverValue => read(text, loose) ?? fail(`cannot parse "${text}" as semver`)
  env.registerType(type, { ctor: SemverValue, fields: {} })
  env.registerOperator(`${type} == ${type}`, (left: SemverValue, right: SemverValue) => compare(left, right) === 0)
  env.registerFunction("isSemver(string): bool", (text: string) => read(text, false) !== undefined)
  env.registerFunction("isSemver(string, bool): bool", (text: string, loose: boolean) => read(text, loose) !== undefined)
  env.registerFunction(`semver(string): ${type}`, make)
  env.registerFunction(`semver(string, bool): ${type}`, make)
  for (const [index, name] of (["major", "minor", "patch"] as const).entries()) {
    env.registerFunction(`${type}.${name}(): int`, ({ numbers }: SemverValue) => numbers[index] ?? 0n)
  }
  env.registerFunction(`${type}.compareTo(${type}): int`, (left: SemverValue, right: SemverValue) => BigInt(compare(left, right)))
  env.registerFunction(`${type}.isLessThan(${type}): bool`, (left: SemverValue, right: SemverValue) => compare(left, right) < 0)
  env.registerFunction(`${type}.isGreaterThan(${type}): bool`, (left: SemverValue, right: SemverValue) => compare(left, right) > 0)
}
