/** `kstat`: counters of zones and of the host. CPU time of a zone is that of its real processes, monotonic within one boot. */
import * as os from "node:os"
import type { HostContext, InstantCommand } from "./CommandContext.js"
import * as Controls from "./Controls.js"
import { type Kernel, resources } from "./HostState.js"
import * as Rctls from "./zonecfg/Rctls.js"
import { allValues, getopt, hasFlag, lastValue } from "./internal/getopt.js"
import * as Processes from "./internal/processTable.js"
import { fail, ok, result } from "./internal/result.js"
import { processesOf } from "./ZoneKernel.js"

interface Statistic {
  readonly module: string
  readonly instance: number
  readonly name: string
  readonly class: string
  readonly statistic: string
  readonly value: string
}

const TICK_NANOS = 10_000_000
const PAGE = 4096
const MIB = 1024 * 1024
/** What the kernel shows where nothing is set. */
const unlimited = "18446744073709551615"

const group = (module: string, instance: number, name: string, kind: string, values: Readonly<Record<string, string | number>>): ReadonlyArray<Statistic> =>
  Object.entries(values).map(([statistic, value]) => ({ module, instance, name, class: kind, statistic, value: String(value) }))

const bootedZones = (context: HostContext) => context.host.zones.flatMap((zone) => zone.kernel === undefined ? [] : [{ zone, kernel: zone.kernel }])

/**
 * Counts on by what the living processes, with the children they waited for, have used more than at the last look. A process that ends
 * without being waited for by one of the zone takes its time away; that is no work done, and the counter of a kernel never goes back.
 */
const countOn = (kernel: Kernel, processes: ReadonlyArray<Processes.Member>): void => {
  const seen = processes.reduce((sum, { childTicks, ticks }) => sum + ticks + childTicks, 0) * TICK_NANOS
  kernel.cpuNanos += Math.max(0, seen - (kernel.cpuSeenNanos ?? kernel.cpuNanos))
  kernel.cpuSeenNanos = seen
}

/** The booted zones with their processes, from one look at them. */
const countedZones = (context: HostContext) => {
  const booted = bootedZones(context)
  const living = Processes.membersOf(booted.map(({ zone }) => processesOf(context.host, zone)))
  return booted.map((zone, index) => ({ ...zone, processes: living[index] ?? [] }))
}

type CountedZone = ReturnType<typeof countedZones>[number]

/** The modules of which zones have statistics. */
const zoneModules = ["zones", "memory_cap", "caps", "zone_vfs", "link"]

const zoneStatistics = (context: HostContext, zones: ReadonlyArray<CountedZone>): ReadonlyArray<Statistic> => {
  const load = Math.round((os.loadavg()[0] ?? 0) * 256)
  return zones.flatMap(({ kernel, processes, zone }) => {
    countOn(kernel, processes)
    const resident = processes.reduce((sum, { rss }) => sum + rss, 0)
    const name = zone.name.slice(0, 30)
    const limit = (control: string) => Controls.limit(context.host, kernel, control)
    const cap = limit("zone.cpu-cap")
    const physical = context.host.dialect === "gate" ? Rctls.physical.get(kernel.snapshot, "gate") : limit("zone.max-physical-memory")
    const swap = limit("zone.max-swap")
    const held = (kind: string, usage: number, value: string | number | undefined) =>
      group("caps", kernel.id, `${kind}_zone_${kernel.id}`, "zone_caps", { usage, value: value ?? unlimited, zonename: zone.name })
    return [
      ...group("zones", kernel.id, name, "zone_misc", {
        nsec_user: kernel.cpuNanos, nsec_sys: 0, nsec_waitrq: 0, avenrun_1min: load, avenrun_5min: load, avenrun_15min: load,
        forkfail_cap: 0, forkfail_noproc: 0, forkfail_nomem: 0, forkfail_misc: 0, nested_interp: 0, init_pid: 0,
        boot_time: Math.floor(kernel.bootTime / 1000), zonename: zone.name
      }),
      ...group("memory_cap", kernel.id, name, "zone_memory_cap", {
        pgpgin: 0, anonpgin: 0, execpgin: 0, fspgin: 0, anon_alloc_fail: kernel.allocationFailures ?? 0,
        ...(context.host.dialect === "omnios"
          ? { rss: resident, physcap: physical ?? unlimited, swap: resident, swapcap: swap ?? unlimited, nover: 0, pagedout: 0 }
          : {})
      }),
      ...(cap === undefined ? [] : group("caps", kernel.id, `cpucaps_zone_${kernel.id}`, "zone_caps", {
        value: cap, usage: 0, maxusage: 0, nwait: 0, above_sec: 0, below_sec: 0, zonename: zone.name
      })),
      ...held("nprocs", processes.length, limit("zone.max-processes") ?? 2147483647),
      ...held("lockedmem", 0, limit("zone.max-locked-memory")),
      ...held("swapresv", resident, swap),
      ...(context.host.dialect === "omnios"
        ? [
          ...held("physicalmem", resident, physical),
          ...group("zone_vfs", kernel.id, name, "zone_vfs", {
            nread: 0, reads: 0, nwritten: 0, writes: 0, rtime: 0, wtime: 0, rcnt: 0, wcnt: 0, "10ms_ops": 0, "100ms_ops": 0, "1s_ops": 0, "10s_ops": 0,
            delay_cnt: 0, delay_time: 0
          })
        ]
        : []),
      ...resources(kernel.snapshot, "net").flatMap((net) => linkStatistics(net.properties["physical"] ?? ""))
    ]
  })
}

