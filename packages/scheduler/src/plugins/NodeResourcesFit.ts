/** The pod's requests must fit into what the node has left. Where they do, emptier nodes are better, or fuller ones: that is a matter of strategy. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Schema from "effect/Schema"
import * as ClusterEvent from "../ClusterEvent.js"
import * as RejectionPool from "../internal/rejectionPool.js"
import * as ResourceScore from "../internal/resourceScore.js"
import * as NodeInfo from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import * as PluginFactory from "../PluginFactory.js"
import type * as Rejection from "../Rejection.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"
import * as Scores from "../Scores.js"

const tooManyPods = "Too many pods"

const lacks = (wanted: number, total: number, used: number): boolean => wanted > 0 && wanted > total - used

/** Extended resources that something else takes care of. */
type Ignored = (resource: string) => boolean

const nothingIgnored: Ignored = () => false

const explain = ({ requests }: PodInfo, node: NodeInfo.NodeInfo, ignored: Ignored): Rejection.Rejection | undefined => {
  const { allocatable, requested } = node
  const reasons: Array<string> = node.pods.length < node.allowedPods ? [] : [tooManyPods]
  let resolvable = true
  const check = (name: string, wanted: number, total: number, used: number): void => {
    if (!lacks(wanted, total, used)) return
    reasons.push(`Insufficient ${name}`)
    if (wanted > total) resolvable = false
  }
  check("cpu", requests.cpuMillis, allocatable.cpuMillis, requested.cpuMillis)
  check("memory", requests.memoryBytes, allocatable.memoryBytes, requested.memoryBytes)
  check("ephemeral-storage", requests.ephemeralStorageBytes, allocatable.ephemeralStorageBytes, requested.ephemeralStorageBytes)
  for (const [name, wanted] of requests.scalars) {
    if (!ignored(name)) check(name, wanted, allocatable.scalars.get(name) ?? 0, requested.scalars.get(name) ?? 0)
  }
  if (reasons.length === 0) return undefined
  return RejectionPool.of(resolvable ? "Unschedulable" : "Unresolvable", reasons)
}

const fitsBut = (ignored: Ignored) => (pod: PodInfo, node: NodeInfo.NodeInfo): Rejection.Rejection | undefined => {
  const { requests } = pod
  const { allocatable, requested } = node
  // Most calls end here, without having made anything.
  const passes = node.pods.length < node.allowedPods &&
    requests.scalars.size === 0 &&
    !lacks(requests.cpuMillis, allocatable.cpuMillis, requested.cpuMillis) &&
    !lacks(requests.memoryBytes, allocatable.memoryBytes, requested.memoryBytes) &&
    !lacks(requests.ephemeralStorageBytes, allocatable.ephemeralStorageBytes, requested.ephemeralStorageBytes)
  return passes ? undefined : explain(pod, node, ignored)
}

/**
 * What is missing on a node, if anything. `Unresolvable` when a request exceeds what the node would have when empty.
 *
 * @category combinators
 */
export const fits: (pod: PodInfo, node: NodeInfo.NodeInfo) => Rejection.Rejection | undefined = fitsBut(nothingIgnored)

const free = (total: number, used: number): number => used > total ? 0 : Math.floor(((total - used) * Scores.max) / total)

/**
 * LeastAllocated: the mean over CPU and memory of the share, 0 to 100, that stays free with the pod on the node. A resource the node does not
 * have is left out.
 *
 * @category combinators
 */
export const leastAllocated = ({ scoringRequests }: PodInfo, { allocatable, scoringRequested }: NodeInfo.NodeInfo): number => {
  let sum = 0
  let resources = 0
  if (allocatable.cpuMillis > 0) {
    sum += free(allocatable.cpuMillis, scoringRequested.cpuMillis + scoringRequests.cpuMillis)
    resources += 1
  }
  if (allocatable.memoryBytes > 0) {
    sum += free(allocatable.memoryBytes, scoringRequested.memoryBytes + scoringRequests.memoryBytes)
    resources += 1
  }
  return resources === 0 ? 0 : Math.floor(sum / resources)
}

const ShapePoint = Schema.Struct({
  utilization: Schema.Int.pipe(Schema.between(0, 100)),
  score: Schema.Int.pipe(Schema.between(0, 10))
})

