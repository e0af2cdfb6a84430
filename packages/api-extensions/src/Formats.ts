/** The string formats that schemas may ask for. A format that is not listed here is not checked, as in Kubernetes. */
import { Names, Timestamp } from "@reddwarf/api-types"
import { isIP, isIPv4, isIPv6 } from "node:net"

const matching = (pattern: RegExp) => (text: string): boolean => pattern.test(text)

const isCidr = (text: string): boolean => {
  const [address = "", length = "", ...rest] = text.split("/")
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length) || isIP(address) === 0) return false
  return Number(length) <= (isIPv4(address) ? 32 : 128)
}

const isUri = (text: string): boolean => text.startsWith("/") || URL.canParse(text)

const isDate = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  return Timestamp.parse(`${text}T00:00:00Z`) !== undefined
}

const goDuration = /^[-+]?(?:0|(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*)$/
const wordDuration = /^\d+\s*(?:ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$/

const isDateTime = (text: string): boolean => Timestamp.parse(text.replace(" ", "T")) !== undefined

const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)

const digits = (text: string): string => text.replaceAll(/[-\s]/g, "")

const formats: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["bsonobjectid", matching(/^[0-9a-fA-F]{24}$/)],
  ["uri", isUri],
  ["email", matching(/^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"]+$/)],
  ["hostname", matching(/^(?=.{1,253}\.?$)([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.)*[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.?$/)],
  ["ipv4", isIPv4],
  ["ipv6", isIPv6],
  ["cidr", isCidr],
  ["mac", matching(/^[0-9a-fA-F]{2}([:-])[0-9a-fA-F]{2}(\1[0-9a-fA-F]{2}){4}(\1[0-9a-fA-F]{2}\1[0-9a-fA-F]{2})?$/)],
  ["uuid", matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ["uuid3", matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ["uuid4", matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ["uuid5", matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ["isbn", (text) => /^(\d{9}[\dXx]|\d{13})$/.test(digits(text))],
  ["isbn10", (text) => /^\d{9}[\dXx]$/.test(digits(text))],
  ["isbn13", (text) => /^\d{13}$/.test(digits(text))],
  ["creditcard", (text) => /^\d{13,19}$/.test(text.replaceAll(/\D/g, ""))],
  ["ssn", matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ["hexcolor", matching(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ["rgbcolor", matching(/^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/)],
  ["byte", isBase64],
  ["password", () => true],
  ["date", isDate],
  ["duration", (text) => goDuration.test(text) || wordDuration.test(text)],
  ["datetime", isDateTime],
  ["k8sshortname", (text) => Names.isDns1123Label(text).length === 0],
  ["k8slongname", (text) => Names.isDns1123Subdomain(text).length === 0]
])

const numeric: Readonly<Record<string, ReadonlySet<string>>> = {
  integer: new Set(["int32", "int64"]),
  number: new Set(["float", "double"])
}

const normalized = (format: string): string => format.replaceAll("-", "")

/** Whether a format is known for values of this type. @category combinators */
export const isKnown = (format: string, type: string): boolean =>
  type === "" || type === "string" ? formats.has(normalized(format)) : numeric[type]?.has(format) ?? false

/** Whether a text has the format; true for formats that are not known. @category combinators */
export const matches = (format: string, text: string): boolean => formats.get(normalized(format))?.(text) ?? true
