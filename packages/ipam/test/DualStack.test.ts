import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as Ipam from "../src/Ipam.js"

const both: Ipam.Options = { pools: [{ cidr: "10.0.0.0/29" }, { cidr: "fd00:88::/125" }] }

describe("several pools", () => {
  it.effect("give an address of each family, that of the first pool first", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      const { address, addresses } = yield* ipam.allocate("a")
      assert.strictEqual(address, "10.0.0.2")
      assert.deepStrictEqual(addresses.map(({ address, gateway, prefixLength }) => `${address}/${prefixLength} ${gateway}`), [
        "10.0.0.2/29 10.0.0.1",
        "fd00:88::2/125 fd00:88::1"
      ])
      assert.deepStrictEqual(ipam.pools.map(({ capacity, cidr }) => [cidr, capacity]), [["10.0.0.0/29", 5n], ["fd00:88::/125", 6n]])
    }).pipe(Effect.provide(Ipam.layerMemory(both))))

  it.effect("give nothing of one family when the other is exhausted", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      yield* ipam.reserve("v6 only", "fd00:88::7")
      yield* ipam.allocateAll(["a", "b", "c", "d", "e"])
      const error = yield* Effect.flip(ipam.allocate("f"))
      assert.strictEqual(error._tag, "AddressPoolExhausted")
      assert.include(error.message, "10.0.0.0/29: all 5")
      assert.deepStrictEqual((yield* ipam.usage).map(({ leased }) => leased), [5, 6])
      assert.deepStrictEqual(yield* ipam.find("f"), Option.none())
    }).pipe(Effect.provide(Ipam.layerMemory(both))))

  it.effect("reserve a pair of addresses or nothing", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      yield* ipam.reserve("a", "fd00:88::4")
      const refused = yield* Effect.flip(ipam.reserve("b", ["10.0.0.4", "fd00:88::4"]))
      assert.strictEqual(refused._tag, "AddressInUse")
      assert.deepStrictEqual(yield* ipam.find("b"), Option.none())
      const completed = yield* ipam.reserve("a", ["10.0.0.4", "fd00:0088::0004"])
      assert.deepStrictEqual(completed.addresses.map(({ address }) => address), ["10.0.0.4", "fd00:88::4"])
    }).pipe(Effect.provide(Ipam.layerMemory(both))))

  it.effect("of one family are used one after the other", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      const leases = yield* ipam.allocateAll(["a", "b", "c", "d"])
      assert.deepStrictEqual(leases.map(({ address }) => address), ["10.0.0.2", "10.0.7.2", "10.0.7.3", "10.0.7.4"])
      assert.deepStrictEqual(leases.map(({ gateway }) => gateway), ["10.0.0.1", "10.0.7.1", "10.0.7.1", "10.0.7.1"])
    }).pipe(Effect.provide(Ipam.layerMemory({ pools: [{ cidr: "10.0.0.0/30" }, { cidr: "10.0.7.0/24" }] }))))

  it.effect("that overlap are refused", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.provide(Ipam.Ipam, Ipam.layerMemory({ pools: [{ cidr: "10.0.0.0/16" }, { cidr: "10.0.9.0/24" }] })))
      assert.include(error.message, "overlaps the pool 10.0.0.0/16")
    }))

  it.effect("all or nothing: a transaction that is too large changes nothing", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      yield* Effect.flip(ipam.allocateAll(["a", "b", "c", "d", "e", "f"]))
      assert.deepStrictEqual(yield* ipam.list, [])
      assert.strictEqual((yield* ipam.allocate("g")).address, "10.0.0.2")
    }).pipe(Effect.provide(Ipam.layerMemory({ cidr: "10.0.0.0/29" }))))

  it.effect("lease the lowest free address when told so, and never a reserved one", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      const first = yield* ipam.allocateAll(["a", "b", "c"])
      assert.deepStrictEqual(first.map(({ address }) => address), ["10.0.0.4", "10.0.0.6", "10.0.0.7"])
      yield* ipam.release("a")
      assert.strictEqual((yield* ipam.allocate("d")).address, "10.0.0.4")
    }).pipe(Effect.provide(Ipam.layerMemory({ cidr: "10.0.0.0/24", reserved: ["10.0.0.2-10.0.0.3", "10.0.0.5"], reuse: "lowest" }))))
})
