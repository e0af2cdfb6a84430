import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import { isIPv6 } from "node:net"
import * as AddressPool from "../src/AddressPool.js"
import * as Address from "../src/internal/address.js"

const poolOf = (cidr: string, gateway?: string) => Either.getOrThrow(AddressPool.make({ cidr, gateway }))

describe("AddressPool", () => {
  it("reserves network, gateway and broadcast of an IPv4 network", () => {
    const pool = poolOf("10.88.0.0/29")
    assert.strictEqual(pool.gateway, "10.88.0.1")
    assert.strictEqual(pool.capacity, 5n)
    const leasable = Array.from({ length: 8 }, (_, index) => AddressPool.addressAt(pool, BigInt(index)))
      .filter((address) => Either.isRight(AddressPool.offsetOf(pool, address)))
    assert.deepStrictEqual(leasable, ["10.88.0.2", "10.88.0.3", "10.88.0.4", "10.88.0.5", "10.88.0.6"])
  })

  it("has no broadcast address in IPv6 and prints addresses in their short form", () => {
    const pool = poolOf("fd00:0:0:1::/64", "fd00:0:0:1::1")
    assert.strictEqual(pool.cidr, "fd00:0:0:1::/64")
    assert.strictEqual(pool.capacity, 2n ** 64n - 2n)
    assert.strictEqual(AddressPool.addressAt(pool, 2n ** 64n - 1n), "fd00::1:ffff:ffff:ffff:ffff")
  })

  it.each([
    ["10.0.0.1/24", "bits set after the prefix"],
    ["10.0.0.0", "not an address with a prefix length"],
    ["10.0.0.0/33", "more than 32"],
    ["10.0.0.300/24", "not an address"],
    ["10.0.0.0/31", "no address to lease"],
    ["fe80::%net0/64", "not an address"]
  ])("refuses %s", (cidr, reason) => {
    const error = Either.getOrThrow(Either.flip(AddressPool.make({ cidr })))
    assert.include(error.message, reason)
  })

  it("reserves ranges in any notation, and refuses those that are not its own", () => {
    const pool = Either.getOrThrow(AddressPool.make({ cidr: "10.0.0.0/24", reserved: ["10.0.0.9", "10.0.0.2 - 10.0.0.5", "10.0.0.4-10.0.0.7", "10.0.0.128/25"] }))
    assert.deepStrictEqual(pool.reserved, [
      { first: 0n, last: 7n },
      { first: 9n, last: 9n },
      { first: 128n, last: 255n }
    ])
    assert.strictEqual(pool.capacity, 119n)
    for (const [range, reason] of [["10.0.1.1", "not inside"], ["10.0.0.9-10.0.0.3", "ends before"], ["10.0.0.3/25", "bits set"], ["fd00::1", "not inside"], ["x", "neither"]] as const) {
      assert.include(Either.getOrThrow(Either.flip(AddressPool.make({ cidr: "10.0.0.0/24", reserved: [range] }))).message, reason)
    }
  })

  it("reserves half of a network of 2^64 addresses as easily as one address", () => {
    const pool = Either.getOrThrow(AddressPool.make({ cidr: "fd00::/64", reserved: ["fd00::/65"] }))
    assert.strictEqual(pool.capacity, 2n ** 63n)
  })

  it("refuses a gateway outside the network", () => {
    const error = Either.getOrThrow(Either.flip(AddressPool.make({ cidr: "10.0.0.0/24", gateway: "10.0.1.1" })))
    assert.include(error.message, "gateway is outside")
  })

  it.prop("reads every IPv6 address it writes", [fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })], ([value]) => {
    const text = Address.format({ version: 6, value })
    return isIPv6(text) && Address.parse(text)?.value === value
  })

  it.prop("reads IPv6 addresses in any notation", [fc.ipV6()], ([text]) => {
    const address = Address.parse(text)
    return address !== undefined && Address.parse(Address.format(address))?.value === address.value
  })
})
