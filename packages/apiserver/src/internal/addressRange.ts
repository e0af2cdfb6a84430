/** A range of IPv4 addresses as numbers, so that allocation is arithmetic. */
import { isIPv4 } from "node:net"

/** Addresses `first` to `last`, both usable. */
export interface AddressRange {
  readonly cidr: string
  readonly first: number
  readonly last: number
}

/** The number of an address; undefined for anything that is not IPv4. */
export const toNumber = (address: string): number | undefined =>
  isIPv4(address) ? address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) : undefined

/** The address of a number. */
export const toAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".")

/** The usable addresses of a network, without its own and its broadcast address; undefined when the text is not one, or too small. */
export const parse = (cidr: string): AddressRange | undefined => {
  const [address = "", length = "", ...rest] = cidr.split("/")
  const number = toNumber(address)
  const bits = Number(length)
  if (number === undefined || rest.length > 0 || !/^\d{1,2}$/.test(length) || bits < 8 || bits > 30) return undefined
  const size = 2 ** (32 - bits)
  const base = number - (number % size)
  return base === number ? { cidr, first: base + 1, last: base + size - 2 } : undefined
}
