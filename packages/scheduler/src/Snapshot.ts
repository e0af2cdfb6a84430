/** All nodes at one moment. A pod is placed against one snapshot, which does not change while plugins look at it. */
import * as Listers from "./Listers.js"
import type { NodeInfo } from "./NodeInfo.js"
import type { PodInfo } from "./PodInfo.js"
import * as SnapshotIndex from "./SnapshotIndex.js"

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
  /** Pods that wait for a node's other pods to leave: they are not placed, but have a claim to its room. By node name. */
  readonly nominated: ReadonlyMap<string, ReadonlyArray<PodInfo>>
  readonly listers: Listers.Listers
  /** An index, as of the newest snapshot: read it within the attempt, keep nothing of it. */
  readonly index: <A>(index: SnapshotIndex.SnapshotIndex<A>) => A
}

/**
 * What a snapshot may know besides its nodes.
 *
 * @category models
 */
export interface Options {
  readonly generation?: number
  readonly nominated?: ReadonlyMap<string, ReadonlyArray<PodInfo>>
  readonly listers?: Listers.Listers
}

const noneNominated: ReadonlyMap<string, ReadonlyArray<PodInfo>> = new Map()

/**
 * A snapshot of these nodes. Its indexes are built from them when they are first asked for.
 *
 * @category constructors
 */
export const make = (nodes: ReadonlyArray<NodeInfo>, options: Options = {}): Snapshot => ({
  generation: options.generation ?? 0,
  nodes,
  positions: new Map(nodes.map((info, position) => [info.name, position])),
  nominated: options.nominated ?? noneNominated,
  listers: options.listers ?? Listers.empty,
  index: SnapshotIndex.over(() => nodes).view
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
