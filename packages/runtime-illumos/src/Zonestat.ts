/**
 * zonestat: what every zone uses, measured by a daemon over an interval. The host needs `svc:/system/zones-monitoring:default`; distributions
 * without it have no such program, and {@link Kstat} and {@link ResourceUsage} tell the same from counters.
 */
import * as CommandLine from "./CommandLine.js"
import { lines } from "./internal/parsable.js"

/** CPU, memory and virtual memory of one zone, of the system, or of all together, over one interval. @category models */
export interface Usage {
  /** `interval`, or which report over several intervals: `report-total`, `report-average`, `report-high`. */
  readonly report: string
  /** Name of the zone; `[total]` and `[system]` for the host and what no zone caused. */
  readonly zone: string
  /** CPUs: 1.5 is one and a half. */
  readonly cpuUsed?: number
  readonly cpuPercent?: number
  readonly cpuPercentOfCap?: number
  readonly cpuPercentOfShares?: number
  /** Bytes. */
  readonly memoryUsed?: number
  readonly memoryPercent?: number
  readonly memoryPercentOfCap?: number
  /** Bytes of virtual memory. */
  readonly virtualUsed?: number
  readonly virtualPercent?: number
  readonly virtualPercentOfCap?: number
}

/** Resources of the host at the beginning of a report. @category models */
export interface Resources {
  readonly cpus: number
  readonly online: number
  /** Bytes. */
  readonly physical: number
  readonly virtual: number
}

/** What one run printed. @category models */
export interface Report {
  readonly resources?: Resources
  readonly usage: ReadonlyArray<Usage>
}

/** Measures for `seconds` and prints one report of totals by zone. The program takes that long. @category constructors */
export const measure = (seconds: number): CommandLine.CommandLine => CommandLine.make("/usr/bin/zonestat", "-p", String(seconds), "1")

const scale: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4, P: 1024 ** 5 }

/** A number with an optional percent sign or scale; `-` and everything else is no value. */
const numberOf = (text: string | undefined): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)([KMGTP]?)%?$/.exec(text ?? "")
  return match === null ? undefined : Number(match[1]) * (scale[match[2] ?? ""] ?? 1)
}

const columns = [
  "cpuUsed", "cpuPercent", "cpuPercentOfCap", "cpuPercentOfShares", "memoryUsed", "memoryPercent", "memoryPercentOfCap", "virtualUsed",
  "virtualPercent", "virtualPercentOfCap"
] as const satisfies ReadonlyArray<Exclude<keyof Usage, "report" | "zone">>

/** Reads what zonestat printed. Lines of other kinds, such as those of single processor sets, are passed over. @category combinators */
export const parse = (text: string): Report => {
  let resources: Resources | undefined
  const usage: Array<Usage> = []
  for (const line of lines(text)) {
    const [report = "", kind, zone = "", ...fields] = line.split(":")
    if (kind !== "summary") continue
    if (zone === "[resource]") {
      const [cpus = 0, online = 0, physical = 0, virtual = 0] = fields.map((field) => numberOf(field) ?? 0)
      resources = { cpus, online, physical, virtual }
      continue
    }
    const entry: { -readonly [K in keyof Usage]: Usage[K] } = { report, zone }
    columns.forEach((column, index) => {
      const value = numberOf(fields[index])
      if (value !== undefined) entry[column] = value
    })
    usage.push(entry)
  }
  return { ...(resources === undefined ? {} : { resources }), usage }
}
