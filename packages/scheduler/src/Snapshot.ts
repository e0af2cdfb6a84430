/** All nodes at one moment. A pod is placed against one snapshot, which does not change while plugins look at it. */
import type { NodeInfo } from "./NodeInfo.js"

/**
 * The nodes in a fixed order, with the position of each by name. A later generation holds later changes; nodes that did not change between
 * two snapshots are the same values in both.
 *
 * @category models
 */
export interface Snapshot {
  readonly generation: number
  readonly nodes: ReadonlyArray<NodeInfo>
  readonly positions: ReadonlyMap<string, number>
}

/**
 * A snapshot of these nodes.
 *
 * @category constructors
 */
export const make = (nodes: ReadonlyArray<NodeInfo>, generation = 0): Snapshot => ({
  generation,
  nodes,
  positions: new Map(nodes.map((info, position) => [info.name, position]))
})

/**
 * The node of this name.
 *
 * @category combinators
 */
export const get = (snapshot: Snapshot, name: string): NodeInfo | undefined => {
  const position = snapshot.positions.get(name)
  return position === undefined ? undefined : snapshot.nodes[position]
}
