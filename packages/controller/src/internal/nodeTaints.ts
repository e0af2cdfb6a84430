/** The taints that follow from a node's conditions and from `spec.unschedulable`. */
import { type CoreV1, Timestamp } from "@reddwarf/api-types"
import * as conditions from "./conditions.js"

const prefix = "node.kubernetes.io/"

/** Condition type, the status that causes a taint, and the rest of the taint's key. */
const pressures = [
  ["MemoryPressure", "memory-pressure"],
  ["DiskPressure", "disk-pressure"],
  ["PIDPressure", "pid-pressure"],
  ["NetworkUnavailable", "network-unavailable"]
] as const

const managed = new Set(["not-ready", "unreachable", "unschedulable", ...pressures.map(([, key]) => key)].map((key) => prefix + key))

type Wanted = Pick<CoreV1.Taint, "key" | "effect">

/** The key of the taint for a node that failed. */
const healthKey = (node: CoreV1.Node): string | undefined => {
  const ready = conditions.find(node.status?.conditions, "Ready")?.status
  return ready === "False" ? `${prefix}not-ready` : ready === "Unknown" ? `${prefix}unreachable` : undefined
}

/** Whether the node is not ready, or silent. */
export const isFailed = (node: CoreV1.Node): boolean => healthKey(node) !== undefined

/** Whether pods are being driven from the node because it failed. */
export const isEvicting = (node: CoreV1.Node): boolean =>
  (node.spec?.taints ?? []).some(({ effect, key }) => effect === "NoExecute" && managed.has(key))

const wanted = (node: CoreV1.Node, evict: boolean): ReadonlyArray<Wanted> => {
  const health = healthKey(node)
  return [
    ...(health === undefined ? [] : [{ key: health, effect: "NoSchedule" }]),
    ...(health === undefined || !evict ? [] : [{ key: health, effect: "NoExecute" }]),
    ...(node.spec?.unschedulable === true ? [{ key: `${prefix}unschedulable`, effect: "NoSchedule" }] : []),
    ...pressures.flatMap(([type, key]) =>
      conditions.find(node.status?.conditions, type)?.status === "True" ? [{ key: prefix + key, effect: "NoSchedule" }] : []
    )
  ]
}

const same = (a: Wanted, b: Wanted): boolean => a.key === b.key && a.effect === b.effect

/**
 * The taints that the node should have, or undefined if it has them. Taints of others stay. Before the agent has reported for the first
 * time nothing is known, and the taint that the node was created with stays. With `evict` a failed node gets the taint that drives its
 * pods away, too. `now` is milliseconds since the epoch.
 */
export const correct = (node: CoreV1.Node, now: number, evict: boolean): ReadonlyArray<CoreV1.Taint> | undefined => {
  const current = node.spec?.taints ?? []
  const desired = wanted(node, evict)
  const reported = conditions.find(node.status?.conditions, "Ready") !== undefined
  const keep = current.filter((taint) =>
    !managed.has(taint.key) || desired.some((each) => same(each, taint)) || (!reported && taint.key === `${prefix}not-ready`)
  )
  const missing = desired.filter((taint) => !current.some((each) => same(each, taint)))
  if (missing.length === 0 && keep.length === current.length) return undefined
  return [...keep, ...missing.map((taint) => taint.effect === "NoExecute" ? { ...taint, timeAdded: Timestamp.secondsFromMillis(now) } : taint)]
}
