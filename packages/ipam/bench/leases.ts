/** Prints what a lease costs, on the disk of a folder: `pnpm --filter @reddwarf/ipam bench [COUNT] [FOLDER]`. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Ipam, type IpamError } from "@reddwarf/ipam"
import { Console, Deferred, Effect, Layer } from "effect"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const count = Number(process.argv[2] ?? 65_536)
const folder = mkdtempSync(join(process.argv[3] ?? tmpdir(), "ipam-bench-"))
const owners = Array.from({ length: count }, (_, index) => `5f2c0e8a-0000-4000-8000-${String(index).padStart(12, "0")}`)
const pool = { cidr: "10.64.0.0/14" }

type Service = Ipam.Ipam["Type"]
type Work = (owners: ReadonlyArray<string>) => Effect.Effect<unknown, IpamError.AddressPoolExhausted | IpamError.LeaseStorageFailed>
type Pool = Layer.Layer<Ipam.Ipam, IpamError.InvalidPool | IpamError.LeaseFileCorrupt | IpamError.LeaseStorageFailed>

const cpu = () => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

/** Prints how long something took, and the CPU time of that, which tells more on a machine that does other things too. */
const timed = <A, E, R>(name: string, work: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const [start, spent] = [performance.now(), cpu()]
    const result = yield* work
    const [wall, used] = [performance.now() - start, cpu() - spent]
    yield* Console.log(`${name.padEnd(44)} ${wall.toFixed(0).padStart(6)} ms ${used.toFixed(0).padStart(6)} ms CPU`)
    return result
  })

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
    const parts = yield* timed(name, inParts(work(ipam)))
    yield* Console.log(`${" ".repeat(44)} µs each, by eighths: ${parts.map((part) => part.toFixed(1)).join(" ")}`)
  }).pipe(Effect.provide(layer))

/** All callers in one part, beside as many that wait once for one signal and do nothing else: what is left is what the leases cost. */
const everybody = Effect.gen(function*() {
  const ipam = yield* Ipam.Ipam
  yield* timed("file, all of them at once", Effect.forEach(owners, ipam.allocate, { discard: true, concurrency: "unbounded" }))
  const signal = yield* Deferred.make<void>()
  const waits = Effect.forEach(owners, () => Deferred.await(signal), { discard: true, concurrency: "unbounded" })
  const opened = Effect.zipRight(Effect.promise(() => writeFile(join(folder, "signal"), "")), Deferred.succeed(signal, undefined))
  yield* timed("as many fibers that only wait for a signal", Effect.zip(waits, opened, { concurrent: true }))
})

const file = (name: string) => Ipam.layerFile({ ...pool, path: join(folder, name) }).pipe(Layer.provide(NodeFileSystem.layer))

const program = Effect.gen(function*() {
  yield* Console.log(`${count} leases of ${pool.cidr}, Node ${process.version}`)
  const one = (ipam: Service) => (part: ReadonlyArray<string>) => Effect.forEach(part, ipam.allocate, { discard: true })
  yield* measure("memory, one after the other", Ipam.layerMemory(pool), one)
  yield* measure("memory, both families", Ipam.layerMemory({ pools: [pool, { cidr: "fd00:1::/64" }] }), one)
  yield* measure("file, one transaction per eighth", file("all"), (ipam) => ipam.allocateAll)
  yield* measure("file, 1000 callers at a time", file("many"), (ipam) => (part) => Effect.forEach(part, ipam.allocate, { discard: true, concurrency: 1000 }))
  yield* measure("file, an eighth of them at a time", file("every"), (ipam) => (part) => Effect.forEach(part, ipam.allocate, { discard: true, concurrency: "unbounded" }))
  yield* Effect.provide(everybody, file("all at once"))
  yield* timed("reading the file back", Effect.provide(Effect.flatMap(Ipam.Ipam, ({ list }) => list), file("many")))
  yield* Console.log(`the file has ${statSync(join(folder, "many")).size} bytes`)
})

await Effect.runPromise(program)
rmSync(folder, { recursive: true })
