/** Prefers nodes on which CPU and memory would be used to a similar degree, so that neither runs out while much of the other is left. */
import type { NodeInfo } from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import * as Scores from "../Scores.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"

const used = (total: number, amount: number): number => Math.min(1, amount / total)

/**
 * 100 × (1 − standard deviation) of the used fractions of CPU and memory, with the pod on the node.
 *
 * @category combinators
 */
export const balance = ({ requests }: PodInfo, { allocatable, requested }: NodeInfo): number => {
  if (allocatable.cpuMillis <= 0 || allocatable.memoryBytes <= 0) return Scores.max
  const cpu = used(allocatable.cpuMillis, requested.cpuMillis + requests.cpuMillis)
  const memory = used(allocatable.memoryBytes, requested.memoryBytes + requests.memoryBytes)
  // The deviation of two values is half their distance.
  return Math.floor((1 - Math.abs(cpu - memory) / 2) * Scores.max)
}

/**
 * Scores balance. Pods that ask for neither resource do not change it, so they are left out.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = {
  name: "NodeResourcesBalancedAllocation",
  requeueOn: [],
  preScore: (pod) => pod.requests.cpuMillis === 0 && pod.requests.memoryBytes === 0 ? undefined : (node) => balance(pod, node)
}
