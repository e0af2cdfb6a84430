/** What the node, its pods and their containers use: one look at the host for all of them. */
import type { CoreV1 } from "@reddwarf/api-types"
import { Timestamp } from "@reddwarf/api-types"
import { CommandRunner, type HostError, ResourceUsage } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as containerShares from "../internal/containerShares.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"

/** Amounts at one moment. Absent values could not be read. @category models */
export interface Amounts {
  /** Nanoseconds on all CPUs since the start. */
  readonly cpuNanos?: number
  /** Nanoseconds each second, as far as a look before can be compared with. */
  readonly cpuNanoCores?: number
  /** Bytes that cannot be taken away without harm. */
  readonly workingSet?: number
  /** Bytes of resident memory. */
  readonly rss?: number
  /** Bytes of swap. */
  readonly swap?: number
  /** Bytes that are left. */
  readonly available?: number
}

/** @category models */
export interface ContainerUsage extends Amounts {
  readonly name: string
  /** Milliseconds since the epoch; the counter begins there. */
  readonly startedAt: number
}

/** @category models */
export interface PodUsage extends Amounts {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number | undefined
  /** Those that run. */
  readonly containers: ReadonlyArray<ContainerUsage>
}

/** @category models */
export interface NodeUsage extends Amounts {
  /** When it was measured, milliseconds since the epoch. */
  readonly time: number
  /** When the host booted, milliseconds since the epoch. */
  readonly startedAt: number | undefined
  /** The pods whose zones are booted. */
  readonly pods: ReadonlyArray<PodUsage>
}

/** @category models */
export interface UsageMeter {
  /** The usage now, at most a second old. */
  readonly read: Effect.Effect<NodeUsage, HostError.HostError>
}

/** @category models */
export interface Options {
  /** The pods of this node. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
}

interface Look {
  readonly time: number
  readonly shares: ReadonlyMap<string, containerShares.Shares>
  /** Counters by what they belong to, and the rates they gave. */
  readonly counters: ReadonlyMap<string, { readonly cpuNanos: number; readonly startedAt: number }>
}

const nothing: Look = { time: 0, shares: new Map(), counters: new Map() }

const sumOf = (processes: ReadonlyArray<ResourceUsage.ProcessUsage>, amount: "rss" | "cpuSeconds"): number =>
  processes.reduce((sum, process) => sum + process[amount], 0)

const grouped = (processes: ReadonlyArray<ResourceUsage.ProcessUsage>): ReadonlyMap<number, ReadonlyArray<ResourceUsage.ProcessUsage>> => {
  const zones = new Map<number, Array<ResourceUsage.ProcessUsage>>()
  for (const process of processes) {
    const members = zones.get(process.zoneId)
    if (members === undefined) zones.set(process.zoneId, [process])
    else members.push(process)
  }
  return zones
}

/** What could be read of these, so that no property is there without a value. */
const amounts = (values: { readonly [K in keyof Amounts]: number | undefined }): Amounts => {
  const kept: { -readonly [K in keyof Amounts]: number } = {}
  for (const key of ["cpuNanos", "cpuNanoCores", "workingSet", "rss", "swap", "available"] as const) {
    const value = values[key]
    if (value !== undefined) kept[key] = value
  }
  return kept
}

interface RunningContainer extends containerShares.Running {
  readonly startedAt: number
}

const runningOf = (supervised: Option.Option<SupervisorClient.SupervisedPod>): ReadonlyArray<RunningContainer> =>
  Option.match(Option.flatMap(supervised, ({ state }) => state), {
    onNone: () => [],
    onSome: ({ containers }) =>
      containers.flatMap(({ attempt, name, phase, pid, startedAt }) =>
        phase === "running" && pid !== undefined && startedAt !== undefined ? [{ name, attempt, pid, startedAt }] : [])
  })

