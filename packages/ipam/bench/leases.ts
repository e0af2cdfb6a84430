/** Prints what a lease costs, on the disk of a folder: `pnpm --filter @reddwarf/ipam bench [COUNT] [FOLDER]`. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Ipam, type IpamError } from "@reddwarf/ipam"
import { Console, Effect, Layer } from "effect"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const count = Number(process.argv[2] ?? 65_536)
const folder = mkdtempSync(join(process.argv[3] ?? tmpdir(), "ipam-bench-"))
const owners = Array.from({ length: count }, (_, index) => `5f2c0e8a-0000-4000-8000-${String(index).padStart(12, "0")}`)
const pool = { cidr: "10.64.0.0/14" }

type Service = Ipam.Ipam["Type"]
type Work = (owners: ReadonlyArray<string>) => Effect.Effect<unknown, IpamError.AddressPoolExhausted | IpamError.LeaseStorageFailed>
type Pool = Layer.Layer<Ipam.Ipam, IpamError.InvalidPool | IpamError.LeaseFileCorrupt | IpamError.LeaseStorageFailed>

/** Microseconds for each of eight equal parts of the work: a cost that grows with the number of leases shows here. */
const inParts = (work: Work) =>
  Effect.gen(function*() {
    const size = Math.ceil(count / 8)
    const parts: Array<number> = []
    for (let from = 0; from < count; from += size) {
      const part = owners.slice(from, from + size)
      const start = performance.now()
      yield* work(part)
      parts.push((performance.now() - start) * 1000 / part.length)
    }
    return parts
  })

const measure = (name: string, layer: Pool, work: (ipam: Service) => Work) =>
  Effect.gen(function*() {
    const ipam = yield* Ipam.Ipam
    const start = performance.now()
    const parts = yield* inParts(work(ipam))
    const total = performance.now() - start
    yield* Console.log(`${name.padEnd(44)} ${total.toFixed(0).padStart(6)} ms   µs each, by eighths: ${parts.map((part) => part.toFixed(1)).join(" ")}`)
  }).pipe(Effect.provide(layer))

const file = (name: string) => Ipam.layerFile({ ...pool, path: join(folder, name) }).pipe(Layer.provide(NodeFileSystem.layer))

const program = Effect.gen(function*() {
  yield* Console.log(`${count} leases of ${pool.cidr}, Node ${process.version}`)
  const one = (ipam: Service) => (part: ReadonlyArray<string>) => Effect.forEach(part, ipam.allocate, { discard: true })
  yield* measure("memory, one after the other", Ipam.layerMemory(pool), one)
  yield* measure("memory, both families", Ipam.layerMemory({ pools: [pool, { cidr: "fd00:1::/64" }] }), one)
  yield* measure("file, one transaction per eighth", file("all"), (ipam) => ipam.allocateAll)
  yield* measure("file, 1000 callers at a time", file("many"), (ipam) => (part) => Effect.forEach(part, ipam.allocate, { discard: true, concurrency: 1000 }))
  yield* measure("file, everybody at once", file("every"), (ipam) => (part) => Effect.forEach(part, ipam.allocate, { discard: true, concurrency: "unbounded" }))
  const start = performance.now()
  yield* Effect.provide(Effect.flatMap(Ipam.Ipam, ({ list }) => list), file("many"))
  yield* Console.log(`reading the file back${" ".repeat(23)} ${(performance.now() - start).toFixed(0).padStart(6)} ms   ${statSync(join(folder, "many")).size} bytes`)
})

await Effect.runPromise(program)
rmSync(folder, { recursive: true })
