/**
 * kstat: counters of the kernel, all of one host in one call. Counters are 64 bits wide, so they are read as `bigint`: a `number` is exact
 * only to 2^53, which nanoseconds of a host with many CPUs pass within weeks, and "no cap" is 2^64 - 1.
 */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandRunner } from "./CommandRunner.js"
import { HostCommandFailed, type HostError } from "./HostError.js"
import { lines } from "./internal/parsable.js"
import { detailOf } from "./internal/refusal.js"

/**
 * Which statistics are asked for. Each part is a shell glob or a `/regular expression/` as kstat takes it; absent means all.
 *
 * @category models
 */
export interface Pattern {
  readonly module?: string
  readonly instance?: number
  readonly name?: string
  readonly statistic?: string
}

/** One value of one statistic. @category models */
export interface Statistic {
  readonly module: string
  /** For statistics of zones, the id of the zone: it changes with every boot. */
  readonly instance: number
  /** Cut to 30 characters by the kernel; statistics of zones hold the whole name in `zonename`. */
  readonly name: string
  readonly statistic: string
  /** As printed: an integer, seconds with nine decimals, or text. Which of these it is depends on the statistic, not on its look. */
  readonly value: string
}

const wordOf = ({ instance, module = "", name = "", statistic = "" }: Pattern): string =>
  `${module}:${instance ?? ""}:${name}:${statistic}`

/** All statistics that match one of the patterns: one line each, sorted. Without a pattern, everything. @category constructors */
export const read = (...patterns: ReadonlyArray<Pattern>): CommandLine.CommandLine =>
  CommandLine.make("/usr/bin/kstat", "-p", ...patterns.map(wordOf))

/** The statistics of a class, such as `net` or `zone_caps`. @category constructors */
export const readClass = (kind: string): CommandLine.CommandLine => CommandLine.make("/usr/bin/kstat", "-p", "-c", kind)

/** Reads what {@link read} printed. Lines of another form are passed over. @category combinators */
export const parse = (text: string): ReadonlyArray<Statistic> =>
  lines(text).flatMap((line): ReadonlyArray<Statistic> => {
    const tab = line.indexOf("\t")
    const key = tab < 0 ? line : line.slice(0, tab)
    const value = tab < 0 ? "" : line.slice(tab + 1)
    // Names of modules and statistics hold no colon; a name in the middle may.
    const match = /^([^:]*):(\d+):(.*):([^:]*)$/.exec(key)
    return match === null ? [] : [{ module: match[1] ?? "", instance: Number(match[2]), name: match[3] ?? "", statistic: match[4] ?? "", value }]
  })

/** The value as a counter; `undefined` when it is no whole number from 0 to 2^64 - 1. @category combinators */
export const counterOf = (value: string): bigint | undefined => {
  if (!/^\d{1,20}$/.test(value)) return undefined
  const counter = BigInt(value)
  return counter <= unlimited ? counter : undefined
}

/** The value as seconds, for `crtime` and `snaptime`; `undefined` when it is none. @category combinators */
export const secondsOf = (value: string): number | undefined => /^\d+(\.\d+)?$/.test(value) ? Number(value) : undefined

/** What the kernel shows for a cap that is not set. @category models */
export const unlimited = 0xffff_ffff_ffff_ffffn

/**
 * How far a counter went on between two looks; `undefined` when it began again in between, as it does when the zone or the host boots.
 *
 * @category combinators
 */
export const advance = (before: bigint, after: bigint): bigint | undefined => after < before ? undefined : after - before

/** A mean load: the kernel keeps it in units of 1/256. @category combinators */
export const loadOf = (avenrun: bigint): number => Number(avenrun) / 256

/** Statistics by `module:instance:name:statistic`, for looking some of many up. @category combinators */
export const index = (statistics: ReadonlyArray<Statistic>): ReadonlyMap<string, string> =>
  new Map(statistics.map(({ instance, module, name, statistic, value }) => [`${module}:${instance}:${name}:${statistic}`, value]))

