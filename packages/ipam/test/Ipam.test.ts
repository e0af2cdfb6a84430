import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Option } from "effect"
import * as Ipam from "../src/Ipam.js"

const owners = ["a", "b", "c", "d", "e", "f", "g"] as const

type Action =
  | { readonly kind: "allocate" | "release"; readonly owner: string }
  | { readonly kind: "reserve"; readonly owner: string; readonly address: string }

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constantFrom("allocate" as const, "release" as const), owner: fc.constantFrom(...owners) }),
  fc.record({
    kind: fc.constant("reserve" as const),
    owner: fc.constantFrom(...owners),
    address: fc.integer({ min: 0, max: 8 }).map((last) => `10.0.0.${last}`)
  })
)

describe("Ipam", () => {
  it.effect("gives one address per owner, again and again", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      const first = yield* ipam.allocate("pod-1")
      const address = { address: "10.0.0.2", prefixLength: 29, gateway: "10.0.0.1" }
      assert.deepStrictEqual(first, { owner: "pod-1", ...address, addresses: [{ ...address, family: 4, outside: false }] })
      assert.deepStrictEqual(yield* ipam.allocate("pod-1"), first)
      assert.strictEqual((yield* ipam.allocate("pod-2")).address, "10.0.0.3")
      assert.deepStrictEqual(yield* ipam.find("pod-1"), Option.some(first))
    }).pipe(Effect.provide(Ipam.layerMemory({ cidr: "10.0.0.0/29" }))))

  it.effect("reuses a released address only after all others", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      const seen: Array<string> = []
      for (let round = 0; round < 6; round++) {
        seen.push((yield* ipam.allocate("pod")).address)
        yield* ipam.release("pod")
      }
      assert.deepStrictEqual(seen, ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.2"])
    }).pipe(Effect.provide(Ipam.layerMemory({ cidr: "10.0.0.0/29" }))))

  it.effect("is exhausted when every address is leased", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      yield* ipam.allocate("a")
      const error = yield* Effect.flip(ipam.allocate("b"))
      assert.strictEqual(error._tag, "AddressPoolExhausted")
      assert.include(error.message, "all 1 addresses")
    }).pipe(Effect.provide(Ipam.layerMemory({ cidr: "10.0.0.0/30" }))))

  it.effect("allocates from a /8 and a /48 as from a /24", () =>
    Effect.gen(function*() {
      for (const cidr of ["10.0.0.0/8", "fd00:aa::/48"]) {
        const leases = yield* Effect.gen(function*() {
          const ipam = yield* Ipam.Ipam
          yield* Effect.forEach(Array.from({ length: 2000 }, (_, index) => `pod-${index}`), ipam.allocate, { concurrency: 50 })
          return yield* ipam.list
        }).pipe(Effect.provide(Ipam.layerMemory({ cidr })))
        assert.strictEqual(new Set(leases.map((lease) => lease.address)).size, 2000)
      }
    }))

  it.effect("keeps reserved addresses from others", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      yield* ipam.reserve("running", "10.0.0.2")
      yield* ipam.reserve("running", "10.0.0.2")
      assert.strictEqual((yield* ipam.allocate("new")).address, "10.0.0.3")
      assert.strictEqual((yield* Effect.flip(ipam.reserve("other", "10.0.0.2")))._tag, "AddressInUse")
      assert.strictEqual((yield* Effect.flip(ipam.reserve("running", "10.0.0.4")))._tag, "OwnerHasLease")
      assert.strictEqual((yield* Effect.flip(ipam.reserve("other", "10.0.0.1")))._tag, "AddressOutsidePool")
      assert.strictEqual((yield* Effect.flip(ipam.reserve("other", "10.0.1.4")))._tag, "AddressOutsidePool")
    }).pipe(Effect.provide(Ipam.layerMemory({ cidr: "10.0.0.0/29" }))))

  it.effect.prop("behaves like a table of owners, whatever is asked for", [fc.array(action, { maxLength: 60 })], ([actions]) =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      const model = new Map<string, string>()
      for (const step of actions) {
        const taken = new Set(model.values())
        if (step.kind === "reserve") {
          const lease = yield* Effect.option(ipam.reserve(step.owner, step.address))
          const last = Number(step.address.slice(7))
          const possible = last >= 2 && last <= 6 &&
            (model.get(step.owner) === step.address || (!model.has(step.owner) && !taken.has(step.address)))
          assert.strictEqual(Option.isSome(lease), possible)
          if (possible) model.set(step.owner, step.address)
        } else if (step.kind === "release") {
          yield* ipam.release(step.owner)
          model.delete(step.owner)
        } else {
          const lease = yield* Effect.option(ipam.allocate(step.owner))
          const held = model.get(step.owner)
          if (held !== undefined) {
            assert.strictEqual(Option.getOrThrow(lease).address, held)
          } else if (taken.size === 5) {
            assert.isTrue(Option.isNone(lease))
          } else {
            const { address } = Option.getOrThrow(lease)
            assert.isFalse(taken.has(address))
            model.set(step.owner, address)
          }
        }
      }
      const leases = (yield* ipam.list).map((lease) => [lease.owner, lease.address] as const)
      assert.deepStrictEqual(new Map(leases), model)
    }).pipe(Effect.provide(Ipam.layerMemory({ cidr: "10.0.0.0/29" }))))
})