/**
 * A meter for the pods of a node. It remembers the look before the last, for rates and for sharing out the time of zones among their
 * containers.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<UsageMeter, never, CommandRunner.CommandRunner | SupervisorClient.SupervisorClient> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const supervisor = yield* SupervisorClient.SupervisorClient
    let last = nothing

    const measure = Effect.gen(function*() {
      // The moment is that of the counters: rates are made of both.
      const counting = Effect.all([ResourceUsage.readCounters, Clock.currentTimeMillis])
      const [[{ host, zones }, time], processes] = yield* Effect.all([counting, ResourceUsage.readProcesses]).pipe(
        Effect.provideService(CommandRunner.CommandRunner, runner)
      )
      const byName = new Map(zones.map((zone) => [zone.zone, zone]))
      const byZone = grouped(processes)
      const before = last
      const shares = new Map<string, containerShares.Shares>()
      const counters = new Map<string, { readonly cpuNanos: number; readonly startedAt: number }>()
      const counted = (key: string, cpuNanos: number, startedAt: number): Pick<Amounts, "cpuNanos" | "cpuNanoCores"> => {
        counters.set(key, { cpuNanos, startedAt })
        const previous = before.counters.get(key)
        return previous === undefined || previous.startedAt !== startedAt || time <= before.time || cpuNanos < previous.cpuNanos
          ? { cpuNanos }
          : { cpuNanos, cpuNanoCores: Math.round((cpuNanos - previous.cpuNanos) * 1000 / (time - before.time)) }
      }
      const podUsage = (pod: CoreV1.Pod, zone: ResourceUsage.ZoneUsage, running: ReadonlyArray<RunningContainer>): PodUsage => {
        const identity = PodSandbox.identityOf(pod)
        const inZone = byZone.get(zone.zoneId) ?? []
        const trees = containerShares.processesOf(running.map(({ pid }) => pid), inZone)
        const tree = (pid: number) => trees.get(pid) ?? []
        const share = containerShares.next(before.shares.get(identity.uid), zone, running, ({ pid }) => sumOf(tree(pid), "cpuSeconds"))
        shares.set(identity.uid, share)
        const rss = zone.rss ?? sumOf(inZone, "rss")
        return {
          ...identity,
          startedAt: Timestamp.toMillis(pod.status?.startTime),
          ...amounts({ ...counted(identity.uid, zone.cpuNanos, zone.bootTime), workingSet: rss, rss, swap: zone.swap }),
          containers: running.map(({ name, pid, startedAt }) => {
            const resident = sumOf(tree(pid), "rss")
            const cpuNanos = share.containers.get(name)?.cpuNanos ?? 0
            return { name, startedAt, ...amounts({ ...counted(`${identity.uid}/${name}`, cpuNanos, startedAt), workingSet: resident, rss: resident }) }
          })
        }
      }
      const pods = yield* Effect.forEach(options.pods(), (pod) => {
        const identity = PodSandbox.identityOf(pod)
        const zone = byName.get(PodSandbox.namesOf(identity).zone)
        return zone === undefined
          ? Effect.succeed([])
          : supervisor.read(identity.uid).pipe(
            Effect.catchAll((error) => Effect.as(Effect.logWarning("the containers of a pod cannot be read", error), Option.none())),
            Effect.map((supervised) => [podUsage(pod, zone, runningOf(supervised))])
          )
      }, { concurrency: 8 })
      const { bootTime, cpuNanos, memoryAvailable, memoryTotal } = host
      const used = memoryTotal === undefined || memoryAvailable === undefined ? undefined : Math.max(0, memoryTotal - memoryAvailable)
      const startedAt = bootTime === undefined ? undefined : bootTime * 1000
      const node: NodeUsage = {
        time,
        startedAt,
        ...amounts({
          ...(cpuNanos === undefined ? {} : counted("", cpuNanos, startedAt ?? 0)),
          workingSet: used,
          available: memoryAvailable
        }),
        pods: pods.flat()
      }
      last = { time, shares, counters }
      return node
    })
    // Two readers at the same moment cost one look, and each look is far enough from the last to tell a rate.
    return { read: yield* Effect.cachedWithTTL(measure, "1 second") }
  })
