import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Ipam } from "@reddwarf/ipam"
import { Console, Effect, Layer } from "effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const program = Effect.gen(function*() {
  const ipam = yield* Ipam.Ipam
  // A zone that runs already keeps its address.
  yield* ipam.reserve("pod-uid-0", "10.88.0.2")
  const lease = yield* ipam.allocate("pod-uid-1")
  yield* Console.log(`${lease.owner}: ${lease.address}/${lease.prefixLength} via ${lease.gateway}`)
  yield* ipam.release("pod-uid-1")
  // The released address waits until all others had their turn.
  const next = yield* ipam.allocate("pod-uid-2")
  yield* Console.log(`${next.owner}: ${next.address}/${next.prefixLength} via ${next.gateway}`)
})

const path = join(mkdtempSync(join(tmpdir(), "ipam-")), "leases.json")

const leases = Ipam.layerFile({ cidr: "10.88.0.0/16", path }).pipe(Layer.provide(NodeFileSystem.layer))

await program.pipe(Effect.provide(leases), Effect.runPromise)
