/** Constraints that should hold, as a score of nodes: the fewer pods in a node's domains, the better. */
import type { NodeInfo } from "../../NodeInfo.js"
import type { NodeScore } from "../../SchedulerPlugin.js"
import { domainOf, hasAll } from "./nodeLabels.js"
import type { PodCounts } from "./podCountsIndex.js"
import * as SpreadConstraints from "./spreadConstraints.js"

/** The topology whose domains are single nodes. */
export const hostname = "kubernetes.io/hostname"

/** What `NodeScore` gives for a node that takes no part; it ends as the worst. */
const ignored = -1

interface Part {
  readonly topologyKey: string
  readonly pods: (node: NodeInfo, domain: string) => number
  /** Makes small topologies count as much as large ones. */
  readonly weight: number
  readonly maxSkew: number
}

const topologySize = (feasible: ReadonlyArray<NodeInfo>, keys: ReadonlyArray<string>, topologyKey: string): number => {
  // One domain stands for all nodes without the label; a node name is a domain of its own.
  const domains = new Set<string>()
  let nodes = 0
  for (const { node } of feasible) {
    if (!hasAll(node, keys)) continue
    nodes += 1
    if (topologyKey !== hostname) domains.add(domainOf(node, topologyKey) ?? "")
  }
  return topologyKey === hostname ? nodes : domains.size
}

const partOf = (
  constraint: SpreadConstraints.SpreadConstraint,
  feasible: ReadonlyArray<NodeInfo>,
  keys: ReadonlyArray<string>,
  index: PodCounts
): Part => {
  const { maxSkew, selection, topology, topologyKey } = constraint
  const weight = Math.log(topologySize(feasible, keys, topologyKey) + 2)
  if (topologyKey === hostname) {
    const byNode = index.byNode(selection)
    return { topologyKey, maxSkew, weight, pods: ({ name }) => byNode.get(name) ?? 0 }
  }
  const counts = index.byDomain(selection, topology)
  return { topologyKey, maxSkew, weight, pods: (_, domain) => counts.in(domain) }
}

/** The score by some constraints. With `requireAllKeys`, a node without one of their labels takes no part. */
export const make = (
  constraints: ReadonlyArray<SpreadConstraints.SpreadConstraint>,
  feasible: ReadonlyArray<NodeInfo>,
  requireAllKeys: boolean,
  index: PodCounts
): NodeScore => {
  const keys = requireAllKeys ? SpreadConstraints.keysOf(constraints) : []
  const parts = constraints.map((constraint) => partOf(constraint, feasible, keys, index))
  return (info) => {
    let score = 0
    for (const { maxSkew, pods, topologyKey, weight } of parts) {
      const domain = domainOf(info.node, topologyKey)
      if (domain !== undefined) score += pods(info, domain) * weight + (maxSkew - 1)
      else if (requireAllKeys) return ignored
    }
    return Math.round(score)
  }
}

/** The fewest pods become 100, ignored nodes 0; all become 100 when no node has any. In place. */
export const normalize = (scores: Float64Array): void => {
  let low = Infinity
  let high = 0
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? ignored
    if (score === ignored) continue
    if (score < low) low = score
    if (score > high) high = score
  }
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? ignored
    scores[i] = score === ignored ? 0 : high === 0 ? 100 : Math.floor((100 * (high + low - score)) / high)
  }
}
