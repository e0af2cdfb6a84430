/** Labels of nodes as the domains of a topology. */
import type { CoreV1 } from "@reddwarf/api-types"

/** The domain of a node; undefined when it has none. Called for each node and pod, so it is as short as can be. */
export const domainOf = (node: CoreV1.Node, topologyKey: string): string | undefined => {
  const value: unknown = node.metadata.labels?.[topologyKey]
  // What an object inherits under a name such as `constructor` is not text.
  return typeof value === "string" ? value : undefined
}

/** Whether the node has a domain of each of these topologies. */
export const hasAll = (node: CoreV1.Node, topologyKeys: ReadonlyArray<string>): boolean => {
  for (const key of topologyKeys) if (domainOf(node, key) === undefined) return false
  return true
}

type Labels = Readonly<Record<string, string>> | undefined

/** Whether two versions of a node have the same labels: a heartbeat changes none, but gives a new object. */
export const sameLabels = (a: CoreV1.Node, b: CoreV1.Node): boolean => {
  const left: Labels = a.metadata.labels
  const right: Labels = b.metadata.labels
  if (left === right) return true
  if (left === undefined || right === undefined) return false
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key])
}

/** Whether two versions of a node are the same for every topology. */
export const sameForTopology = (a: CoreV1.Node, b: CoreV1.Node): boolean =>
  sameLabels(a, b) && (a.spec?.taints === b.spec?.taints || JSON.stringify(a.spec?.taints ?? []) === JSON.stringify(b.spec?.taints ?? []))