const Shape = Schema.NonEmptyArray(ShapePoint).pipe(Schema.filter((points) => {
  const wrong = points.findIndex(({ utilization }, i) => i > 0 && utilization <= (points[i - 1]?.utilization ?? 0))
  return wrong < 0 || { path: [wrong, "utilization"], message: "the utilization is not above that of the point before; sort the points by it" }
}))

/**
 * `LeastAllocated` prefers nodes that stay emptier, `MostAllocated` those that get fuller; `RequestedToCapacityRatio` follows the lines between the
 * points of its shape. `resources` are those that count, with weights from 1 to 100.
 *
 * @category schemas
 */
export const ScoringStrategy = Schema.Struct({
  type: Schema.optionalWith(Schema.Literal("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"), { default: () => "LeastAllocated" }),
  resources: Schema.optionalWith(Schema.NonEmptyArray(ResourceScore.ResourceSpec), { exact: true }),
  requestedToCapacityRatio: Schema.optionalWith(Schema.Struct({ shape: Shape }), { exact: true })
}).pipe(Schema.filter(({ requestedToCapacityRatio, type }) =>
  type !== "RequestedToCapacityRatio" || requestedToCapacityRatio !== undefined ||
  { path: ["requestedToCapacityRatio"], message: "the strategy RequestedToCapacityRatio needs a shape; give requestedToCapacityRatio.shape" }
))

/**
 * `ignoredResources` and `ignoredResourceGroups` (the part before the `/`) name extended resources that the filter leaves to others.
 *
 * @category schemas
 */
export const Args = Schema.Struct({
  ignoredResources: Schema.optionalWith(Schema.Array(Schema.NonEmptyString), { default: () => [] }),
  ignoredResourceGroups: Schema.optionalWith(Schema.Array(Schema.NonEmptyString), { default: () => [] }),
  scoringStrategy: Schema.optionalWith(ScoringStrategy, { default: () => ({ type: "LeastAllocated" as const }) })
})

/**
 * The arguments, complete.
 *
 * @category models
 */
export type Args = typeof Args.Type

const scoreOf = ({ requestedToCapacityRatio, resources, type }: typeof ScoringStrategy.Type): NonNullable<SchedulerPlugin["score"]> => {
  const counted = resources ?? ResourceScore.cpuAndMemory
  if (type === "MostAllocated") return ResourceScore.mean(counted, ResourceScore.most)
  if (type === "RequestedToCapacityRatio" && requestedToCapacityRatio !== undefined) {
    return ResourceScore.meanOfScored(counted, ResourceScore.byShape(requestedToCapacityRatio.shape))
  }
  return resources === undefined ? leastAllocated : ResourceScore.mean(counted, ResourceScore.least)
}

const ignoredBy = ({ ignoredResourceGroups, ignoredResources }: Args): Ignored => {
  if (ignoredResources.length === 0 && ignoredResourceGroups.length === 0) return nothingIgnored
  const names = new Set(ignoredResources)
  const groups = new Set(ignoredResourceGroups)
  // Names without a group are the cluster's own, such as huge pages.
  return (name) => name.includes("/") && (names.has(name) || groups.has(name.slice(0, name.indexOf("/"))))
}

/** Whether the pod would fit if nothing else were on the node. */
const fitsAlone = (pod: PodInfo, node: CoreV1.Node | undefined, ignored: Ignored): boolean =>
  node === undefined || fitsBut(ignored)(pod, NodeInfo.make(node)) === undefined

/**
 * Rejects nodes without room for the pod; prefers nodes by the strategy.
 *
 * @category constructors
 */
export const make = (args: Args): SchedulerPlugin => {
  const ignored = ignoredBy(args)
  return {
    name: "NodeResourcesFit",
    nodeLocal: true,
    requeueOn: [
      ClusterEvent.when("NodeAdd", (pod, _, node) => fitsAlone(pod, node, ignored) ? "Queue" : "Skip"),
      ClusterEvent.when("NodeUpdateAllocatable", (pod, _, node) => fitsAlone(pod, node, ignored) ? "Queue" : "Skip"),
      "AssignedPodDelete",
      "AssignedPodScaleDown",
      "PodScaleDown"
    ],
    filter: ignored === nothingIgnored ? fits : fitsBut(ignored),
    score: scoreOf(args.scoringStrategy)
  }
}

/**
 * How a configuration makes it.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({ name: "NodeResourcesFit", args: Args, make })

/**
 * Ignores no resource and prefers emptier nodes.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = make({ ignoredResources: [], ignoredResourceGroups: [], scoringStrategy: { type: "LeastAllocated" } })
