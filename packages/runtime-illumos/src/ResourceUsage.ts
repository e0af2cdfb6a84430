/**
 * What zones, their processes and the host as a whole use. Two commands tell it for all zones at once: `kstat` for counters of the kernel,
 * which also hold what processes used that are gone, and `ps` for the processes that live now.
 */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import { CommandRunner } from "./CommandRunner.js"
import { HostCommandFailed, type HostError } from "./HostError.js"
import { lines } from "./internal/parsable.js"
import { detailOf } from "./internal/refusal.js"

/** Pages of x86, in bytes. */
const pageSize = 4096

/** Counters of one booted zone. @category models */
export interface ZoneUsage {
  readonly zone: string
  /** Changes with every boot of the zone. */
  readonly zoneId: number
  /** Seconds since the epoch at which the zone booted; counters begin there. */
  readonly bootTime: number
  /** User and system time of all its processes since it booted, also of those that ended, in nanoseconds. */
  readonly cpuNanos: number
  /** Resident memory in bytes; absent where the kernel does not count it (illumos without the memory caps of OmniOS and SmartOS). */
  readonly rss?: number
  /** Swap that is reserved, in bytes; absent like `rss`. */
  readonly swap?: number
}

/** Counters of the host, global zone and all zones together. Absent values could not be read. @category models */
export interface HostUsage {
  /** Busy time of all CPUs since the host booted, in nanoseconds. */
  readonly cpuNanos?: number
  /** Bytes of physical memory. */
  readonly memoryTotal?: number
  /** Bytes that are free, or held by the ZFS cache, which gives them back under pressure. */
  readonly memoryAvailable?: number
  /** Seconds since the epoch; another value means another boot. */
  readonly bootTime?: number
  /** Processes of all zones. */
  readonly processes?: number
  /** How many there may be. */
  readonly processLimit?: number
}

/** What `kstat` tells. @category models */
export interface Counters {
  readonly host: HostUsage
  readonly zones: ReadonlyArray<ZoneUsage>
}

/** One living process of any zone. Pids are unique on a host, whatever zone they are in. @category models */
export interface ProcessUsage {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly zoneId: number
  /** Resident memory in bytes; pages that processes share count for each of them. */
  readonly rss: number
  /** Address space in bytes. */
  readonly size: number
  /** Time on a CPU, without that of its children, in whole seconds. */
  readonly cpuSeconds: number
}

const zonePatterns = ["zones:::/^(nsec_user|nsec_sys|boot_time|zonename)$/", "memory_cap:::/^(rss|swap)$/"]

const hostPatterns = [
  "cpu::sys:/^cpu_nsec_(user|kernel)$/",
  "unix:0:system_pages:/^(physmem|freemem)$/",
  "unix:0:system_misc:/^(boot_time|nproc)$/",
  "unix:0:var:v_proc",
  "zfs:0:arcstats:size"
]

/** All counters in one go: one line per statistic. @category constructors */
export const counters: CommandLine.CommandLine = CommandLine.make("/usr/bin/kstat", "-p", ...zonePatterns, ...hostPatterns)

/** Those of the host alone. @category constructors */
export const hostCounters: CommandLine.CommandLine = CommandLine.make("/usr/bin/kstat", "-p", ...hostPatterns)

/** The columns in the order of `ProcessUsage`. A zone is named by its number: names are cut off to the width of the column. */
const columns = ["pid", "ppid", "pgid", "sid", "zoneid", "rss", "vsz", "time"]

/** All processes of all zones: a heading, then one line each. @category constructors */
export const processes: CommandLine.CommandLine = CommandLine.make("/usr/bin/ps", "-e", "-o", columns.join(","))

const sum = (values: ReadonlyArray<number>): number | undefined => values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0)

const defined = <K extends string>(entries: Readonly<Record<K, number | undefined>>): { readonly [P in K]?: number } => {
  const kept: { [P in K]?: number } = {}
  for (const key in entries) {
    const value = entries[key]
    if (value !== undefined) kept[key] = value
  }
  return kept
}

