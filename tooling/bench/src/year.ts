/**
 * A simulated year of a cluster against the real API and store, to see what grows: writes the size of the database, memory, list time and
 * write latency as CSV and as a picture. `node tooling/bench/src/year.ts --help` tells the options; small values make it a test of seconds.
 */
import { KubeletClient, Server, WriteBehind } from "@reddwarf/apiserver"
import { Compaction, ObjectStore } from "@reddwarf/store"
import { Effect, Layer } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { parseArgs } from "node:util"
import * as Chart from "./year/chart.ts"
import * as Cluster from "./year/cluster.ts"
import * as SimulatedClock from "./year/simulatedClock.ts"

const usage = `usage: node tooling/bench/src/year.ts [--days 365] [--nodes 100] [--pods 3000] [--rollouts 10] [--step 1800] [--limit SECONDS] [--csv FILE] [--svg FILE]

  --rollouts  deployments of 30 pods that are replaced each day
  --step      simulated seconds between two heartbeats of a node; between them nothing happens
  --limit     ends after so many real seconds, wherever it is
`

const { values } = parseArgs({
  options: {
    days: { type: "string", default: "365" },
    nodes: { type: "string", default: "100" },
    pods: { type: "string", default: "3000" },
    rollouts: { type: "string", default: "10" },
    step: { type: "string", default: "1800" },
    limit: { type: "string", default: "7200" },
    csv: { type: "string", default: "year.csv" },
    svg: { type: "string", default: "year.svg" },
    help: { type: "boolean", default: false }
  }
})
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const days = Number(values.days)
const limit = Number(values.limit)
const size: Cluster.Size = {
  nodes: Number(values.nodes),
  pods: Number(values.pods),
  rollouts: Number(values.rollouts),
  step: Number(values.step)
}
if (![days, limit, size.nodes, size.pods, size.step].every((value) => value > 0) || !(size.rollouts >= 0)) {
  process.stderr.write(usage)
  process.exit(2)
}

const samples = 100
const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reddwarf-year-"))
const path = NodePath.join(directory, "store.db")
const simulated = SimulatedClock.make(Date.UTC(2026, 0, 1))

interface Sample {
  readonly day: number
  readonly databaseMegabytes: number
  readonly logMegabytes: number
  readonly residentMegabytes: number
  readonly heapMegabytes: number
  readonly listMillis: number
  readonly writeP50Millis: number
  readonly writeP99Millis: number
  readonly writes: number
  readonly revision: number
}

const megabytes = (bytes: number): number => bytes / 1024 / 1024
const fileSize = (file: string): number => NodeFs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
const at = (sorted: ReadonlyArray<number>, part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

const program = Effect.gen(function*() {
  const cluster = yield* Cluster.make(size, () => simulated.clock.unsafeCurrentTimeMillis())
  const store = yield* ObjectStore.ObjectStore
  const taken: Array<Sample> = []
  const began = performance.now()

  const sample = (day: number) =>
    Effect.gen(function*() {
      const lists: Array<number> = []
      for (let i = 0; i < 5; i++) {
        const started = performance.now()
        yield* cluster.list
        lists.push(performance.now() - started)
      }
      lists.sort((a, b) => a - b)
      const { sorted, writes } = cluster.takeLatencies()
      const memory = process.memoryUsage()
      taken.push({
        day,
        databaseMegabytes: megabytes(fileSize(path)),
        logMegabytes: megabytes(fileSize(`${path}-wal`)),
        residentMegabytes: megabytes(memory.rss),
        heapMegabytes: megabytes(memory.heapUsed),
        listMillis: at(lists, 0.5),
        writeP50Millis: at(sorted, 0.5),
        writeP99Millis: at(sorted, 0.99),
        writes,
        revision: yield* store.revision
      })
    })

  yield* cluster.setup
  yield* sample(0)
  const steps = Math.max(1, Math.round(days * 86_400 / size.step))
  for (let i = 1; i <= steps; i++) {
    yield* simulated.advance(size.step * 1000)
    yield* cluster.step
    const last = i === steps || (performance.now() - began) / 1000 > limit
    if (last || Math.floor(i * samples / steps) > Math.floor((i - 1) * samples / steps)) yield* sample(i * size.step / 86_400)
    if (last) break
  }
  return taken
})

const write = (taken: ReadonlyArray<Sample>): void => {
  const names = Object.keys(taken[0] ?? {}) as ReadonlyArray<keyof Sample>
  const rows = taken.map((one) => names.map((name) => Number(one[name].toFixed(3))).join(","))
  NodeFs.writeFileSync(values.csv, `${[names.join(","), ...rows].join("\n")}\n`)
  const last = taken.at(-1)
  const heading = `${Math.round(last?.day ?? 0)} days, ${size.nodes} nodes, ${size.pods} pods, ${last?.writes ?? 0} writes`
  NodeFs.writeFileSync(
    values.svg,
    Chart.draw(heading, taken.map(({ day }) => day), [
      { title: "database, MiB", values: taken.map((one) => one.databaseMegabytes) },
      { title: "resident memory, MiB", values: taken.map((one) => one.residentMegabytes) },
      { title: `list of ${size.pods} pods, ms`, values: taken.map((one) => one.listMillis) },
      { title: "write, median, ms", values: taken.map((one) => one.writeP50Millis) },
      { title: "write, 99 of 100, ms", values: taken.map((one) => one.writeP99Millis) }
    ])
  )
  process.stdout.write(`${heading}: database ${last?.databaseMegabytes.toFixed(1)} MiB, memory ${last?.residentMegabytes.toFixed(0)} MiB\n`)
}

const live = Server.layerApi().pipe(
  Layer.provideMerge(Layer.provideMerge(Compaction.layer(), ObjectStore.layerSqlite({ path, writeBehind: { prefixes: WriteBehind.prefixes } }))),
  Layer.provide(KubeletClient.layerUnavailable)
)

await Effect.runPromise(program.pipe(
  Effect.provide(live),
  Effect.scoped,
  Effect.withClock(simulated.clock),
  Effect.tap((taken) => Effect.sync(() => write(taken))),
  Effect.ensuring(Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
))
