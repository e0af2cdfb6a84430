/** Values as the lexer of zonecfg can take them, and the refusal of those it cannot. */
import * as Either from "effect/Either"
import { isIPv4, isIPv6 } from "node:net"

/** A property zonecfg has no way to store as it is. */
export class Refused {
  readonly property: string
  readonly reason: string
  constructor(property: string, reason: string) {
    this.property = property
    this.reason = reason
  }
}

export type Checked<A> = Either.Either<A, Refused>

/** A line of a script, or why there is none. */
export type Line = string | Checked<string>

export const refuse = (property: string, reason: string): Checked<never> => Either.left(new Refused(property, reason))

/** The lexer of zonecfg has no escapes: a quoted value holds anything but a quote and a newline. */
export const quoted = (property: string, value: string, bytes = 1023): Checked<string> => {
  if (value === "") return refuse(property, "an empty value cannot be stored")
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/["\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) {
    return refuse(property, "a double quote or control character cannot be stored; encode the value")
  }
  // Half of a pair of UTF-16 has no UTF-8 form: what would be stored is another character.
  if (/[\ud800-\udfff]/u.test(value)) return refuse(property, "half of a surrogate pair cannot be stored")
  if (Buffer.byteLength(value) > bytes) return refuse(property, `more than ${bytes} bytes`)
  return Either.right(`"${value}"`)
}

export const matching = (property: string, value: string, pattern: RegExp, rule: string, bytes?: number): Checked<string> =>
  pattern.test(value) ? quoted(property, value, bytes) : refuse(property, rule)

/** zonecfg keeps whatever it is given here, and its `export` prints it without quotes: so only what is read back as it was. */
export const trimmed = (property: string, value: string, bytes?: number): Checked<string> =>
  /^[ \t]|[ \t]$/.test(value) ? refuse(property, "begins or ends with a blank") : quoted(property, value, bytes)

export const absolutePath = (property: string, value: string): Checked<string> =>
  /^\/.*[^/]$/.test(value) && !/(^|\/)\.{1,2}(\/|$)|\/\//.test(value)
    ? quoted(property, value)
    : refuse(property, "not an absolute path without '.', '..' and doubled or trailing slashes")

/** zonecfg takes a malformed address for a host name, and the zone then fails to boot: so it is checked here. */
export const address = (property: string, value: string, lengthRequired = true): Checked<string> => {
  const [ip = "", length, ...rest] = value.split("/")
  const bits = isIPv4(ip) ? 32 : isIPv6(ip) && !ip.includes("%") ? 128 : 0
  const fits = length === undefined
    ? !lengthRequired && bits === 32
    : /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= bits
  return rest.length === 0 && bits > 0 && fits
    ? quoted(property, value)
    : refuse(property, `${JSON.stringify(value)} is not an IP address with prefix length`)
}

export const router = (property: string, value: string): Checked<string> =>
  isIPv4(value) || (isIPv6(value) && !value.includes("%"))
    ? quoted(property, value)
    : refuse(property, `${JSON.stringify(value)} is not an IP address`)

/** A whole number zonecfg can hold. */
export const count = (property: string, value: number, least: number): Checked<string> =>
  Number.isSafeInteger(value) && value >= least ? Either.right(String(value)) : refuse(property, `not a whole number of at least ${least}`)

const kibi = 1024n

/** Exact when the size is a whole number of KiB, else rounded up: a suffix is required by some releases. */
export const size = (bytes: bigint): string => {
  for (const [unit, suffix] of [[kibi ** 3n, "G"], [kibi ** 2n, "M"]] as const) {
    if (bytes % unit === 0n) return `${bytes / unit}${suffix}`
  }
  return `${(bytes + kibi - 1n) / kibi}K`
}

export const set = (property: string, value: Checked<string>): Checked<string> =>
  Either.map(value, (text) => `set ${property.slice(property.lastIndexOf(".") + 1)}=${text}`)

export const optional = <A>(value: A | undefined, build: (value: A) => Line): Array<Line> =>
  value === undefined ? [] : [build(value)]

export const block = (resource: string, body: ReadonlyArray<Line>): Array<Line> => [`add ${resource}`, ...body, "end"]
