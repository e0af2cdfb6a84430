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
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Chart from "./year/chart.ts"
import * as Cluster from "./year/cluster.ts"
import * as SimulatedClock from "./year/simulatedClock.ts"

const usage = `usage: node tooling/bench/src/year.ts [--days 365] [--nodes 100] [--pods 3000] [--rollouts 10] [--step 1800] [--report SECONDS]
                                       [--limit 7200] [--samples 120] [--csv FILE] [--svg FILE]

  --rollouts  deployments of 30 pods that are replaced each day
  --step      simulated seconds between two heartbeats of a node; between them nothing happens
  --report    simulated seconds between two reports of a node's status: 300, or the step if that is longer
  --limit     ends after so many real seconds, wherever it is
  --samples   how many times everything is measured, beside eight times on the first day

A month of heartbeats as they really come: --days 30 --step 10
`

const { values } = parseArgs({
  options: {
    days: { type: "string", default: "365" },
    nodes: { type: "string", default: "100" },
    pods: { type: "string", default: "3000" },
    rollouts: { type: "string", default: "10" },
    step: { type: "string", default: "1800" },
    report: { type: "string" },
    limit: { type: "string", default: "7200" },
    samples: { type: "string", default: "120" },
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
  step: Number(values.step),
  report: Number(values.report ?? Math.max(300, Number(values.step)))
}
const samples = Number(values.samples)
if (![days, limit, samples, size.nodes, size.pods, size.step, size.report].every((value) => value > 0) || !(size.rollouts >= 0)) {
  process.stderr.write(usage)
  process.exit(2)
}

const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reddwarf-year-"))
const path = NodePath.join(directory, "store.db")
const simulated = SimulatedClock.make(Date.UTC(2026, 0, 1))

interface Sample {
  readonly day: number
  readonly databaseMegabytes: number
  readonly logMegabytes: number
  readonly residentMegabytes: number
  /** What is in use after everything else was collected. */
  readonly heapMegabytes: number
  readonly listMillis: number
  readonly writeP50Millis: number
  readonly writeP99Millis: number
  readonly heartbeatP50Millis: number
  readonly heartbeatP99Millis: number
  readonly writes: number
  readonly revision: number
}

// Only what is left after a collection tells what grows.
setFlagsFromString("--expose-gc")
const collect: unknown = runInNewContext("gc")

const megabytes = (bytes: number): number => bytes / 1024 / 1024
const fileSize = (file: string): number => NodeFs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
const at = (sorted: ReadonlyArray<number>, part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

/** When everything is measured next: evenly, and more often on the first day, after which nothing should grow. */
const nextMoment = (day: number): number => {
  const even = (Math.floor(day / days * samples + 1e-6) + 1) * days / samples
  const early = (Math.floor(day * 8 + 1e-6) + 1) / 8
  return early <= 1 ? Math.min(even, early) : even
}

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
      const { durable, heartbeats, writes } = cluster.takeLatencies()
      if (typeof collect === "function") collect()
      const memory = process.memoryUsage()
      taken.push({
        day,
        databaseMegabytes: megabytes(fileSize(path)),
        logMegabytes: megabytes(fileSize(`${path}-wal`)),
        residentMegabytes: megabytes(memory.rss),
        heapMegabytes: megabytes(memory.heapUsed),
        listMillis: at(lists, 0.5),
        writeP50Millis: at(durable, 0.5),
        writeP99Millis: at(durable, 0.99),
        heartbeatP50Millis: at(heartbeats, 0.5),
        heartbeatP99Millis: at(heartbeats, 0.99),
        writes,
        revision: yield* store.revision
      })
    })

  yield* cluster.setup
  yield* sample(0)
  const steps = Math.max(1, Math.round(days * 86_400 / size.step))
  let next = nextMoment(0)
  for (let i = 1; i <= steps; i++) {
    yield* simulated.advance(size.step * 1000)
    yield* cluster.step
    const day = i * size.step / 86_400
    const last = i === steps || (performance.now() - began) / 1000 > limit
    if (last || day >= next) {
      yield* sample(day)
      next = nextMoment(day)
      // What was measured so far is there to be looked at, and stays if the run is ended.
      write(taken)
    }
    if (last) break
  }
  return taken
})

const median = (values: ReadonlyArray<number>): number => at(values.toSorted((a, b) => a - b), 0.5)

/** What is drawn, and how it is called. */
const curves: ReadonlyArray<readonly [name: keyof Sample, title: string]> = [
  ["databaseMegabytes", "database, MiB"],
  ["heapMegabytes", "heap in use after a collection, MiB"],
  ["residentMegabytes", "resident memory, MiB"],
  ["listMillis", `list of ${size.pods} pods, ms`],
  ["writeP50Millis", "durable write, median, ms"],
  ["writeP99Millis", "durable write, 99 of 100, ms"],
  ["heartbeatP50Millis", "heartbeat, median, ms"],
  ["heartbeatP99Millis", "heartbeat, 99 of 100, ms"]
]

const headingOf = (taken: ReadonlyArray<Sample>): string => {
  const last = taken.at(-1)
  return `${(last?.day ?? 0).toFixed(1).replace(".0", "")} days, ${size.nodes} nodes, ${size.pods} pods, heartbeats every ${size.step} s, ${last?.writes ?? 0} writes`
}

const write = (taken: ReadonlyArray<Sample>): void => {
  const names = Object.keys(taken[0] ?? {}) as ReadonlyArray<keyof Sample>
  const rows = taken.map((one) => names.map((name) => Number(one[name].toFixed(3))).join(","))
  NodeFs.writeFileSync(values.csv, `${[names.join(","), ...rows].join("\n")}\n`)
  const drawn = curves.map(([name, title]) => ({ title, values: taken.map((one) => one[name]) }))
  NodeFs.writeFileSync(values.svg, Chart.draw(headingOf(taken), taken.map(({ day }) => day), drawn))
}

/** The medians of the second tenth of the time, when a week of history is full, and of the last one. */
const report = (taken: ReadonlyArray<Sample>): void => {
  const end = taken.at(-1)?.day ?? 0
  const within = (from: number, to: number) => taken.filter(({ day }) => day > from * end && day <= to * end)
  const early = within(0.1, 0.2)
  const late = within(0.9, 1)
  const lines = curves.map(([name, title]) => {
    const before = median(early.map((one) => one[name]))
    const after = median(late.map((one) => one[name]))
    return `  ${title.padEnd(38)} ${before.toFixed(3).padStart(10)} ${after.toFixed(3).padStart(10)}  ${(after / before * 100).toFixed(0).padStart(4)} %`
  })
  process.stdout.write(`${headingOf(taken)}, ${(performance.now() / 60_000).toFixed(1)} minutes\n  ${"median of".padEnd(38)} second tenth last tenth\n${lines.join("\n")}\n`)
}

const live = Server.layerApi().pipe(
  Layer.provideMerge(Layer.provideMerge(Compaction.layer(), ObjectStore.layerSqlite({ path, writeBehind: { prefixes: WriteBehind.prefixes } }))),
  Layer.provide(KubeletClient.layerUnavailable)
)

await Effect.runPromise(program.pipe(
  Effect.provide(live),
  Effect.scoped,
  Effect.withClock(simulated.clock),
  Effect.tap((taken) => Effect.sync(() => report(taken))),
  Effect.ensuring(Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
))