/** The cap on the CPU of a zone and what it did. @category models */
export interface CpuCap {
  /** Percent of one CPU. */
  readonly cap: bigint
  /** Percent of one CPU it used at the last tick, and at most. */
  readonly usage: bigint
  readonly maxUsage: bigint
  /** Threads that waited because of it. */
  readonly waiting: bigint
  /** Seconds it was above and below its cap. */
  readonly aboveSeconds: bigint
  readonly belowSeconds: bigint
}

/** A cap of the kernel on what a zone holds, and what it holds. @category models */
export interface Cap {
  readonly usage: bigint
  /** Absent when nothing is set. */
  readonly limit?: bigint
}

/** What the caps of one booted zone say. Absent caps are not set, or not known to this host. @category models */
export interface ZoneCaps {
  readonly zone: string
  readonly zoneId: number
  readonly cpu?: CpuCap
  /** Bytes. */
  readonly lockedMemory?: Cap
  readonly swap?: Cap
  readonly physicalMemory?: Cap
  readonly processes?: Cap
}

/** The caps of every booted zone. @category constructors */
export const zoneCaps: CommandLine.CommandLine = readClass("zone_caps")

const memberOf = { lockedmem: "lockedMemory", swapresv: "swap", physicalmem: "physicalMemory", nprocs: "processes" } as const

/** Reads the output of {@link zoneCaps}, by zone id. @category combinators */
export const parseZoneCaps = (text: string): ReadonlyArray<ZoneCaps> => {
  const groups = new Map<number, Map<string, Map<string, string>>>()
  for (const { instance, module, name, statistic, value } of parse(text)) {
    if (module !== "caps") continue
    const kind = /^([a-z]+)_zone_\d+$/.exec(name)?.[1]
    if (kind === undefined) continue
    const caps = groups.get(instance) ?? new Map<string, Map<string, string>>()
    groups.set(instance, caps)
    const values = caps.get(kind) ?? new Map<string, string>()
    caps.set(kind, values)
    values.set(statistic, value)
  }
  return [...groups].sort(([a], [b]) => a - b).flatMap(([zoneId, caps]): ReadonlyArray<ZoneCaps> => {
    const zone = [...caps.values()].find((values) => values.has("zonename"))?.get("zonename")
    if (zone === undefined) return []
    const number = (kind: string, statistic: string): bigint => counterOf(caps.get(kind)?.get(statistic) ?? "") ?? 0n
    const found: { -readonly [K in keyof ZoneCaps]: ZoneCaps[K] } = { zone, zoneId }
    if (caps.has("cpucaps")) {
      found.cpu = {
        cap: number("cpucaps", "value"),
        usage: number("cpucaps", "usage"),
        maxUsage: number("cpucaps", "maxusage"),
        waiting: number("cpucaps", "nwait"),
        aboveSeconds: number("cpucaps", "above_sec"),
        belowSeconds: number("cpucaps", "below_sec")
      }
    }
    for (const [kind, member] of Object.entries(memberOf)) {
      if (!caps.has(kind)) continue
      const limit = number(kind, "value")
      found[member] = { usage: number(kind, "usage"), ...(limit === unlimited ? {} : { limit }) }
    }
    return [found]
  })
}

/**
 * Runs kstat. Nothing that matches is an empty answer, not a failure; it is one when the host refuses the pattern.
 *
 * @category constructors
 */
export const run = (runner: CommandRunner["Type"], line: CommandLine.CommandLine): Effect.Effect<ReadonlyArray<Statistic>, HostError> =>
  Effect.flatMap(runner.run(line), (result) =>
    // Status 1 only says that one of the patterns matched nothing.
    result.exitCode <= 1
      ? Effect.succeed(parse(result.stdout))
      : Effect.fail(new HostCommandFailed({ operation: "measure", object: CommandLine.format(line), detail: detailOf(result), exitCode: result.exitCode })))