/** Reads the output of `counters`. Statistics it does not know are passed over. @category combinators */
export const parseCounters = (text: string): Counters => {
  const values = new Map<string, string>()
  const zoneIds = new Set<number>()
  const busy: Array<number> = []
  for (const line of lines(text)) {
    const tab = line.indexOf("\t")
    const [module = "", instance = "", name = "", statistic = ""] = line.slice(0, tab < 0 ? undefined : tab).split(":")
    const value = tab < 0 ? "" : line.slice(tab + 1)
    if (module === "cpu" && name === "sys" && /^\d+$/.test(value)) busy.push(Number(value))
    else if (module === "zones" || module === "memory_cap") {
      values.set(`${module}:${instance}:${statistic}`, value)
      if (module === "zones" && /^\d+$/.test(instance)) zoneIds.add(Number(instance))
    } else values.set(`${module}:${name}:${statistic}`, value)
  }
  const number = (key: string): number | undefined => {
    const value = values.get(key)
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
  }
  const zones = [...zoneIds].sort((a, b) => a - b).flatMap((zoneId): ReadonlyArray<ZoneUsage> => {
    const zone = values.get(`zones:${zoneId}:zonename`)
    const user = number(`zones:${zoneId}:nsec_user`)
    const system = number(`zones:${zoneId}:nsec_sys`)
    if (zone === undefined || user === undefined || system === undefined) return []
    const memory = defined({ rss: number(`memory_cap:${zoneId}:rss`), swap: number(`memory_cap:${zoneId}:swap`) })
    return [{ zone, zoneId, bootTime: number(`zones:${zoneId}:boot_time`) ?? 0, cpuNanos: user + system, ...memory }]
  })
  const total = number("unix:system_pages:physmem")
  const free = number("unix:system_pages:freemem")
  return {
    zones,
    host: defined({
      cpuNanos: sum(busy),
      memoryTotal: total === undefined ? undefined : total * pageSize,
      memoryAvailable: free === undefined ? undefined : free * pageSize + (number("zfs:arcstats:size") ?? 0),
      bootTime: number("unix:system_misc:boot_time"),
      processes: number("unix:system_misc:nproc"),
      processLimit: number("unix:var:v_proc")
    })
  }
}

/** Seconds of `[[days-]hours:]minutes:seconds`; undefined when it is no time. */
const secondsOf = (text: string): number | undefined => {
  const match = /^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)$/.exec(text)
  if (match === null) return undefined
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => part === undefined ? 0 : Number(part))
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
}

/** Reads the output of `processes`. Lines that are no process, such as the heading, are passed over. @category combinators */
export const parseProcesses = (text: string): ReadonlyArray<ProcessUsage> =>
  lines(text).flatMap((line): ReadonlyArray<ProcessUsage> => {
    const fields = line.trim().split(/\s+/)
    const numbers = fields.slice(0, -1).map((field) => /^\d+$/.test(field) ? Number(field) : Number.NaN)
    const [pid = 0, parent = 0, group = 0, session = 0, zoneId = 0, rss = 0, size = 0] = numbers
    const cpuSeconds = secondsOf(fields.at(-1) ?? "")
    if (fields.length !== columns.length || numbers.includes(Number.NaN) || cpuSeconds === undefined) return []
    return [{ pid, parent, group, session, zoneId, rss: rss * 1024, size: size * 1024, cpuSeconds }]
  })

const output = (line: CommandLine.CommandLine) =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner
    const result = yield* runner.run(line)
    // kstat ends with 1 when one of several patterns matches nothing: the others are still told.
    if (result.stdout === "") {
      return yield* new HostCommandFailed({ operation: "measure", object: CommandLine.format(line), detail: detailOf(result), exitCode: result.exitCode })
    }
    return result.stdout
  })

/** Reads all counters once. @category constructors */
export const readCounters: Effect.Effect<Counters, HostError, CommandRunner> = Effect.map(output(counters), parseCounters)

/** Reads the counters of the host once. @category constructors */
export const readHost: Effect.Effect<HostUsage, HostError, CommandRunner> = Effect.map(output(hostCounters), (text) => parseCounters(text).host)

/** Reads the living processes once. @category constructors */
export const readProcesses: Effect.Effect<ReadonlyArray<ProcessUsage>, HostError, CommandRunner> = Effect.map(output(processes), parseProcesses)
