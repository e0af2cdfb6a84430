import { isIPv4, isIPv6 } from "node:net"

/** A network: its address as a number, and how many leading bits of it count. */
export interface Cidr {
  readonly version: 4 | 6
  readonly network: bigint
  readonly length: number
}

const bitsOf = (version: 4 | 6): number => (version === 4 ? 32 : 128)

const groups = (text: string): ReadonlyArray<string> => (text === "" ? [] : text.split(":"))

const parse6 = (text: string): bigint => {
  // The last 32 bits may be written as an IPv4 address.
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) =>
    `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`)
  const [head = "", tail] = plain.split("::")
  const front = groups(head)
  const back = groups(tail ?? "")
  const all = tail === undefined ? front : [...front, ...Array.from({ length: 8 - front.length - back.length }, () => "0"), ...back]
  return all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** The number an address stands for; `undefined` when the text is no address. */
export const address = (text: string): { readonly version: 4 | 6; readonly value: bigint } | undefined => {
  if (isIPv4(text)) return { version: 4, value: text.split(".").reduce((value, octet) => (value << 8n) | BigInt(octet), 0n) }
  return isIPv6(text) && !text.includes("%") ? { version: 6, value: parse6(text) } : undefined
}

const masked = (version: 4 | 6, value: bigint, length: number): bigint => {
  const shift = BigInt(bitsOf(version) - length)
  return (value >> shift) << shift
}

/** A network or a single address; host bits are dropped. */
export const parse = (text: string): Cidr | undefined => {
  const [ip = "", length, ...rest] = text.split("/")
  const found = address(ip)
  if (found === undefined || rest.length > 0) return undefined
  const bits = bitsOf(found.version)
  if (length !== undefined && !(/^\d{1,3}$/.test(length) && Number(length) <= bits)) return undefined
  const prefix = length === undefined ? bits : Number(length)
  return { version: found.version, network: masked(found.version, found.value, prefix), length: prefix }
}

const format6 = (value: bigint): string => {
  const parts = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  // The longest run of two or more zero groups, the first of equals.
  let best = { at: 0, length: 0 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (parts[at + length] === "0") length += 1
    if (length > best.length) best = { at, length }
  }
  return best.length < 2
    ? parts.join(":")
    : `${parts.slice(0, best.at).join(":")}::${parts.slice(best.at + best.length).join(":")}`
}

/** The usual text of an address. */
export const formatAddress = (version: 4 | 6, value: bigint): string =>
  version === 4
    ? [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".")
    : format6(value)

/** The usual text of a network. */
export const format = (cidr: Cidr): string => `${formatAddress(cidr.version, cidr.network)}/${cidr.length}`

/** The usual text of what may be a network, itself when it is none. */
export const canonical = (text: string): string => {
  const cidr = parse(text)
  return cidr === undefined ? text : format(cidr)
}

/** Whether all of `inner` lies in `outer`. */
export const contains = (outer: Cidr, inner: Cidr): boolean =>
  outer.version === inner.version && outer.length <= inner.length
  && masked(outer.version, inner.network, outer.length) === outer.network

/** Whether the networks share an address. */
export const overlaps = (a: Cidr, b: Cidr): boolean => contains(a, b) || contains(b, a)

/** The netmask of an IPv4 prefix length. */
export const netmask = (length: number): string => formatAddress(4, masked(4, 0xffffffffn, length))

/** The prefix length of an IPv4 netmask; `undefined` when its bits have a gap. */
export const lengthOfMask = (mask: string): number | undefined => {
  const found = address(mask)
  if (found === undefined || found.version !== 4) return undefined
  for (let length = 0; length <= 32; length++) if (masked(4, 0xffffffffn, length) === found.value) return length
  return undefined
}
