/**
 * What a zone may use, in the terms of the host: caps, shares and priorities. Pure: from what a workload asks for to numbers that zonecfg
 * and prctl accept, and from there to configuration resources and live resource controls.
 */
import type { CappedMemory, ZoneConfig, ZoneLimits } from "./ZoneConfig.js"

/** Everything a zone can be bounded by; what is absent is not bounded. @category models */
export interface ZoneResources {
  /** Percent of one CPU, a whole number of at least 1 (`zone.cpu-cap`). */
  readonly cpuPercent?: number | undefined
  /** Weight under contention, 1 to 65535 (`zone.cpu-shares`, with the fair share scheduler). */
  readonly cpuShares?: number | undefined
  /** Bytes of physical memory, at least 1 MiB. */
  readonly physicalMemory?: bigint | undefined
  /** Bytes of anonymous memory (swap reservation), at least 50 MiB. Without it, memory above the physical cap is paged out for ever. */
  readonly swap?: bigint | undefined
  /** Bytes of locked memory, not more than `physicalMemory`. */
  readonly lockedMemory?: bigint | undefined
  /** Threads, at least 100. */
  readonly maxLwps?: number | undefined
  /** Processes, at least 100. */
  readonly maxProcesses?: number | undefined
  /** Weight of ZFS input and output; OmniOS and SmartOS only. */
  readonly zfsIoPriority?: number | undefined
}

/** The three classes of Kubernetes; they decide the I/O weight. @category models */
export type ServiceClass = "Guaranteed" | "Burstable" | "BestEffort"

/** What a workload asks for, summed up over its containers. @category models */
export interface Demand {
  readonly serviceClass: ServiceClass
  /** Thousandths of a CPU it is promised; 0 when it asks for none. */
  readonly cpuRequestMillis: number
  /** Thousandths of a CPU it may use at most; absent means no bound. */
  readonly cpuLimitMillis?: number | undefined
  /** Bytes it may use at most; absent means no bound. */
  readonly memoryLimitBytes?: number | undefined
  /** Threads it may have; absent means no bound. */
  readonly pidsLimit?: number | undefined
}

/** What the host can enforce. @category models */
export interface HostSupport {
  /** Whether zones have `zone.zfs-io-priority`: OmniOS and SmartOS. Default no. */
  readonly zfsIoPriority?: boolean | undefined
}

/** Least physical memory cap that zonecfg accepts, in bytes. @category models */
export const leastPhysicalMemory: bigint = 1024n * 1024n

/** Least swap cap that zonecfg accepts, in bytes. @category models */
export const leastSwap: bigint = 50n * 1024n * 1024n

/** zonecfg refuses fewer threads or processes. @category models */
export const leastTasks = 100

/** The most shares the fair share scheduler counts with. @category models */
export const mostShares = 65_535

/** What the kernel takes for a 64 bit limit that bounds nothing, less one bit so that it stays a plain number for the tools. */
const mostTasks = 2_147_483_647

const between = (least: number, value: number, most: number): number => Math.min(most, Math.max(least, value))

/**
 * Shares for a CPU request: 1024 for one CPU, at least 2, so that a workload which asks for nothing yields to all others but still runs.
 *
 * @category combinators
 */
export const sharesOf = (cpuMillis: number): number => between(2, Math.floor(cpuMillis * 1024 / 1000), mostShares)

/** The I/O weights of the classes; 100 is what a zone has that says nothing. */
const ioPriorities: Readonly<Record<ServiceClass, number>> = { Guaranteed: 200, Burstable: 100, BestEffort: 50 }

const atLeast = (least: bigint, bytes: bigint): bigint => bytes > least ? bytes : least

/**
 * The bounds for a demand. Never stricter than asked for: fractions are rounded up, and what zonecfg has a least value for is raised to it.
 * The three memory caps come together: physical alone only pages out, and locked memory above it would be refused.
 *
 * @category constructors
 */
export const fromDemand = (demand: Demand, host: HostSupport = {}): ZoneResources => {
  const memory = demand.memoryLimitBytes === undefined
    ? undefined
    : atLeast(leastPhysicalMemory, BigInt(Math.ceil(Math.max(0, demand.memoryLimitBytes))))
  const tasks = demand.pidsLimit === undefined ? undefined : between(leastTasks, Math.ceil(demand.pidsLimit), mostTasks)
  return {
    ...(demand.cpuLimitMillis === undefined ? {} : { cpuPercent: Math.max(1, Math.ceil(demand.cpuLimitMillis / 10)) }),
    cpuShares: sharesOf(demand.cpuRequestMillis),
    ...(memory === undefined ? {} : { physicalMemory: memory, swap: atLeast(leastSwap, memory), lockedMemory: memory }),
    ...(tasks === undefined ? {} : { maxLwps: tasks, maxProcesses: tasks }),
    ...(host.zfsIoPriority === true ? { zfsIoPriority: ioPriorities[demand.serviceClass] } : {})
  }
}

/** dladm refuses less, in bits per second. @category models */
export const leastBandwidth = 1_200_000

/**
 * The bandwidth limit of a link, in bits per second, for limits asked for in each direction. A link has one limit for both directions
 * together, so the smaller one holds: no direction ever gets more than it may.
 *
 * @category combinators
 */
