/** A node with the pods placed on it and the sums of what they claim. Immutable: each change gives a new value. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { HostPort } from "./HostPort.js"
import type { PodInfo } from "./PodInfo.js"
import * as Resources from "./Resources.js"

/**
 * What the node object says, read once for each version of it.
 *
 * @category models
 */
export interface NodeFacts {
  /** The `Ready` condition is `True`. A node that has not said so yet is not ready. */
  readonly ready: boolean
  readonly unschedulable: boolean
  /** Taints that keep pods away: `NoSchedule` and `NoExecute`. */
  readonly hardTaints: ReadonlyArray<CoreV1.Taint>
  /** `PreferNoSchedule` taints. */
  readonly softTaints: ReadonlyArray<CoreV1.Taint>
}

/**
 * What the plugins know of a node.
 *
 * @category models
 */
export interface NodeInfo {
  readonly name: string
  readonly node: CoreV1.Node
  readonly facts: NodeFacts
  /** Pods that hold resources here: bound ones and those about to be bound, without terminated ones. */
  readonly pods: ReadonlyArray<PodInfo>
  readonly allocatable: Resources.Resources
  readonly allowedPods: number
  /** Sum of the pods' requests. */
  readonly requested: Resources.Resources
  /** Sum of the pods' scoring requests. */
  readonly scoringRequested: { readonly cpuMillis: number; readonly memoryBytes: number }
  readonly usedPorts: ReadonlyArray<HostPort>
}

const noTaints: ReadonlyArray<CoreV1.Taint> = []

const factsOf = (node: CoreV1.Node): NodeFacts => {
  const taints = node.spec?.taints ?? noTaints
  return {
    ready: node.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false,
    unschedulable: node.spec?.unschedulable === true,
    hardTaints: taints.length === 0 ? noTaints : taints.filter(({ effect }) => effect !== "PreferNoSchedule"),
    softTaints: taints.length === 0 ? noTaints : taints.filter(({ effect }) => effect === "PreferNoSchedule")
  }
}

const noPorts: ReadonlyArray<HostPort> = []

/**
 * A node and the pods on it.
 *
 * @category constructors
 */
export const make = (node: CoreV1.Node, pods: Iterable<PodInfo> = []): NodeInfo =>
  withPods({
    name: node.metadata.name ?? "",
    node,
    facts: factsOf(node),
    pods: [],
    allocatable: Resources.fromList(node.status?.allocatable),
    allowedPods: Resources.allowedPods(node),
    requested: Resources.none,
    scoringRequested: { cpuMillis: 0, memoryBytes: 0 },
    usedPorts: noPorts
  }, pods)

/**
 * The node with exactly these pods on it: for what-if questions such as preemption.
 *
 * @category combinators
 */
export const withPods = (info: NodeInfo, pods: Iterable<PodInfo>): NodeInfo => {
  const all = [...pods]
  let requested = Resources.none
  let cpuMillis = 0
  let memoryBytes = 0
  for (const pod of all) {
    requested = Resources.add(requested, pod.requests)
    cpuMillis += pod.scoringRequests.cpuMillis
    memoryBytes += pod.scoringRequests.memoryBytes
  }
  const usedPorts = all.some((pod) => pod.hostPorts.length > 0) ? all.flatMap((pod) => pod.hostPorts) : noPorts
  return { ...info, pods: all, requested, scoringRequested: { cpuMillis, memoryBytes }, usedPorts }
}

/**
 * The same pods on a newer version of the node object.
 *
 * @category combinators
 */
export const withNode = (info: NodeInfo, node: CoreV1.Node): NodeInfo => ({
  ...info,
  name: node.metadata.name ?? "",
  node,
  facts: factsOf(node),
  allocatable: Resources.fromList(node.status?.allocatable),
  allowedPods: Resources.allowedPods(node)
})

const shift = (info: NodeInfo, pod: PodInfo, pods: ReadonlyArray<PodInfo>, sign: 1 | -1): NodeInfo => ({
  ...info,
  pods,
  requested: sign === 1 ? Resources.add(info.requested, pod.requests) : Resources.subtract(info.requested, pod.requests),
  scoringRequested: {
    cpuMillis: info.scoringRequested.cpuMillis + sign * pod.scoringRequests.cpuMillis,
    memoryBytes: info.scoringRequested.memoryBytes + sign * pod.scoringRequests.memoryBytes
  },
  usedPorts: pod.hostPorts.length === 0 ? info.usedPorts : pods.flatMap((each) => each.hostPorts)
})

/**
 * The node with one pod more.
 *
 * @category combinators
 */
export const withPod = (info: NodeInfo, pod: PodInfo): NodeInfo => shift(info, pod, [...info.pods, pod], 1)

/**
 * The node without the pod of this id; the same value when it has none.
 *
 * @category combinators
 */
export const withoutPod = (info: NodeInfo, id: string): NodeInfo => {
  const at = info.pods.findIndex((pod) => pod.id === id)
  const pod = info.pods[at]
  return pod === undefined ? info : shift(info, pod, info.pods.toSpliced(at, 1), -1)
}

/**
 * Whether the node says that it can run pods: its `Ready` condition is `True`. A node that has not said so yet is not ready.
 *
 * @category combinators
 */
export const isReady = (info: NodeInfo): boolean => info.facts.ready
