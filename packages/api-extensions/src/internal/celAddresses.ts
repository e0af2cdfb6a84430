/** Addresses: URLs, IP addresses and ranges of them. */
import type { Environment } from "@marcbachmann/cel-js"
import { BlockList, isIP, isIPv4 } from "node:net"
import * as Formats from "../Formats.js"
import { fail } from "./celFailure.js"
import { registerNamespace } from "./celNamespace.js"

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

const queryOf = ({ url }: UrlValue): Map<string, ReadonlyArray<string>> =>
  new Map([...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.getAll(name)]))

const registerUrls = (env: Environment): void => {
  const type = "kubernetes.URL"
  env.registerFunction("isURL(string): bool", isUrl)
  env.registerType(type, { ctor: UrlValue, fields: {} })
  env.registerOperator(`${type} == ${type}`, (left: UrlValue, right: UrlValue) => left.url.href === right.url.href)
  env.registerFunction(`url(string): ${type}`, (text: string) => isUrl(text) ? new UrlValue(text) : fail(`URL parse error during conversion from string: ${text}`))
  env.registerFunction(`${type}.getScheme(): string`, ({ isPath, url }: UrlValue) => isPath ? "" : url.protocol.slice(0, -1))
  env.registerFunction(`${type}.getHost(): string`, ({ isPath, url }: UrlValue) => isPath ? "" : url.host)
  env.registerFunction(`${type}.getHostname(): string`, ({ isPath, url }: UrlValue) => isPath ? "" : url.hostname.replace(/^\[(.*)\]$/, "$1"))
  env.registerFunction(`${type}.getPort(): string`, ({ url }: UrlValue) => url.port)
  env.registerFunction(`${type}.getEscapedPath(): string`, ({ url }: UrlValue) => url.pathname)
  env.registerFunction(`${type}.getQuery(): map<string, list<string>>`, queryOf)
}

/** The bits of an address as a number, and how many there are. */
interface Bits {
  readonly value: bigint
  readonly width: 32 | 128
}

const groupsOf = (text: string): ReadonlyArray<string> => text === "" ? [] : text.split(":")

const bitsOf = (text: string): Bits => {
  if (isIPv4(text)) return { value: text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n), width: 32 }
  const [head = "", tail] = text.split("::")
  const before = groupsOf(head)
  const after = groupsOf(tail ?? "")
  const middle = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => "0")
  return { value: [...before, ...middle, ...after].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n), width: 128 }
}

/** The one way to write a version 6 address: the longest run of zeros left out, no zeros in front. */
const canonicalV6 = (text: string): string => new URL(`http://[${text}]`).hostname.slice(1, -1)

const textOf = ({ value, width }: Bits): string => {
  if (width === 32) return [24n, 16n, 8n, 0n].map((shift) => String(value >> shift & 255n)).join(".")
  return canonicalV6(Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index) & 65535n).toString(16)).join(":"))
}

class IpValue {
  readonly bits: Bits
  constructor(bits: Bits) {
    this.bits = bits
  }
}

/** Neither zones nor version 4 addresses inside version 6 ones are addresses here. */
const isAddress = (text: string): boolean =>
  isIP(text) !== 0 && !text.includes("%") && !(text.includes(":") && (text.includes(".") || /^::ffff:/i.test(canonicalV6(text))))

const ipOf = (text: string): IpValue => isAddress(text) ? new IpValue(bitsOf(text)) : fail(`IP Address "${text}" parse error during conversion from string`)

const among = (...ranges: ReadonlyArray<readonly [string, number]>) => {
  const list = new BlockList()
  for (const [address, length] of ranges) list.addSubnet(address, length, isIPv4(address) ? "ipv4" : "ipv6")
  return ({ bits }: IpValue): boolean => list.check(textOf(bits), bits.width === 32 ? "ipv4" : "ipv6")
}

const isUnspecified = among(["0.0.0.0", 32], ["::", 128])
const isLoopback = among(["127.0.0.0", 8], ["::1", 128])
const isLinkLocalMulticast = among(["224.0.0.0", 24], ["ff02::", 16])
const isLinkLocalUnicast = among(["169.254.0.0", 16], ["fe80::", 10])
const isOther = among(["255.255.255.255", 32], ["224.0.0.0", 4], ["ff00::", 8])
const isGlobalUnicast = (ip: IpValue): boolean => !isOther(ip) && !isUnspecified(ip) && !isLoopback(ip) && !isLinkLocalUnicast(ip)