const linkStatistics = (link: string): ReadonlyArray<Statistic> =>
  group("link", 0, link, "net", { rbytes64: 0, obytes64: 0, ipackets64: 0, opackets64: 0, ierrors: 0, oerrors: 0, norcvbuf: 0, noxmtbuf: 0, ifspeed: 1_000_000_000, link_state: 1 })

/** `sched` and `init`, which no zone has. */
const globalProcesses = 2

const hostStatistics = (context: HostContext, zones: ReadonlyArray<CountedZone>): ReadonlyArray<Statistic> => {
  const inZones = zones.reduce((sum, { processes }) => sum + processes.length, 0)
  const total = Math.floor((context.host.memoryMiB * MIB) / PAGE)
  const free = Math.min(total, Math.floor(os.freemem() / PAGE))
  const [one = 0, five = 0, fifteen = 0] = os.loadavg().map((load) => Math.round(load * 256))
  const cpus = os.cpus()
  return [
    ...group("unix", 0, "system_pages", "pages", {
      physmem: total, freemem: free, availrmem: free, pagestotal: total, pageslocked: total - free, pp_kernel: 0,
      lotsfree: Math.floor(total / 64), desfree: Math.floor(total / 128), minfree: Math.floor(total / 256)
    }),
    ...group("unix", 0, "system_misc", "misc", {
      avenrun_1min: one, avenrun_5min: five, avenrun_15min: fifteen, boot_time: Math.floor(context.host.bootTime / 1000), ncpus: context.host.cpus, nproc: inZones + globalProcesses
    }),
    ...group("zfs", 0, "arcstats", "misc", { size: 0, c: 0, c_max: 0 }),
    ...Array.from({ length: context.host.cpus }, (_, cpu) => {
      const times = cpus[cpu % Math.max(1, cpus.length)]?.times
      return [
        ...group("cpu", cpu, "sys", "misc", {
          cpu_nsec_idle: (times?.idle ?? 0) * 1e6, cpu_nsec_user: (times?.user ?? 0) * 1e6, cpu_nsec_kernel: (times?.sys ?? 0) * 1e6, cpu_nsec_dtrace: 0, cpu_nsec_intr: (times?.irq ?? 0) * 1e6
        }),
        ...group("cpu_info", cpu, `cpu_info${cpu}`, "misc", { state: "on-line", clock_MHz: cpus[0]?.speed ?? 0, brand: cpus[0]?.model ?? "" })
      ]
    }).flat(),
    ...context.host.links.filter((link) => link.class === "phys").flatMap((link) => linkStatistics(link.name))
  ]
}

