/** `pnpm bench scheduler`: how fast pods get their nodes. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { Result } from "../Load.ts"
import type { Capacity } from "./capacityRun.ts"
import { endToEnd } from "./EndToEnd.ts"
import type { Measured } from "./libraryRun.ts"
import { workloads } from "./Workloads.ts"

const cases = [...workloads.map(({ name }) => name), "capacity", "end-to-end"]

const USAGE = `usage: pnpm bench scheduler [CASE...] [--json] [--scale N] [--runs N] [--port N]

Measures the scheduler, one case after the other, each in a process of its own, and prints the median of the runs.

  --json     the results as JSON instead of tables
  --scale N  counts of nodes and pods times N
  --runs N   how often each case runs (default 1)
  --port N   port of the server of end-to-end (default 16443)

Cases: ${cases.join(" ")}
`

const run = <A>(script: string, args: ReadonlyArray<string>): Promise<A> =>
  new Promise((resolve, reject) => {
    const argv = ["--expose-gc", "--max-old-space-size=4096", join(import.meta.dirname, script), ...args]
    execFile(process.execPath, argv, { maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
      if (error !== null) reject(new Error(`${script} ${args.join(" ")}: ${err.trim() || error.message}`))
      else resolve(JSON.parse(out) as A)
    })
  })

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

/** The same object with the median of each of its numbers. */
const medians = <A extends object>(all: ReadonlyArray<A>): A => {
  const [first] = all
  if (first === undefined) throw new Error("nothing was measured")
  const entries = Object.entries(first).map(([key, value]) => {
    const values = all.map((each) => (each as Record<string, unknown>)[key])
    if (typeof value === "number") return [key, median(values as Array<number>)]
    return [key, typeof value === "object" && value !== null ? medians(values as Array<object>) : value]
  })
  return Object.fromEntries(entries) as A
}

const repeat = async <A extends object>(runs: number, once: () => Promise<A>): Promise<A> => {
  const all: Array<A> = []
  for (let i = 0; i < runs; i++) all.push(await once())
  return medians(all)
}

const print = (cells: ReadonlyArray<string | number | undefined>): void => {
  const [name = "", ...others] = cells.map((cell) => cell === undefined || Number.isNaN(cell) ? "-" : typeof cell === "number" ? String(Math.abs(cell) < 100 ? Number(cell.toFixed(2)) : Math.round(cell)) : cell)
  process.stdout.write(`${name.padEnd(38)}${others.map((cell) => cell.padStart(12)).join("")}\n`)
}

const library = async (names: ReadonlyArray<string>, scale: number, runs: number, json: boolean): Promise<Record<string, Measured>> => {
  const all: Record<string, Measured> = {}
  const chosen = workloads.filter((each) => names.includes(each.name))
  if (!json && chosen.length > 0) print(["workload", "pods", "placing/s", "whole/s", "cpu ms", "single p50", "single p99", "k8s floor"])
  for (const { floor, name } of chosen) {
    const measured = await repeat(runs, () => run<Measured>("libraryRun.ts", [name, String(scale)]))
    all[name] = measured
    const { cpuMillisEach, perSecond, placingPerSecond, pods, singleP50, singleP99 } = measured
    if (!json) print([name, pods, placingPerSecond, perSecond, cpuMillisEach, singleP50, singleP99, floor])
  }
  return all
}

const capacity = async (scale: number, runs: number, json: boolean): Promise<Capacity> => {
  const counts = [5000, 150_000].map((count) => String(Math.max(10, Math.round(count * scale))))
  const found = await repeat(runs, () => run<Capacity>("capacityRun.ts", counts))
  if (json) return found
  print([`\n${counts[0] ?? ""} nodes, ${counts[1] ?? ""} pods: MB`, found.bytes / 1e6])
  print(["one more pod, ms", "first", "known", "fresh"])
  for (const template of Object.keys(found.known)) print([template, found.first[template], found.known[template], found.fresh[template]])
  return found
}

const overApi = async (port: number, scale: number, runs: number, json: boolean): Promise<ReadonlyArray<Result>> => {
  const n = (count: number): number => Math.max(10, Math.round(count * scale))
  const { alone, burst } = await repeat(runs, () => endToEnd(port, n(1000), n(5000)))
  const found = [burst, alone]
  if (json) return found
  print(["\nend to end, ms", "per s", "p50", "p90", "p99", "cpu ms", "RSS MB"])
  for (const each of found) print([each.name, each.perSecond, each.p50, each.p90, each.p99, each.serverCpuMillis, each.residentMegabytes])
  return found
}

/** Runs the command with what follows its name. */
export const main = async (argv: ReadonlyArray<string>): Promise<void> => {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      scale: { type: "string", default: "1" },
      runs: { type: "string", default: "1" },
      port: { type: "string", default: "16443" },
      help: { type: "boolean", default: false }
    }
  })
  const { json } = values
  const [scale, runs] = [Number(values.scale), Number(values.runs)]
  const unknown = positionals.filter((name) => !cases.includes(name))
  if (values.help || unknown.length > 0 || !(scale > 0) || !Number.isSafeInteger(runs) || runs < 1) {
    process.stderr.write(unknown.length === 0 ? USAGE : `there is no case ${unknown.join(", ")}\n\n${USAGE}`)
    process.exitCode = values.help ? 0 : 2
    return
  }
  const chosen = positionals.length === 0 ? cases : positionals
  const results = {
    workloads: await library(chosen, scale, runs, json),
    ...(chosen.includes("capacity") ? { capacity: await capacity(scale, runs, json) } : {}),
    ...(chosen.includes("end-to-end") ? { endToEnd: await overApi(Number(values.port), scale, runs, json) } : {})
  }
  if (json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
}
