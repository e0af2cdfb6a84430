import { parseArgs } from "node:util"
import { cases, prepare } from "./Cases.ts"
import type { Result } from "./Load.ts"
import { external, start } from "./Server.ts"

const USAGE = `usage: pnpm bench [CASE...] [--json] [--scale N] [--port N] [--kubeconfig FILE [--server URL]]

Measures an API server over TLS on loopback and prints one row for each case. Without --kubeconfig it starts
reddwarf-server on a temporary data directory. Cases: ${cases(1).map((entry) => entry.name).join(" ")}
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    scale: { type: "string", default: "1" },
    port: { type: "string", default: "16443" },
    kubeconfig: { type: "string" },
    server: { type: "string" },
    help: { type: "boolean", default: false }
  }
})

const chosen = cases(Number(values.scale)).filter((entry) => positionals.length === 0 || positionals.includes(entry.name))
if (values.help || chosen.length === 0 || !(Number(values.scale) > 0)) {
  process.stderr.write(USAGE)
  process.exit(values.help ? 0 : 2)
}

const number = (value: number | undefined, digits: number): string => value === undefined || Number.isNaN(value) ? "-" : value.toFixed(digits)
const row = (result: Result): string =>
  [
    result.name.padEnd(44),
    number(result.operations === 0 ? undefined : result.perSecond, 0).padStart(9),
    number(result.p50, 2).padStart(9),
    number(result.p90, 2).padStart(9),
    number(result.p99, 2).padStart(9),
    number(result.serverCpuMillis, 3).padStart(9),
    number(result.residentMegabytes, 0).padStart(8)
  ].join("")

const server = values.kubeconfig === undefined ? await start(Number(values.port)) : external(values.kubeconfig, values.server)
const results: Array<Result> = []
try {
  if (!values.json) process.stdout.write(`${"case".padEnd(44)}${"per s".padStart(9)}${"p50 ms".padStart(9)}${"p90 ms".padStart(9)}${"p99 ms".padStart(9)}${"cpu ms".padStart(9)}${"RSS MB".padStart(8)}\n`)
  await prepare(server)
  for (const entry of chosen) {
    const measured = await entry.run(server)
    results.push(measured)
    if (!values.json) process.stdout.write(`${row(measured)}\n`)
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
} finally {
  await server.stop()
}