/** A shell glob or `/regex/` as a test. */
const matcher = (pattern: string): ((text: string) => boolean) | undefined => {
  if (pattern === "") return () => true
  try {
    if (pattern.length > 1 && pattern.startsWith("/") && pattern.endsWith("/")) {
      const regex = new RegExp(pattern.slice(1, -1))
      return (text) => regex.test(text)
    }
    const source = pattern.replaceAll(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")
    const regex = new RegExp(`^${source}$`)
    return (text) => regex.test(text)
  } catch {
    return undefined
  }
}

const seconds = (millis: number): string => `${Math.floor(Math.max(0, millis) / 1000)}.${String(Math.floor(Math.max(0, millis) % 1000)).padStart(3, "0")}000000`

/** When each group was made and when it was looked at, in seconds since the host booted. */
const timed = (context: HostContext, statistics: ReadonlyArray<Statistic>): ReadonlyArray<Statistic> => {
  const { bootTime } = context.host
  const born = new Map(bootedZones(context).map(({ kernel }) => [kernel.id, kernel.bootTime]))
  const seen = new Set<string>()
  return [...statistics, ...statistics.flatMap((entry): ReadonlyArray<Statistic> => {
    const key = `${entry.module}:${entry.instance}:${entry.name}`
    if (seen.has(key)) return []
    seen.add(key)
    const made = /^(zones|memory_cap|caps|zone_vfs)$/.test(entry.module) ? born.get(entry.instance) ?? bootTime : bootTime
    return [{ ...entry, statistic: "crtime", value: seconds(Math.max(0, made - bootTime)) }, { ...entry, statistic: "snaptime", value: seconds(Math.max(0, context.now - bootTime)) }]
  })]
}

const usage = "Usage:\nkstat [ -Cqjlp ] [ -T d|u ] [ -c class ] [ -m module ]\n      [ -i instance ] [ -n name ] [ -s statistic ] [ interval [ count ] ]"

const order = (a: Statistic, b: Statistic): number =>
  a.module !== b.module ? (a.module < b.module ? -1 : 1)
  : a.instance !== b.instance ? a.instance - b.instance
  : a.name !== b.name ? (a.name < b.name ? -1 : 1)
  : a.statistic < b.statistic ? -1 : a.statistic > b.statistic ? 1 : 0

const parse = (args: ReadonlyArray<string>) => getopt(args, "h?CqjlpT:m:i:n:s:c:")

/** What is asked for, by module, instance, name and statistic. */
const testsOf = (parsed: ReturnType<typeof parse>) => {
  const base = ["m", "i", "n", "s"].map((flag) => lastValue(parsed, flag) ?? "")
  const patterns = parsed.operands.length === 0 ? [base] : parsed.operands.map((operand) => operand.split(":"))
  return patterns.map((parts) => parts.map(matcher))
}

/** Those of hundreds of zones are not made for one who asks for the host alone. */
const concernsZones = (tests: ReturnType<typeof testsOf>): boolean =>
  tests.some(([ofModule]) => ofModule === undefined || zoneModules.some(ofModule))

/** Whether it only reads with these arguments: the time of zones is counted on when they are asked for. @category commands */
export const reads = (args: ReadonlyArray<string>): boolean => {
  const parsed = parse(args)
  return parsed.error === undefined && !concernsZones(testsOf(parsed))
}

/** `kstat …`. @category commands */
export const run: InstantCommand = (context, args) => {
  const parsed = parse(args)
  if (parsed.error !== undefined) return fail(usage, 2)
  const tests = testsOf(parsed)
  const classTests = allValues(parsed, "c").map(matcher)
  if ([...tests.flat(), ...classTests].includes(undefined)) return fail(usage, 2)
  const zones = countedZones(context)
  const found = timed(context, [...concernsZones(tests) ? zoneStatistics(context, zones) : [], ...hostStatistics(context, zones)]).filter((entry) =>
    tests.some((parts) => [entry.module, String(entry.instance), entry.name, entry.statistic].every((text, index) => parts[index]?.(text) ?? true))
    && classTests.every((test) => test?.(entry.class) ?? true)
  ).sort(order)
  if (found.length === 0 || hasFlag(parsed, "q")) return result(found.length === 0 ? 1 : 0)
  if (hasFlag(parsed, "p")) return ok(found.map((entry) => `${entry.module}:${entry.instance}:${entry.name}:${entry.statistic}\t${entry.value}`).join("\n"))
  if (hasFlag(parsed, "l")) return ok(found.map((entry) => `${entry.module}:${entry.instance}:${entry.name}:${entry.statistic}`).join("\n"))
  const blocks = new Map<string, Array<Statistic>>()
  for (const entry of found) {
    const key = `${entry.module}:${entry.instance}:${entry.name}`
    blocks.set(key, [...(blocks.get(key) ?? []), entry])
  }
  if (hasFlag(parsed, "j")) {
    return ok(JSON.stringify([...blocks.values()].map((entries) => ({
      module: entries[0]?.module, instance: entries[0]?.instance, name: entries[0]?.name, class: entries[0]?.class,
      data: Object.fromEntries(entries.map((entry) => [entry.statistic, /^\d{1,15}$/.test(entry.value) ? Number(entry.value) : entry.value]))
    }))))
  }
  return ok([...blocks.values()].map((entries) =>
    [
      `module: ${(entries[0]?.module ?? "").padEnd(30)}  instance: ${entries[0]?.instance ?? 0}`,
      `name:   ${(entries[0]?.name ?? "").padEnd(30)}  class:    ${entries[0]?.class ?? ""}`,
      ...entries.map((entry) => `\t${entry.statistic.padEnd(30)}  ${entry.value}`)
    ].join("\n")
  ).join("\n\n"))
}
