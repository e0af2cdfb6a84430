/** Closed-loop load: `concurrency` connections, each sending its next request when the last one was answered. */
import { RawConnection } from "./RawClient.ts"
import { type Server, usage } from "./Server.ts"

/** What one case came to. */
export interface Result {
  readonly name: string
  readonly operations: number
  readonly perSecond: number
  /** Milliseconds from sending a request to the end of its answer, or to the arrival of an event; not a number without latencies. */
  readonly p50: number
  readonly p90: number
  readonly p99: number
  /** CPU milliseconds of the server for one operation. */
  readonly serverCpuMillis: number | undefined
  /** CPU milliseconds of this program for one operation. */
  readonly generatorCpuMillis: number | undefined
  readonly residentMegabytes: number | undefined
  /** What else was seen. */
  readonly note?: string
}

/** What one case is. */
export interface Load {
  readonly name: string
  readonly concurrency: number
  /** Operations that are measured; fewer where they would take longer than `maxSeconds`. */
  readonly count: number
  readonly operation: (connection: RawConnection, n: number) => Promise<void>
  /** Operations before the measured ones, over the same connections, in which the engines on both sides compile what is used. */
  readonly warmUp: { readonly count: number; readonly operation: (connection: RawConnection, n: number) => Promise<void> }
}

const maxSeconds = 60

/** The value below which a share of the sorted ones lie. */
export const percentile = (sorted: ReadonlyArray<number>, share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

/** The time and memory that a measured stretch takes, of the server and of this program. */
export interface Meter {
  /** The result for `operations` between the start of this meter and now; `latencies` in milliseconds. */
  readonly result: (name: string, operations: number, latencies: ReadonlyArray<number>, note?: string) => Result
  readonly seconds: () => number
}

/** Starts measuring. */
export const meter = (server: Server): Meter => {
  const before = usage(server.pid)
  const own = process.cpuUsage()
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  return {
    seconds,
    result: (name, operations, latencies, note) => {
      const took = seconds()
      const after = usage(server.pid)
      const { system, user } = process.cpuUsage(own)
      const sorted = latencies.toSorted((a, b) => a - b)
      return {
        name,
        operations,
        perSecond: operations / took,
        p50: percentile(sorted, 0.5),
        p90: percentile(sorted, 0.9),
        p99: percentile(sorted, 0.99),
        serverCpuMillis: before === undefined || after === undefined || operations === 0 ? undefined : (after.cpuSeconds - before.cpuSeconds) * 1000 / operations,
        generatorCpuMillis: operations === 0 ? undefined : (user + system) / 1000 / operations,
        residentMegabytes: after === undefined ? undefined : after.residentBytes / 1e6,
        ...(note === undefined ? {} : { note })
      }
    }
  }
}

/** A result that was not measured as a stretch of operations. */
export const single = (server: Server, name: string, millis: number | undefined, note?: string): Result => {
  const resident = usage(server.pid)?.residentBytes
  const value = millis ?? Number.NaN
  return {
    name,
    operations: 0,
    perSecond: Number.NaN,
    p50: value,
    p90: value,
    p99: value,
    serverCpuMillis: undefined,
    generatorCpuMillis: undefined,
    residentMegabytes: resident === undefined ? undefined : resident / 1e6,
    ...(note === undefined ? {} : { note })
  }
}

const closedLoop = async (connections: ReadonlyArray<RawConnection>, count: number, operation: Load["operation"], latencies: Array<number> | undefined): Promise<number> => {
  let next = 0
  const end = performance.now() + maxSeconds * 1000
  await Promise.all(connections.map(async (connection) => {
    while (next < count) {
      const at = performance.now()
      if (at > end) break
      await operation(connection, next++)
      latencies?.push(performance.now() - at)
    }
  }))
  return next
}

/** Warms up, then measures. */
export const run = async (server: Server, load: Load): Promise<Result> => {
  const connections = await Promise.all(Array.from({ length: load.concurrency }, () => RawConnection.open(server.target)))
  try {
    await closedLoop(connections, load.warmUp.count, load.warmUp.operation, undefined)
    const latencies: Array<number> = []
    const measured = meter(server)
    const done = await closedLoop(connections, load.count, load.operation, latencies)
    return measured.result(load.name, done, latencies, done < load.count ? `stopped after ${String(maxSeconds)} s` : undefined)
  } finally {
    for (const connection of connections) connection.close()
  }
}
