/** prstat: the table of zones. Its numbers are rounded to a few digits: a fallback where {@link Kstat} does not count something. */
import * as CommandLine from "./CommandLine.js"
import { lines } from "./internal/parsable.js"

/** One zone as prstat sums it up. @category models */
export interface ZoneSummary {
  readonly zoneId: number
  readonly zone: string
  readonly processes: number
  /** Bytes, rounded by prstat. */
  readonly swap: number
  readonly rss: number
  readonly memoryPercent: number
  /** Since its processes started, not since the last look. */
  readonly cpuPercent: number
  /** Seconds of CPU time of its living processes. */
  readonly cpuSeconds: number
}

/** One report of averages since each process started. @category constructors */
export const zones: CommandLine.CommandLine = CommandLine.make("/usr/bin/prstat", "-Z", "-c", "1", "1")

const scale: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

const bytesOf = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)([KMGT])$/.exec(text)
  return match === null ? undefined : Math.round(Number(match[1]) * (scale[match[2] ?? ""] ?? 1))
}

const secondsOf = (text: string): number | undefined => {
  const parts = text.split(":").map((part) => /^\d+$/.test(part) ? Number(part) : Number.NaN)
  return parts.length < 2 || parts.includes(Number.NaN) ? undefined : parts.reduce((sum, part) => sum * 60 + part, 0)
}

/** Reads the table below the heading `ZONEID`. What stands before it, and the line of totals, is passed over. @category combinators */
export const parseZones = (text: string): ReadonlyArray<ZoneSummary> => {
  const rows = lines(text)
  const heading = rows.findIndex((row) => /^\s*ZONEID\s+NPROC\b/.test(row))
  return heading < 0 ? [] : rows.slice(heading + 1).flatMap((row): ReadonlyArray<ZoneSummary> => {
    const [zoneId = "", processes = "", swap = "", rss = "", memory = "", time = "", cpu = "", zone = ""] = row.trim().split(/\s+/)
    const [swapBytes, rssBytes, cpuSeconds] = [bytesOf(swap), bytesOf(rss), secondsOf(time)]
    if (!/^\d+$/.test(zoneId) || swapBytes === undefined || rssBytes === undefined || cpuSeconds === undefined || zone === "") return []
    return [{
      zoneId: Number(zoneId),
      zone,
      processes: Number(processes),
      swap: swapBytes,
      rss: rssBytes,
      memoryPercent: Number.parseFloat(memory),
      cpuPercent: Number.parseFloat(cpu),
      cpuSeconds
    }]
  })
}
