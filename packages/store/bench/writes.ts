/**
 * Prints what writes cost `layerSqlite`: durable ones alone and with company, creates beside many other objects, and what the
 * replaced versions cost later. Run: `pnpm --filter @reddwarf/store bench`.
 */
import { ObjectStore } from "@reddwarf/store"
import { Console, Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

const encoder = new TextEncoder()
const filler = Array.from({ length: 150 }, (_, i) => `value ${i}`).join(",").slice(0, 1750)
const bytes = encoder.encode(JSON.stringify({ metadata: { name: "pod" }, fill: "x".repeat(1810) }))

const percentile = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

/** Bytes that this process has had written to the disk, where the system counts them. */
const diskBytes = (): number => {
  const counters = NodeFs.existsSync("/proc/self/io") ? NodeFs.readFileSync("/proc/self/io", "utf8") : ""
  return Number(/^write_bytes: (\d+)/m.exec(counters)?.[1] ?? NaN)
}

const cpuMicros = (): number => {
  const { system, user } = process.cpuUsage()
  return user + system
}

/** `write` is called again and again by as many writers as `concurrency`, each with its own number. */
const measure = <E>(name: string, concurrency: number, seconds: number, write: (writer: number, turn: number) => Effect.Effect<unknown, E>) =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const now = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
    const latencies: Array<number> = []
    const started = now()
    const end = started + seconds * 1000
    const cpu = cpuMicros()
    const disk = diskBytes()
    yield* Effect.forEach(
      Array.from({ length: concurrency }, (_, i) => i),
      (writer) =>
        Effect.gen(function*() {
          for (let turn = 0; now() < end; turn++) {
            const before = now()
            yield* write(writer, turn)
            latencies.push(now() - before)
          }
        }),
      { concurrency, discard: true }
    )
    const elapsed = (now() - started) / 1000
    latencies.sort((a, b) => a - b)
    const count = latencies.length
    yield* Console.log(
      `${name.padEnd(36)} ${(count / elapsed).toFixed(0).padStart(7)}/s` +
        `  p50 ${percentile(latencies, 0.5).toFixed(2)} ms  p99 ${percentile(latencies, 0.99).toFixed(2)} ms` +
        `  CPU ${((cpuMicros() - cpu) / count).toFixed(1)} µs  disk ${((diskBytes() - disk) / count / 1024).toFixed(1)} KiB each`
    )
  })

const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reddwarf-store-bench-"))
const seconds = Number(process.argv[2] ?? 2)

const updates = (concurrency: number) =>
  Effect.gen(function*() {
    const store = yield* ObjectStore.ObjectStore
    const revisions = new Map<number, number>()
    for (let writer = 0; writer < concurrency; writer++) {
      revisions.set(writer, (yield* store.create(`/core/pods/default/${concurrency}-${writer}`, () => ({ bytes }))).revision)
    }
    yield* measure(`update, concurrency ${concurrency}`, concurrency, seconds, (writer) =>
      Effect.map(
        store.update(`/core/pods/default/${concurrency}-${writer}`, revisions.get(writer) ?? 0, () => ({ bytes }), {
          origin: { at: 1_750_000_000_000, user: "system:node:node-1", verb: "patch", manager: "reddwarf-agent" }
        }),
        ({ revision }) => revisions.set(writer, revision)
      ))
  })

const creates = (name: string) =>
  Effect.gen(function*() {
    const store = yield* ObjectStore.ObjectStore
    yield* measure(`create, concurrency 64, ${name}`, 64, seconds, (writer, turn) =>
      store.create(`/core/pods/ns-${writer}/${name}-${(turn * 7919) % 1_000_003}-${turn}`, () => ({ bytes })))
  })

const many = Effect.gen(function*() {
  const store = yield* ObjectStore.ObjectStore
  yield* Effect.forEach(Array.from({ length: 100_000 }, (_, i) => i), (i) => store.create(`/core/pods/many/${i}`, () => ({ bytes })), {
    concurrency: 512,
    discard: true
  })
})

/** What the versions cost that updates have replaced, when they become history. */
const compaction = (objects: number, versions: number) =>
  Effect.gen(function*() {
    const store = yield* ObjectStore.ObjectStore
    const origin = { at: 1_750_000_000_000, user: "system:node:node-1", verb: "patch", manager: "reddwarf-agent" }
    const encode: ObjectStore.Encode = (revision) => ({
      bytes: encoder.encode(JSON.stringify({ metadata: { name: "pod", resourceVersion: String(revision) }, fill: filler, status: { seen: revision } }))
    })
    yield* Effect.forEach(Array.from({ length: objects }, (_, i) => i), (i) =>
      Effect.gen(function*() {
        let { revision } = yield* store.create(`/core/pods/history-${versions}/${i}`, encode, { origin })
        for (let j = 0; j < versions; j++) ({ revision } = yield* store.update(`/core/pods/history-${versions}/${i}`, revision, encode, { origin }))
      }), { concurrency: 64, discard: true })
    const cpu = cpuMicros()
    const dropped = yield* store.compact(yield* store.revision)
    yield* Console.log(`compaction, ${versions} former versions each`.padEnd(36) + `  CPU ${((cpuMicros() - cpu) / dropped).toFixed(1)} µs for each of ${dropped}`)
  })

const program = Effect.gen(function*() {
  yield* Console.log(`object of ${bytes.length} bytes, ${seconds} s each`)
  for (const concurrency of [1, 8, 64, 512]) yield* updates(concurrency)
  yield* creates("few others")
  yield* Effect.flatMap(ObjectStore.ObjectStore, (store) => Effect.flatMap(store.revision, store.compact))
  for (const versions of [1, 5]) yield* compaction(5000, versions)
  yield* many
  yield* creates("100,000 others")
})

await Effect.runPromise(
  program.pipe(
    Effect.provide(ObjectStore.layerSqlite({ path: NodePath.join(directory, "store.db"), writeBehind: { prefixes: ["/leases/"] } })),
    Effect.ensuring(Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
  )
)
