import { parseArgs } from "node:util"
import { beside, table } from "./Beside.ts"
import { type Case, cases } from "./Cases.ts"
import type { Result } from "./Load.ts"
import { prepare, tidy } from "./Pods.ts"
import { main as scheduler } from "./scheduler/main.ts"
import { external, type Server, start } from "./Server.ts"

const USAGE = `usage: pnpm bench [CASE...] [--json] [--scale N] [--port N] [--kubeconfig FILE [--server URL] [--beside [--rounds N]]]
       pnpm bench scheduler [CASE...]   (see pnpm bench scheduler --help)

Measures an API server over TLS and prints one row for each case. Without --kubeconfig it starts reddwarf-server on a
temporary data directory, on loopback; with it, the same load goes to the server of the file's current context, and
cases that start servers of their own are left out. Its objects are made in namespaces whose names begin with "bench".

  --json             the results as JSON instead of a table
  --scale N          sizes and counts times N; 0.05 is a minute
  --port N           port of the server that is started (default 16443); the next one is used too
  --kubeconfig FILE  measure another server
  --server URL       at this address instead of the one in the file
  --beside           measure reddwarf-server and that server in turn, case by case, and compare the medians
  --rounds N         so many times (default 3)

REDDWARF_SERVER names another build of the server to start.

Cases: ${cases(1).map((entry) => entry.name).join(" ")}
`

if (process.argv[2] === "scheduler") {
  await scheduler(process.argv.slice(3)).catch((error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
  process.exit()
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    scale: { type: "string", default: "1" },
    port: { type: "string", default: "16443" },
    kubeconfig: { type: "string" },
    server: { type: "string" },
    beside: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    help: { type: "boolean", default: false }
  }
})

const all = cases(Number(values.scale))
const unknown = positionals.filter((name) => !all.some((entry) => entry.name === name))
const chosen = all.filter((entry) => positionals.length === 0 || positionals.includes(entry.name))
const rounds = Number(values.rounds)
const isElsewhere = values.kubeconfig !== undefined
if (values.help || unknown.length > 0 || !(Number(values.scale) > 0) || !(Number.isInteger(rounds) && rounds > 0) || (!isElsewhere && (values.server !== undefined || values.beside))) {
  process.stderr.write(unknown.length === 0 ? USAGE : `there is no case ${unknown.join(", ")}\n\n${USAGE}`)
  process.exit(values.help ? 0 : 2)
}

const number = (value: number | undefined, digits: number): string => value === undefined || Number.isNaN(value) ? "-" : value.toFixed(digits)
const columns = (name: string, cells: ReadonlyArray<string>, note: string): string =>
  `${name.padEnd(46)}${cells.map((cell) => cell.padStart(9)).join("")}  ${note}`.trimEnd()
const header = columns("case", ["per s", "p50 ms", "p90 ms", "p99 ms", "cpu ms", "load ms", "RSS MB"], "")
const row = (result: Result): string =>
  columns(result.name, [
    number(result.perSecond, result.perSecond < 100 ? 1 : 0),
    number(result.p50, 2),
    number(result.p90, 2),
    number(result.p99, 2),
    number(result.serverCpuMillis, 3),
    number(result.generatorCpuMillis, 3),
    number(result.residentMegabytes, 0)
  ], result.note ?? "")

const results: Array<Result> = []
const show = (measured: ReadonlyArray<Result>): void => {
  results.push(...measured)
  if (!values.json) for (const result of measured) process.stdout.write(`${row(result)}\n`)
}

type Shared = Extract<Case, { on: unknown }>
const isShared = (entry: Case): entry is Shared => "on" in entry

const port = Number(values.port)

const runShared = async (entries: ReadonlyArray<Shared>): Promise<void> => {
  if (entries.length === 0) return
  const isOurs = values.kubeconfig === undefined
  const server: Server = values.kubeconfig === undefined ? await start(port) : await external(values.kubeconfig, values.server)
  try {
    await prepare(server)
    if (!isOurs) await tidy(server)
    for (const entry of entries) show([await entry.on(server)])
    if (!isOurs) await tidy(server)
  } finally {
    await server.stop()
  }
}

/** Cases that say something of one server only have no pair. */
const runBeside = async (kubeconfig: string): Promise<void> => {
  const entries = chosen.filter(isShared).filter(({ name }) => !["start", "memory-idle", "memory-10000", "memory-30000"].includes(name))
  const pairs = await beside(entries, port, { kubeconfig, url: values.server }, rounds, (result, server) => {
    show([{ ...result, note: [server, result.note].filter((part) => part !== undefined).join(", ") }])
  })
  if (!values.json) process.stdout.write(`\n${table(pairs)}\n`)
}

const runAll = async (): Promise<void> => {
  if (!values.json) process.stdout.write(`${header}\n`)
  if (values.beside && values.kubeconfig !== undefined) return await runBeside(values.kubeconfig)
  await runShared(chosen.filter(isShared))
  for (const entry of chosen) {
    if (isShared(entry)) continue
    if (values.kubeconfig === undefined) show(await entry.alone(port))
    else process.stderr.write(`${entry.name} is left out: it starts servers of its own\n`)
  }
}

try {
  await runAll()
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
if (values.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
