/** Closed-loop load: `concurrency` connections, each sending its next request when the last one was answered. */
import { RawConnection } from "./RawClient.ts"
import { type Server, usage } from "./Server.ts"

export interface Result {
  readonly name: string
  readonly operations: number
  readonly perSecond: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  /** CPU milliseconds of the server for one operation. */
  readonly serverCpuMillis: number | undefined
  readonly residentMegabytes: number | undefined
}

export const percentile = (sorted: ReadonlyArray<number>, share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

/** Runs `operation` `count` times over `concurrency` connections; the operation gets its running number. */
export const run = async (
  server: Server,
  options: { readonly name: string; readonly concurrency: number; readonly count: number; readonly operation: (connection: RawConnection, n: number) => Promise<void> }
): Promise<Result> => {
  const connections = await Promise.all(Array.from({ length: options.concurrency }, () => RawConnection.open(server.target)))
  const latencies: Array<number> = []
  let next = 0
  const before = usage(server.pid)
  const began = performance.now()
  await Promise.all(connections.map(async (connection) => {
    while (next < options.count) {
      const n = next++
      const at = performance.now()
      await options.operation(connection, n)
      latencies.push(performance.now() - at)
    }
  }))
  const seconds = (performance.now() - began) / 1000
  const after = usage(server.pid)
  for (const connection of connections) connection.close()
  return result(options.name, latencies, seconds, before === undefined || after === undefined ? undefined : after.cpuSeconds - before.cpuSeconds, after?.residentBytes)
}

export const result = (name: string, latencies: ReadonlyArray<number>, seconds: number, cpuSeconds: number | undefined, residentBytes: number | undefined): Result => {
  const sorted = latencies.toSorted((a, b) => a - b)
  return {
    name,
    operations: sorted.length,
    perSecond: sorted.length / seconds,
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    serverCpuMillis: cpuSeconds === undefined ? undefined : (cpuSeconds * 1000) / sorted.length,
    residentMegabytes: residentBytes === undefined ? undefined : residentBytes / 1e6
  }
}
