/** Scores by how much of its resources a node has given away: the common part of the strategies. */
import * as Schema from "effect/Schema"
import type { NodeInfo } from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import * as Scores from "../Scores.js"

/** A resource that counts, and how much compared with the others. */
export const ResourceSpec = Schema.Struct({
  name: Schema.NonEmptyString,
  weight: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 100)), { default: () => 1 })
})

/** A resource that counts, complete. */
export type ResourceSpec = typeof ResourceSpec.Type

/** What counts unless something else is said. */
export const cpuAndMemory: ReadonlyArray<ResourceSpec> = [{ name: "cpu", weight: 1 }, { name: "memory", weight: 1 }]

/** One resource of a node: what it has, what its pods hold, and that together with the new pod. */
export interface Use {
  readonly capacity: number
  readonly before: number
  readonly after: number
}

const useOf = (capacity: number, before: number, wanted: number): Use | undefined =>
  capacity === 0 ? undefined : { capacity, before, after: before + wanted }

/** The amounts as they count for spreading: containers that do not say ask for some CPU and memory. */
export const withDefaults = (name: string, { requests, scoringRequests }: PodInfo, node: NodeInfo): Use | undefined => {
  if (name === "cpu") return useOf(node.allocatable.cpuMillis, node.scoringRequested.cpuMillis, scoringRequests.cpuMillis)
  if (name === "memory") return useOf(node.allocatable.memoryBytes, node.scoringRequested.memoryBytes, scoringRequests.memoryBytes)
  return other(name, requests, node)
}

/** The amounts as they are asked for. */
export const asked = (name: string, { requests }: PodInfo, node: NodeInfo): Use | undefined => {
  if (name === "cpu") return useOf(node.allocatable.cpuMillis, node.requested.cpuMillis, requests.cpuMillis)
  if (name === "memory") return useOf(node.allocatable.memoryBytes, node.requested.memoryBytes, requests.memoryBytes)
  return other(name, requests, node)
}

const other = (name: string, requests: PodInfo["requests"], { allocatable, requested }: NodeInfo): Use | undefined => {
  if (name === "ephemeral-storage") return useOf(allocatable.ephemeralStorageBytes, requested.ephemeralStorageBytes, requests.ephemeralStorageBytes)
  const wanted = requests.scalars.get(name) ?? 0
  // Nodes that have a device which the pod does not ask for are neither better nor worse for it.
  return wanted === 0 ? undefined : useOf(allocatable.scalars.get(name) ?? 0, requested.scalars.get(name) ?? 0, wanted)
}

/** 0 to 100 for one resource. */
export type Strategy = (use: Use) => number

/** The more stays free, the better. */
export const least: Strategy = ({ after, capacity }) => after > capacity ? 0 : Math.floor(((capacity - after) * Scores.max) / capacity)

/** The less stays free, the better. */
export const most: Strategy = ({ after, capacity }) => Math.floor((Math.min(after, capacity) * Scores.max) / capacity)

/** A point of a shape: utilization in percent, score from 0 to 10. */
export interface ShapePoint {
  readonly utilization: number
  readonly score: number
}

const scale = Scores.max / 10

/** By straight lines between the points; as at the first and last point beyond them. */
export const byShape = (shape: ReadonlyArray<ShapePoint>): Strategy => {
  const at = (utilization: number): number => {
    let previous: ShapePoint | undefined
    for (const point of shape) {
      if (utilization <= point.utilization) {
        if (previous === undefined) return point.score * scale
        const rise = (point.score - previous.score) * scale * (utilization - previous.utilization)
        return previous.score * scale + Math.trunc(rise / (point.utilization - previous.utilization))
      }
      previous = point
    }
    return (previous?.score ?? 0) * scale
  }
  return ({ after, capacity }) => at(after > capacity ? 100 : Math.floor((after * 100) / capacity))
}

/** The weighted mean over the resources that a node has. */
export const mean = (resources: ReadonlyArray<ResourceSpec>, strategy: Strategy) => (pod: PodInfo, node: NodeInfo): number => {
  let sum = 0
  let weights = 0
  for (const { name, weight } of resources) {
    const use = withDefaults(name, pod, node)
    if (use === undefined) continue
    sum += strategy(use) * weight
    weights += weight
  }
  return weights === 0 ? 0 : Math.floor(sum / weights)
}

/** As `mean`, but resources without any score are left out, and the mean is rounded. */
export const meanOfScored = (resources: ReadonlyArray<ResourceSpec>, strategy: Strategy) => (pod: PodInfo, node: NodeInfo): number => {
  let sum = 0
  let weights = 0
  for (const { name, weight } of resources) {
    const use = withDefaults(name, pod, node)
    const score = use === undefined ? 0 : strategy(use)
    if (score <= 0) continue
    sum += score * weight
    weights += weight
  }
  return weights === 0 ? 0 : Math.round(sum / weights)
}
