import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import * as AddressPool from "../src/AddressPool.js"
import * as Ipam from "../src/Ipam.js"
import { LeaseTable } from "../src/internal/leaseTable.js"
import { steppedBy } from "./support.js"

describe("cost", () => {
  it.each(["delayed", "lowest"] as const)("an allocation looks at no more words when 65,536 are leased than when none is (%s)", (reuse) => {
    const pool = Either.getOrThrow(AddressPool.make({ cidr: "10.0.0.0/15", reserved: ["10.0.3.0/24", "10.0.9.0/24"] }))
    const table = new LeaseTable([pool], reuse)
    const [state] = table.states
    assert.isDefined(state)
    let most = 0
    const step = (index: number) => {
      const before = state.taken.looks
      const next = table.next(4)
      assert.isDefined(next)
      table.advance(next)
      table.take(`pod-${index}`, next)
      most = Math.max(most, state.taken.looks - before)
    }
    for (let index = 0; index < 65_536; index++) step(index)
    // Holes everywhere, and a search that begins behind them.
    for (let index = 0; index < 65_536; index += 7) table.give(`pod-${index}`)
    for (let index = 0; index < 65_536; index += 7) step(index)
    // Two passes over the levels of the set, for each of the reserved ranges too.
    assert.isAtMost(most, 40)
  })

  it.scoped("storing a lease writes as much when thousands are stored as when none is", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const directory = yield* fileSystem.makeTempDirectoryScoped()
      let bytes = 0
      const counting = steppedBy((step, effect, written) => {
        if (step === "write") bytes += written?.byteLength ?? 0
        return effect
      })
      const perLease: Array<number> = []
      yield* Effect.gen(function*() {
        const ipam = yield* Ipam.Ipam
        let before = 0
        for (const total of [1000, 2000, 4000]) {
          const start = bytes
          for (let index = before; index < total; index++) yield* ipam.allocate(`5f2c0e8a-0000-4000-8000-${String(index).padStart(12, "0")}`)
          perLease.push((bytes - start) / (total - before))
          before = total
        }
      }).pipe(Effect.provide(Layer.provide(Ipam.layerFile({ cidr: "10.0.0.0/16", path: `${directory}/leases` }), counting)))
      // A line of a transaction has 170 bytes; checkpoints double that at most.
      for (const size of perLease) assert.isBelow(size, 400)
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
