/** The case of many probes: what they cost the one who probes, and how late they are. */
import { spawn } from "node:child_process"
import { createServer as createHttpServer } from "node:http"
import { createServer, type Server } from "node:net"
import { fileURLToPath } from "node:url"
import { percentile, type Result } from "./Load.ts"
import type { Probing } from "./probing.ts"

const prober = fileURLToPath(new URL("probing.ts", import.meta.url))

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 4096, () => resolve()))
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

const measure = async (kind: "http" | "tcp", count: number, seconds: number): Promise<Probing> => {
  const server = kind === "http" ? createHttpServer((_, response) => response.end("ok")) : createServer((socket) => void socket.on("error", () => undefined).resume())
  const port = await listening(server)
  try {
    const child = spawn(process.execPath, [prober, kind, String(port), String(count), String(seconds)], { stdio: ["ignore", "pipe", "inherit"] })
    let text = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => { text += chunk })
    const code = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve))
    if (code !== 0) throw new Error(`the prober ended with ${String(code)}`)
    return JSON.parse(text) as Probing
  } finally {
    server.close()
  }
}

const resultOf = (name: string, { attempts, cpuMillis, failures, late, residentMegabytes, seconds }: Probing): Result => {
  const sorted = late.toSorted((a, b) => a - b)
  return {
    name,
    operations: attempts,
    perSecond: attempts / seconds,
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    serverCpuMillis: cpuMillis / Math.max(1, attempts),
    generatorCpuMillis: undefined,
    residentMegabytes,
    note: `${(cpuMillis / seconds / 10).toFixed(1)} % of a core, ${String(failures)} failed`
  }
}

/** So many probes with a period of one second, over HTTP and as mere connections, for so many seconds. Latencies are how late attempts began. */
export const probes = (count: number, seconds: number) => async (): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  for (const kind of ["http", "tcp"] as const) results.push(resultOf(`${String(count)} ${kind} probes at 1 s`, await measure(kind, count, seconds)))
  return results
}
