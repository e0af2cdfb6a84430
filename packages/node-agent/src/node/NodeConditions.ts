/** The conditions of a node as a pure function of what was measured. */
import { type CoreV1, Timestamp } from "@reddwarf/api-types"
import type { Signal } from "../eviction/EvictionThresholds.js"

/**
 * What is known about the host. Absent values could not be read; then the condition they belong to is Unknown, never wrong.
 *
 * @category models
 */
export interface Measurements {
  /** Why pods cannot be run yet; undefined when everything is prepared. */
  readonly notReady: string | undefined
  /** Bytes. */
  readonly memory: { readonly total: number; readonly free: number } | undefined
  readonly pool: { readonly size: number; readonly available: number; readonly health: string } | undefined
  readonly processes: { readonly used: number; readonly limit: number } | undefined
  /** What the node is short of by the thresholds of eviction, or was a short while ago. Default nothing. */
  readonly pressures?: ReadonlySet<Signal> | undefined
  /** The reason that goes with `notReady`. Default `KubeletNotReady`. */
  readonly notReadyReason?: string | undefined
  /** Further conditions of this agent. Those that are not True are shown only where they were before. */
  readonly further?: ReadonlyArray<FurtherCondition> | undefined
}

/** A condition that is not of Kubernetes' own. @category models */
export interface FurtherCondition {
  readonly type: string
  readonly status: "True" | "False"
  readonly reason: string
  readonly message: string
}

/** Free memory below this means pressure, in bytes. @category models */
export const memoryThreshold = 100 * 1024 * 1024

/** Free space of the pool below this fraction means pressure. @category models */
export const diskThreshold = 0.1

interface Fact {
  readonly type: string
  readonly status: "True" | "False" | "Unknown"
  readonly reason: string
  readonly message: string
}

const unknown = (type: Fact["type"], what: string): Fact => ({
  type,
  status: "Unknown",
  reason: "KubeletCannotMeasure",
  message: `${what} could not be read`
})

const pressure = (
  type: "MemoryPressure" | "DiskPressure" | "PIDPressure",
  under: boolean,
  bad: { readonly reason: string; readonly message: string },
  good: { readonly reason: string; readonly message: string }
): Fact => under ? { type, status: "True", ...bad } : { type, status: "False", ...good }

const usablePool: ReadonlySet<string> = new Set(["ONLINE", "DEGRADED"])

const facts = ({ memory, notReady, notReadyReason = "KubeletNotReady", pool, pressures, processes }: Measurements): ReadonlyArray<Fact> => [
  memory === undefined ? unknown("MemoryPressure", "free memory") : pressure(
    "MemoryPressure",
    memory.free < memoryThreshold || pressures?.has("memory.available") === true,
    { reason: "KubeletHasInsufficientMemory", message: "kubelet has insufficient memory available" },
    { reason: "KubeletHasSufficientMemory", message: "kubelet has sufficient memory available" }
  ),
  pool === undefined ? unknown("DiskPressure", "the state of the storage pool") : pressure(
    "DiskPressure",
    !usablePool.has(pool.health) || pool.available < pool.size * diskThreshold || pressures?.has("nodefs.available") === true,
    usablePool.has(pool.health)
      ? { reason: "KubeletHasDiskPressure", message: "kubelet has disk pressure" }
      : { reason: "PoolNotHealthy", message: `the storage pool is ${pool.health}` },
    { reason: "KubeletHasNoDiskPressure", message: "kubelet has no disk pressure" }
  ),
  processes === undefined
    ? { type: "PIDPressure", status: "False", reason: "KubeletHasSufficientPID", message: "kubelet has sufficient PID available" }
    : pressure(
      "PIDPressure",
      processes.used > processes.limit * 0.9 || pressures?.has("pid.available") === true,
      { reason: "KubeletHasInsufficientPID", message: "kubelet has insufficient PID available" },
      { reason: "KubeletHasSufficientPID", message: "kubelet has sufficient PID available" }
    ),
  notReady === undefined
    ? { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" }
    : { type: "Ready", status: "False", reason: notReadyReason, message: notReady }
]

const owned: ReadonlySet<string> = new Set(["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"])

/**
 * The conditions to show, those of others kept. `lastTransitionTime` changes only with the status; the heartbeat is `now`, milliseconds
 * since the epoch.
 *
 * @category constructors
 */
export const of = (
  before: ReadonlyArray<CoreV1.NodeCondition> | undefined,
  measurements: Measurements,
  now: number
): ReadonlyArray<CoreV1.NodeCondition> => {
  const time = Timestamp.secondsFromMillis(now)
  const further = (measurements.further ?? []).filter(({ status, type }) => status === "True" || before?.some((condition) => condition.type === type) === true)
  const written = new Set([...owned, ...further.map(({ type }) => type)])
  const ours = [...facts(measurements), ...further].map((fact) => {
    const old = before?.find((condition) => condition.type === fact.type)
    return {
      ...fact,
      lastHeartbeatTime: time,
      lastTransitionTime: old?.status === fact.status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : time
    }
  })
  return [...(before ?? []).filter((condition) => !written.has(condition.type)), ...ours]
}

/**
 * Whether two lists say the same, heartbeat times aside.
 *
 * @category combinators
 */
export const same = (
  a: ReadonlyArray<CoreV1.NodeCondition> | undefined,
  b: ReadonlyArray<CoreV1.NodeCondition> | undefined
): boolean => {
  const text = (list: ReadonlyArray<CoreV1.NodeCondition> | undefined) =>
    (list ?? []).map(({ message, reason, status, type }) => JSON.stringify([type, status, reason, message])).toSorted().join("\n")
  return text(a) === text(b)
}
