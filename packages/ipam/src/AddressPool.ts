/** Which addresses a pool may lease: plain arithmetic on a network and its gateway. */
import * as Either from "effect/Either"
import * as Address from "./internal/address.js"
import * as offsetRanges from "./internal/offsetRanges.js"
import { AddressOutsidePool, InvalidPool } from "./IpamError.js"

/** How a pool is configured. @category models */
export interface PoolConfig {
  /** `10.88.0.0/16` or `fd00:1::/64`; host bits must be zero. */
  readonly cidr: string
  /** Default: the first host address. */
  readonly gateway?: string | undefined
  /** Addresses that are never leased, besides network, gateway and broadcast: `10.88.0.9`, `10.88.0.2-10.88.0.20`, `10.88.255.0/24`. */
  readonly reserved?: ReadonlyArray<string> | undefined
}

/** Offsets from `first` to `last`, both included. @category models */
export interface OffsetRange {
  readonly first: bigint
  readonly last: bigint
}

/**
 * A checked pool. Addresses are counted from the network address: offset 0 is the network itself.
 *
 * @category models
 */
export interface AddressPool {
  /** Canonical text. */
  readonly cidr: string
  readonly version: 4 | 6
  readonly network: bigint
  readonly prefixLength: number
  readonly gateway: string
  /** Number of addresses, reserved ones included. */
  readonly size: bigint
  /** Offsets that are never leased, in order, without overlap: network, gateway, for IPv4 broadcast, and what the configuration reserves. */
  readonly reserved: ReadonlyArray<OffsetRange>
  /** How many addresses can be leased at the same time. */
  readonly capacity: bigint
}

/**
 * Checks a configuration.
 *
 * @category constructors
 */
export const make = (config: PoolConfig): Either.Either<AddressPool, InvalidPool> => {
  const refuse = (reason: string) => Either.left(new InvalidPool({ cidr: config.cidr, reason }))
  const [text = "", length = "", ...rest] = config.cidr.split("/")
  const network = Address.parse(text)
  if (network === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length)) {
    return refuse("not an address with a prefix length")
  }
  const bits = Address.bitsOf(network.version)
  const prefixLength = Number(length)
  if (prefixLength > bits) return refuse(`the prefix length is more than ${bits}`)
  const size = 1n << BigInt(bits - prefixLength)
  if (network.value % size !== 0n) return refuse("the address has bits set after the prefix")

  const gateway = config.gateway === undefined
    ? { version: network.version, value: network.value + (size > 1n ? 1n : 0n) }
    : Address.parse(config.gateway)
  if (gateway === undefined || gateway.version !== network.version) return refuse("the gateway is not an address of its family")
  const gatewayOffset = gateway.value - network.value
  if (gatewayOffset < 0n || gatewayOffset >= size) return refuse("the gateway is outside the network")
  const ranges: Array<OffsetRange> = [0n, gatewayOffset, ...(network.version === 4 ? [size - 1n] : [])].map((offset) => ({ first: offset, last: offset }))
  for (const text of config.reserved ?? []) {
    const range = offsetRanges.parse(text)
    if (Either.isLeft(range)) return refuse(`the reserved range ${text} ${range.left}`)
    const { first, last, version } = range.right
    if (version !== network.version || first < network.value || last >= network.value + size) {
      return refuse(`the reserved range ${text} is not inside the network`)
    }
    ranges.push({ first: first - network.value, last: last - network.value })
  }
  const reserved = offsetRanges.merge(ranges)
  const capacity = size - offsetRanges.count(reserved)
  return capacity < 1n ? refuse("it has no address to lease") : Either.right({
    cidr: `${Address.format(network)}/${prefixLength}`,
    version: network.version,
    network: network.value,
    prefixLength,
    gateway: Address.format(gateway),
    size,
    reserved,
    capacity
  })
}

/**
 * The canonical text of the address at an offset.
 *
 * @category combinators
 */
export const addressAt = (pool: AddressPool, offset: bigint): string =>
  Address.format({ version: pool.version, value: pool.network + offset })

/**
 * The offset of any address inside the network, reserved ones included; `undefined` for all others.
 *
 * @category combinators
 */
export const positionOf = (pool: AddressPool, text: string): bigint | undefined => {
  const address = Address.parse(text)
  if (address === undefined || address.version !== pool.version) return undefined
  const offset = address.value - pool.network
  return offset >= 0n && offset < pool.size ? offset : undefined
}

/**
 * The offset of an address the pool may lease.
 *
 * @category combinators
 */
export const offsetOf = (pool: AddressPool, text: string): Either.Either<bigint, AddressOutsidePool> => {
  const refuse = (reason: string) => Either.left(new AddressOutsidePool({ address: text, cidr: pool.cidr, reason }))
  const offset = positionOf(pool, text)
  if (offset === undefined) return refuse("it is not an address of its network")
  return isReserved(pool, offset) ? refuse("it is reserved for the network itself, its gateway or by configuration") : Either.right(offset)
}

/**
 * Whether an offset is never leased.
 *
 * @category combinators
 */
export const isReserved = (pool: AddressPool, offset: bigint): boolean => offsetRanges.containing(pool.reserved, offset) !== undefined

/**
 * Whether two pools have an address in common.
 *
 * @category combinators
 */
export const overlap = (a: AddressPool, b: AddressPool): boolean =>
  a.version === b.version && a.network < b.network + b.size && b.network < a.network + a.size
