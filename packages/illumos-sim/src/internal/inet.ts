import { isIPv4, isIPv6 } from "node:net"

/** A network, or an address with all its bits. */
export interface Net {
  readonly bits: 32 | 128
  readonly value: bigint
  readonly length: number
}

const fromIpv6 = (text: string): bigint => {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  const plain = dotted === null
    ? text
    : `${dotted[1] ?? ""}${(Number(dotted[2]) * 256 + Number(dotted[3])).toString(16)}:${(Number(dotted[4]) * 256 + Number(dotted[5])).toString(16)}`
  const [left = "", right] = plain.split("::")
  const words = (part: string) => part === "" ? [] : part.split(":")
  const head = words(left)
  const tail = right === undefined ? [] : words(right)
  const zeros = right === undefined ? 0 : 8 - head.length - tail.length
  let value = 0n
  for (const word of [...head, ...Array.from({ length: zeros }, () => "0"), ...tail]) value = value * 65_536n + BigInt(`0x${word}`)
  return value
}

const mask = (bits: number, length: number): bigint => ((1n << BigInt(length)) - 1n) << BigInt(bits - length)

/** Reads `address` or `address/length`; host bits are dropped when `length` is given. */
export const parse = (text: string): Net | undefined => {
  const [address = "", length, ...rest] = text.split("/")
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : undefined
  if (bits === undefined || rest.length > 0) return undefined
  const value = bits === 32 ? address.split(".").reduce((sum, octet) => sum * 256n + BigInt(octet), 0n) : fromIpv6(address)
  if (length === undefined) return { bits, value, length: bits }
  return /^\d{1,3}$/.test(length) && Number(length) <= bits ? { bits, value: value & mask(bits, Number(length)), length: Number(length) } : undefined
}

/** The address of a network as text. */
export const addressText = ({ bits, value }: Net): string => {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".")
  const words = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(16 * (7 - index))) & 65_535n).toString(16))
  const zeros = [...words.join(":").matchAll(/(?:^|:)(?:0(?::|$)){2,}/g)].sort((a, b) => b[0].length - a[0].length)[0]
  return zeros === undefined ? words.join(":") : words.join(":").replace(zeros[0], "::")
}

/** A network as text with its length. */
export const text = (net: Net): string => `${addressText(net)}/${net.length}`

/** Whether the address or network is in the network. */
export const contains = (outer: Net, inner: Net): boolean =>
  outer.bits === inner.bits && inner.length >= outer.length && (inner.value & mask(outer.bits, outer.length)) === (outer.value & mask(outer.bits, outer.length))

/** The IPv4 netmask of a prefix length. */
export const maskText = (length: number): string => addressText({ bits: 32, value: mask(32, length), length: 32 })
