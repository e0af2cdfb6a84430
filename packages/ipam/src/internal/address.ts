import { isIPv4, isIPv6 } from "node:net"

/** An IP address as a number, so that both families are handled alike. */
export interface Address {
  readonly version: 4 | 6
  readonly value: bigint
}

/** Bits of an address. */
export const bitsOf = (version: 4 | 6): number => (version === 4 ? 32 : 128)

const fold = (digits: ReadonlyArray<bigint>, bits: bigint): bigint =>
  digits.reduce((value, digit) => (value << bits) | digit, 0n)

const parse4 = (text: string): bigint => fold(text.split(".").map(BigInt), 8n)

const groupsOf = (text: string): Array<bigint> =>
  text === "" ? [] : text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [BigInt(`0x${group}`)]
    const value = parse4(group)
    return [value >> 16n, value & 0xffffn]
  })

const parse6 = (text: string): bigint => {
  const [head = "", tail] = text.split("::")
  const before = groupsOf(head)
  const after = groupsOf(tail ?? "")
  return fold([...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0n), ...after], 16n)
}

/** `undefined` when the text is no address, or one with a scope. */
export const parse = (text: string): Address | undefined =>
  isIPv4(text)
    ? { version: 4, value: parse4(text) }
    : isIPv6(text) && !text.includes("%")
    ? { version: 6, value: parse6(text) }
    : undefined

const parts = (value: bigint, count: number, bits: bigint): Array<bigint> =>
  Array.from({ length: count }, (_, index) => (value >> (BigInt(count - 1 - index) * bits)) & ((1n << bits) - 1n))

/** The longest run of zero groups, of at least two, is what `::` stands for; the first of equals. */
const compress = (groups: ReadonlyArray<string>): string => {
  let best = { start: 0, length: 1 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === "0") length += 1
    if (length > best.length) best = { start, length }
  }
  return best.length === 1
    ? groups.join(":")
    : `${groups.slice(0, best.start).join(":")}::${groups.slice(best.start + best.length).join(":")}`
}

/** Small integers: an allocation prints its address more than once, and this is most of what that costs. */
const format4 = (value: number): string => `${value >>> 24}.${value >>> 16 & 255}.${value >>> 8 & 255}.${value & 255}`

/** The canonical text. */
export const format = (address: Address): string =>
  address.version === 4
    ? format4(Number(address.value))
    : compress(parts(address.value, 8, 16n).map((group) => group.toString(16)))