const registerAddresses = (env: Environment): void => {
  const type = "net.IP"
  const namespace = registerNamespace(env, "ip")
  env.registerType(type, { ctor: IpValue, fields: {} })
  env.registerOperator(`${type} == ${type}`, (left: IpValue, right: IpValue) => textOf(left.bits) === textOf(right.bits))
  env.registerFunction("isIP(string): bool", isAddress)
  env.registerFunction(`ip(string): ${type}`, ipOf)
  env.registerFunction(`${namespace}.isCanonical(string): bool`, (_: unknown, text: string) => textOf(ipOf(text).bits) === text)
  env.registerFunction(`string(${type}): string`, ({ bits }: IpValue) => textOf(bits))
  env.registerFunction(`${type}.family(): int`, ({ bits }: IpValue) => bits.width === 32 ? 4n : 6n)
  for (const [name, check] of Object.entries({ isUnspecified, isLoopback, isLinkLocalMulticast, isLinkLocalUnicast, isGlobalUnicast })) {
    env.registerFunction(`${type}.${name}(): bool`, check)
  }
}

class CidrValue {
  readonly bits: Bits
  readonly length: number
  constructor(bits: Bits, length: number) {
    this.bits = bits
    this.length = length
  }
}

const masked = ({ bits, length }: CidrValue): bigint => bits.value >> BigInt(bits.width - length)

const isRange = (text: string): boolean => Formats.matches("cidr", text) && isAddress(text.split("/")[0] ?? "")

const cidrOf = (text: string): CidrValue => {
  if (!isRange(text)) return fail(`network address "${text}" parse error during conversion from string`)
  const [address = "", length = "0"] = text.split("/")
  return new CidrValue(bitsOf(address), Number(length))
}

const contains = (range: CidrValue, bits: Bits, length: number): boolean =>
  range.bits.width === bits.width && range.length <= length && masked(range) === bits.value >> BigInt(bits.width - range.length)

const networkOf = (range: CidrValue): CidrValue => {
  const { bits: { width }, length } = range
  return new CidrValue({ value: masked(range) << BigInt(width - length), width }, length)
}

const registerRanges = (env: Environment): void => {
  const type = "net.CIDR"
  env.registerType(type, { ctor: CidrValue, fields: {} })
  const shown = ({ bits, length }: CidrValue): string => `${textOf(bits)}/${length}`
  env.registerOperator(`${type} == ${type}`, (left: CidrValue, right: CidrValue) => shown(left) === shown(right))
  env.registerFunction("isCIDR(string): bool", isRange)
  env.registerFunction(`cidr(string): ${type}`, cidrOf)
  env.registerFunction(`string(${type}): string`, shown)
  env.registerFunction(`${type}.ip(): net.IP`, ({ bits }: CidrValue) => new IpValue(bits))
  env.registerFunction(`${type}.prefixLength(): int`, ({ length }: CidrValue) => BigInt(length))
  env.registerFunction(`${type}.masked(): ${type}`, networkOf)
  env.registerFunction(`${type}.containsIP(net.IP): bool`, (range: CidrValue, { bits }: IpValue) => contains(range, bits, bits.width))
  env.registerFunction(`${type}.containsIP(string): bool`, (range: CidrValue, text: string) => {
    const { bits } = ipOf(text)
    return contains(range, bits, bits.width)
  })
  env.registerFunction(`${type}.containsCIDR(${type}): bool`, (range: CidrValue, { bits, length }: CidrValue) => contains(range, bits, length))
  env.registerFunction(`${type}.containsCIDR(string): bool`, (range: CidrValue, text: string) => {
    const { bits, length } = cidrOf(text)
    return contains(range, bits, length)
  })
}

/** Adds them to an environment. */
export const register = (env: Environment): void => {
  registerUrls(env)
  registerAddresses(env)
  registerRanges(env)
}
