/** Prints durable writes per second of `layerSqlite`, alone and with company. Run: `pnpm --filter @reddwarf/store bench`. */
import { ObjectStore } from "@reddwarf/store"
import { Console, Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

const bytes = new TextEncoder().encode(JSON.stringify({ metadata: { name: "pod" }, fill: "x".repeat(1810) }))

const percentile = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

const measure = (concurrency: number, seconds: number) =>
  Effect.gen(function*() {
    const store = yield* ObjectStore.ObjectStore
    const clock = yield* Effect.clock
    const now = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
    const latencies: Array<number> = []
    const started = now()
    const end = started + seconds * 1000
    yield* Effect.forEach(
      Array.from({ length: concurrency }, (_, i) => i),
      (writer) =>
        Effect.gen(function*() {
          const key = `/core/pods/default/${concurrency}-${writer}`
          let version = yield* store.create(key, () => ({ bytes }))
          while (now() < end) {
            const before = now()
            version = yield* store.update(key, version.revision, () => ({ bytes }))
            latencies.push(now() - before)
          }
        }),
      { concurrency, discard: true }
    )
    const elapsed = (now() - started) / 1000
    latencies.sort((a, b) => a - b)
    yield* Console.log(
      `concurrency ${String(concurrency).padStart(4)}: ${(latencies.length / elapsed).toFixed(0).padStart(7)} writes/s` +
        `  p50 ${percentile(latencies, 0.5).toFixed(2)} ms  p99 ${percentile(latencies, 0.99).toFixed(2)} ms`
    )
  })

const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reddwarf-store-bench-"))
const seconds = Number(process.argv[2] ?? 2)

const program = Effect.gen(function*() {
  yield* Console.log(`object of ${bytes.length} bytes, ${seconds} s each`)
  for (const concurrency of [1, 8, 64, 512]) yield* measure(concurrency, seconds)
})

await Effect.runPromise(
  program.pipe(
    Effect.provide(ObjectStore.layerSqlite({ path: NodePath.join(directory, "store.db") })),
    Effect.ensuring(Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
  )
)