export const linkBandwidth = (limits: { readonly ingress?: number | undefined; readonly egress?: number | undefined }): number | undefined => {
  const asked = [limits.ingress, limits.egress].filter((limit) => limit !== undefined)
  return asked.length === 0 ? undefined : Math.max(leastBandwidth, Math.ceil(Math.min(...asked)))
}

/** One resource control of a running zone. @category models */
export interface LiveControl {
  /** Such as `zone.cpu-cap`. */
  readonly name: string
  readonly limit: bigint
  readonly action: "none" | "deny"
}

const whole = (value: number | undefined): bigint | undefined => value === undefined ? undefined : BigInt(Math.round(value))

/** Every control this package sets, in a fixed order, with the bound that is behind it. */
const table: ReadonlyArray<{
  readonly name: string
  readonly action: "none" | "deny"
  readonly value: (resources: ZoneResources) => bigint | undefined
}> = [
  { name: "zone.cpu-cap", action: "deny", value: ({ cpuPercent }) => whole(cpuPercent) },
  { name: "zone.cpu-shares", action: "none", value: ({ cpuShares }) => whole(cpuShares) },
  { name: "zone.max-physical-memory", action: "deny", value: ({ physicalMemory }) => physicalMemory },
  { name: "zone.max-swap", action: "deny", value: ({ swap }) => swap },
  { name: "zone.max-locked-memory", action: "deny", value: ({ lockedMemory }) => lockedMemory },
  { name: "zone.max-lwps", action: "deny", value: ({ maxLwps }) => whole(maxLwps) },
  { name: "zone.max-processes", action: "deny", value: ({ maxProcesses }) => whole(maxProcesses) },
  { name: "zone.zfs-io-priority", action: "none", value: ({ zfsIoPriority }) => whole(zfsIoPriority) }
]

/** Names of all controls that stand for a bound of `ZoneResources`. @category models */
export const controlNames: ReadonlyArray<string> = table.map(({ name }) => name)

/**
 * The bounds as resource controls of a running zone, in a fixed order.
 *
 * @category combinators
 */
export const controls = (resources: ZoneResources): ReadonlyArray<LiveControl> =>
  table.flatMap(({ action, name, value }) => {
    const limit = value(resources)
    return limit === undefined ? [] : [{ name, limit, action }]
  })

/** What of a zone configuration the bounds make up. @category models */
export interface ConfiguredResources extends Pick<ZoneLimits, "cpuShares" | "maxLwps" | "maxProcesses" | "zfsIoPriority"> {
  readonly cappedCpuPercent?: number
  readonly cappedMemory?: CappedMemory
  /** Shares do nothing in another class. */
  readonly schedulingClass?: "FSS"
}

/**
 * The bounds as parts of a zone configuration.
 *
 * @category combinators
 */
export const configured = (resources: ZoneResources): ConfiguredResources => {
  const { cpuPercent, cpuShares, lockedMemory, maxLwps, maxProcesses, physicalMemory, swap, zfsIoPriority } = resources
  const memory = {
    ...(physicalMemory === undefined ? {} : { physical: physicalMemory }),
    ...(swap === undefined ? {} : { swap }),
    ...(lockedMemory === undefined ? {} : { locked: lockedMemory })
  }
  return {
    ...(cpuPercent === undefined ? {} : { cappedCpuPercent: cpuPercent }),
    ...(Object.keys(memory).length === 0 ? {} : { cappedMemory: memory }),
    ...(cpuShares === undefined ? {} : { schedulingClass: "FSS", cpuShares }),
    ...(maxLwps === undefined ? {} : { maxLwps }),
    ...(maxProcesses === undefined ? {} : { maxProcesses }),
    ...(zfsIoPriority === undefined ? {} : { zfsIoPriority })
  }
}

/**
 * A configuration with other bounds; everything else in it stays.
 *
 * @category combinators
 */
export const replaced = (config: ZoneConfig, resources: ZoneResources): ZoneConfig => {
  const {
    cappedCpuPercent: _cpu,
    cappedMemory: _memory,
    cpuShares: _shares,
    maxLwps: _lwps,
    maxProcesses: _processes,
    zfsIoPriority: _priority,
    ...rest
  } = config
  return { ...rest, ...configured(resources) }
}

/** What differs between the controls a zone has and those it shall have. @category models */
export interface ControlChanges {
  /** To be set or replaced. */
  readonly set: ReadonlyArray<LiveControl>
  /** Names of bounds that are gone. */
  readonly removed: ReadonlyArray<string>
}

/**
 * What must change so that a zone with the bounds `from` has the bounds `to`.
 *
 * @category combinators
 */
export const changes = (from: ZoneResources, to: ZoneResources): ControlChanges => {
  const before = new Map(controls(from).map((control) => [control.name, control]))
  const after = controls(to)
  const wanted = new Set(after.map(({ name }) => name))
  return {
    set: after.filter(({ action, limit, name }) => before.get(name)?.limit !== limit || before.get(name)?.action !== action),
    removed: [...before.keys()].filter((name) => !wanted.has(name))
  }
}
