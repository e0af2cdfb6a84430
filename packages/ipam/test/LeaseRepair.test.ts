import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc } from "effect"
import * as Ipam from "../src/Ipam.js"
import type * as LeaseRepair from "../src/LeaseRepair.js"

const leased = (ipam: Ipam.Ipam["Type"]) =>
  Effect.map(ipam.list, (leases) => Object.fromEntries(leases.map(({ addresses, owner }) => [owner, addresses.map(({ address }) => address).join(" ")])))

const nothing: LeaseRepair.RepairReport = { adopted: [], moved: [], released: [], conflicts: [], outside: [] }

const pool = Ipam.layerMemory({ pools: [{ cidr: "10.0.0.0/24" }, { cidr: "fd00::/64" }] })

describe("repair", () => {
  it.effect("adopts addresses in use, moves leases to them, releases those of the dead", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      yield* ipam.allocateAll(["kept", "moved", "gone", "no link yet"])
      const view: LeaseRepair.HostView = {
        inUse: [
          { owner: "kept", address: "10.0.0.2/24" },
          { owner: "moved", address: "10.0.0.77/24" },
          // The address of somebody who is gone.
          { owner: "new", address: "10.0.0.4" },
          { owner: "new", address: "fd00:0::44/64" }
        ],
        owners: ["kept", "moved", "new", "no link yet"]
      }
      assert.deepStrictEqual(yield* ipam.repair(view), {
        ...nothing,
        adopted: [{ owner: "new", address: "10.0.0.4" }, { owner: "new", address: "fd00::44" }],
        moved: [{ owner: "moved", address: "10.0.0.77", from: "10.0.0.3" }],
        released: ["gone"]
      })
      assert.deepStrictEqual(yield* leased(ipam), {
        kept: "10.0.0.2 fd00::2",
        new: "10.0.0.4 fd00::44",
        "no link yet": "10.0.0.5 fd00::5",
        moved: "10.0.0.77 fd00::3"
      })
      assert.deepStrictEqual(yield* ipam.repair(view), nothing)
    }).pipe(Effect.provide(pool)))

  it.effect("turns leases round a circle, and says what cannot be had together", () =>
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      yield* ipam.allocateAll(["a", "b", "c", "d", "e"])
      const report = yield* ipam.repair({
        inUse: [
          { owner: "a", address: "10.0.0.3" },
          { owner: "b", address: "10.0.0.4" },
          { owner: "c", address: "10.0.0.2" },
          // Leased by e, whose link is not there yet; and f wants what d would leave.
          { owner: "d", address: "10.0.0.6" },
          { owner: "f", address: "10.0.0.5" },
          { owner: "g", address: "10.0.0.2" },
          { owner: "a", address: "10.0.0.1" },
          { owner: "a", address: "192.168.0.9" }
        ]
      })
      assert.deepStrictEqual(report, {
        adopted: [],
        moved: [
          { owner: "a", address: "10.0.0.3", from: "10.0.0.2" },
          { owner: "b", address: "10.0.0.4", from: "10.0.0.3" },
          { owner: "c", address: "10.0.0.2", from: "10.0.0.4" }
        ],
        released: [],
        conflicts: [
          { owner: "g", address: "10.0.0.2", holder: "c" },
          { owner: "d", address: "10.0.0.6", holder: "e" },
          { owner: "f", address: "10.0.0.5", holder: "d" }
        ],
        outside: [{ owner: "a", address: "10.0.0.1" }, { owner: "a", address: "192.168.0.9" }]
      })
    }).pipe(Effect.provide(pool)))

  const owner = fc.constantFrom("a", "b", "c", "d", "e", "f")
  const address = fc.integer({ min: 0, max: 11 }).map((last) => `10.0.0.${last}`)

  it.effect.prop(
    "from any leases and any host: no address twice, what is used alone is leased, a second time changes nothing",
    [fc.uniqueArray(fc.tuple(owner, address), { selector: ([owner]) => owner }), fc.array(fc.record({ owner, address })), fc.option(fc.uniqueArray(owner))],
    ([leases, inUse, owners]) =>
      Effect.gen(function*() {
        const ipam = yield* Ipam.Ipam
        for (const [owner, address] of leases) yield* Effect.ignore(ipam.reserve(owner, address))
        const view = { inUse, ...(owners === null ? {} : { owners }) }
        const report = yield* ipam.repair(view)
        const after = yield* leased(ipam)
        assert.strictEqual(new Set(Object.values(after)).size, Object.keys(after).length)
        const disputed = new Set([...report.conflicts, ...report.outside].map(({ address, owner }) => `${owner} ${address}`))
        for (const { address, owner } of inUse) {
          if (!disputed.has(`${owner} ${address}`)) assert.strictEqual(after[owner], address)
        }
        const again = yield* ipam.repair(view)
        assert.deepStrictEqual(again, { ...report, adopted: [], moved: [], released: [] })
        assert.deepStrictEqual(yield* leased(ipam), after)
      }).pipe(Effect.provide(Ipam.layerMemory({ cidr: "10.0.0.0/28" })))
  )
})
