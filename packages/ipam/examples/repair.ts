import { Ipam } from "@reddwarf/ipam"
import { Console, Effect } from "effect"

const program = Effect.gen(function*() {
  const ipam = yield* Ipam.Ipam
  yield* ipam.allocateAll(["web", "worker", "deleted"])
  // What the links of the host say, after somebody restored an old copy of the leases.
  const report = yield* ipam.repair({
    inUse: [
      { owner: "web", address: "10.88.0.21/16" },
      { owner: "database", address: "10.88.0.40/16" },
      { owner: "database", address: "fd00:88::40/64" }
    ],
    owners: ["web", "worker", "database"]
  })
  yield* Console.log(JSON.stringify(report))
  for (const { addresses, owner } of yield* ipam.list) {
    yield* Console.log(`${owner}: ${addresses.map(({ address, gateway, prefixLength }) => `${address}/${prefixLength} via ${gateway}`).join(", ")}`)
  }
})

const pools = Ipam.layerMemory({
  pools: [
    { cidr: "10.88.0.0/16", reserved: ["10.88.0.2-10.88.0.20"] },
    { cidr: "fd00:88::/64" }
  ],
  reuse: "lowest"
})

await program.pipe(Effect.provide(pools), Effect.runPromise)
