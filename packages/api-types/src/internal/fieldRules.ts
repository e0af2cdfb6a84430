/** Rules for single values that the validations of several kinds share. */
import { isIP } from "node:net"
import type { FieldError } from "../FieldError.js"
import { all, invalid, invalidEach, none, notSupported, required } from "../FieldError.js"
import * as Names from "../Names.js"

/** Problems found; empty when there are none. */
export type Errors = ReadonlyArray<FieldError>

/** What is said about a number below zero. */
export const negative = "must be greater than or equal to 0"
/** What is said about a number that is not above zero. */
export const notPositive = "must be greater than 0"

/** The value, if it is given, must not be negative. */
export const nonNegative = (path: string, value: number | undefined): Errors =>
  value !== undefined && value < 0 ? [invalid(path, value, negative)] : none

/** The value must be given and be one of these. */
export const oneOf = (path: string, value: string | undefined, supported: ReadonlyArray<string>): Errors => {
  if (value === undefined || value === "") return [required(path)]
  return supported.includes(value) ? none : [notSupported(path, value, supported)]
}

/** The value, if it is given, must be one of these. */
export const optionalOneOf = (path: string, value: string | undefined, supported: ReadonlyArray<string>): Errors =>
  value === undefined || supported.includes(value) ? none : [notSupported(path, value, supported)]

/** The text must not be empty. */
export const present = (path: string, value: string | undefined, detail = ""): Errors =>
  value === undefined || value === "" ? [required(path, detail)] : none

/** The text must keep a rule of `Names`. */
export const named = (path: string, value: string, rule: (name: string) => Names.Problems): Errors => invalidEach(path, value, rule(value))

/** The text must not be empty and keep a rule of `Names`. */
export const requiredName = (path: string, value: string | undefined, rule: (name: string) => Names.Problems): Errors =>
  value === undefined || value === "" ? [required(path)] : named(path, value, rule)

/** The text, unless it is empty, must keep a rule of `Names`. */
export const optionalName = (path: string, value: string | undefined, rule: (name: string) => Names.Problems): Errors =>
  value === undefined || value === "" ? none : named(path, value, rule)

/** A port by number or by name. */
export const portNumberOrName = (path: string, port: number | string): Errors =>
  typeof port === "number" ? invalidEach(path, port, Names.isPortNumber(port)) : named(path, port, Names.isPortName)

/** An IPv4 or IPv6 address. */
export const address = (path: string, value: string): Errors =>
  isIP(value) === 0 ? [invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")] : none

/** Whether a text is an IPv6 address. */
export const isIPv6 = (value: string): boolean => isIP(value) === 6

/** A network such as 10.0.0.0/8. */
export const network = (path: string, value: string): Errors => {
  const [base = "", length = "", rest] = value.split("/")
  const family = isIP(base)
  const bits = family === 6 ? 128 : 32
  const valid = rest === undefined && family !== 0 && /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= bits
  return valid ? none : [invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
}

/** A path without steps back. */
export const pathWithoutBacksteps = (path: string, value: string): Errors =>
  value.includes("..") && value.split("/").includes("..") ? [invalid(path, value, "must not contain '..'")] : none

/** A path that stays below the directory it starts in. */
export const localPath = (path: string, value: string): Errors =>
  all(value.startsWith("/") ? [invalid(path, value, "must be a relative path")] : none, pathWithoutBacksteps(path, value))

/** A local path whose first name is free for users: names with two leading dots belong to the volume. */
export const localFreePath = (path: string, value: string): Errors =>
  all(
    localPath(path, value),
    value.startsWith("..") && !value.startsWith("../") && value !== ".." ? [invalid(path, value, "must not start with '..'")] : none
  )

/** Permission bits of a file. */
export const fileMode = (path: string, mode: number | undefined): Errors =>
  mode !== undefined && (mode < 0 || mode > 0o777)
    ? [invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")]
    : none

/** A Unix user or group number. */
export const unixId = (path: string, id: number | undefined): Errors => (id === undefined ? none : invalidEach(path, id, Names.isUnixId(id)))

const nothing: ReadonlySet<never> = new Set()

/** The keys of items; items without a key do not count. */
export const keysOf = <A>(items: ReadonlyArray<A> | undefined, keyOf: (item: A) => string | undefined): ReadonlySet<string> => {
  if (items === undefined) return nothing
  let keys: Set<string> | undefined
  for (const item of items) {
    const key = keyOf(item)
    if (key !== undefined) (keys ??= new Set()).add(key)
  }
  return keys ?? nothing
}

/** The indexes of the items whose key is `taken` or that of an item before them; items without a key do not count. */
export const repeats = <A>(
  items: ReadonlyArray<A> | undefined,
  keyOf: (item: A) => string | undefined,
  taken: ReadonlySet<string> = nothing
): ReadonlySet<number> => {
  if (items === undefined || items.length === 0 || (items.length === 1 && taken.size === 0)) return nothing
  const seen = new Set(taken)
  let found: Set<number> | undefined
  let index = 0
  for (const item of items) {
    const key = keyOf(item)
    if (key !== undefined && seen.has(key)) (found ??= new Set()).add(index)
    else if (key !== undefined) seen.add(key)
    index++
  }
  return found ?? nothing
}

/** Duplicates among these names, each reported at its own path; empty names do not count. */
export const uniqueNames = (
  names: ReadonlyArray<string>,
  pathOf: (index: number) => string,
  duplicate: (path: string, name: string) => FieldError
): Errors => {
  const repeated = repeats(names, (name) => (name === "" ? undefined : name))
  return repeated.size === 0 ? none : [...repeated].map((index) => duplicate(pathOf(index), names[index] ?? ""))
}
