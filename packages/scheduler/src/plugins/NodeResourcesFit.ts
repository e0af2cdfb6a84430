/** The pod's requests must fit into what the node has left. Among the nodes where they do, emptier ones are better. */
import type { NodeInfo } from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import * as Rejection from "../Rejection.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"
import * as Scores from "../Scores.js"

const tooManyPods = "Too many pods"

const lacks = (wanted: number, total: number, used: number): boolean => wanted > 0 && wanted > total - used

const explain = ({ requests }: PodInfo, node: NodeInfo): Rejection.Rejection | undefined => {
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
    check(name, wanted, allocatable.scalars.get(name) ?? 0, requested.scalars.get(name) ?? 0)
  }
  if (reasons.length === 0) return undefined
  return resolvable ? Rejection.unschedulable(...reasons) : Rejection.unresolvable(...reasons)
}

/**
 * What is missing on a node, if anything. `Unresolvable` when a request exceeds what the node would have when empty.
 *
 * @category combinators
 */
export const fits = (pod: PodInfo, node: NodeInfo): Rejection.Rejection | undefined => {
  const { requests } = pod
  const { allocatable, requested } = node
  // Most calls end here, without having made anything.
  const passes = node.pods.length < node.allowedPods &&
    requests.scalars.size === 0 &&
    !lacks(requests.cpuMillis, allocatable.cpuMillis, requested.cpuMillis) &&
    !lacks(requests.memoryBytes, allocatable.memoryBytes, requested.memoryBytes) &&
    !lacks(requests.ephemeralStorageBytes, allocatable.ephemeralStorageBytes, requested.ephemeralStorageBytes)
  return passes ? undefined : explain(pod, node)
}

const free = (total: number, used: number): number => used > total ? 0 : Math.floor(((total - used) * Scores.max) / total)

/**
 * LeastAllocated: the mean over CPU and memory of the share, 0 to 100, that stays free with the pod on the node. A resource the node does not
 * have is left out.
 *
 * @category combinators
 */
export const leastAllocated = ({ scoringRequests }: PodInfo, { allocatable, scoringRequested }: NodeInfo): number => {
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

/**
 * Rejects nodes without room for the pod; prefers those with the most room.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = {
  name: "NodeResourcesFit",
  requeueOn: ["NodeAdd", "NodeUpdateAllocatable", "AssignedPodDelete", "AssignedPodUpdate"],
  filter: fits,
  score: leastAllocated
}
