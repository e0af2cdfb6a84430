/**
 * Something a plugin wants to know about all placed pods or all nodes without looking at them all for each pod: counts by topology value, nodes
 * with pods of a kind. The cache brings an index up to date before each attempt with what changed since the last one.
 */
import type { NodeInfo } from "./NodeInfo.js"
import type { PodInfo } from "./PodInfo.js"

/**
 * One index over one cluster. The methods are called for every change, in order, and must be quick. Count by the events alone: the `pods` of a
 * node that is handed over may be ahead of or behind the event. A node is added before its pods and removed after them; when its object
 * changes, both versions are given. A pod that is relabelled in place is removed and added.
 *
 * @category models
 */
export interface Maintained<A> {
  /** What plugins read: the same value as long as the index lives. */
  readonly view: A
  readonly nodeAdded: (node: NodeInfo) => void
  readonly nodeChanged: (old: NodeInfo, next: NodeInfo) => void
  readonly nodeRemoved: (node: NodeInfo) => void
  readonly podAdded: (pod: PodInfo, node: NodeInfo) => void
  readonly podRemoved: (pod: PodInfo, node: NodeInfo) => void
}

/**
 * A kind of index. Define it once, at module level: the value is the identity under which it is kept.
 *
 * @category models
 */
export interface SnapshotIndex<A> {
  readonly name: string
  readonly make: () => Maintained<A>
  /** The indexes of this kind by what keeps them. @internal */
  readonly kept: WeakMap<object, Maintained<A>>
}

/**
 * A kind of index. `make` is called when a plugin first asks a snapshot for it; the index is then told about everything that is there, and kept
 * current from then on. A snapshot that is not from a cache builds it once.
 *
 * @category constructors
 */
export const define = <A>(name: string, make: () => Maintained<A>): SnapshotIndex<A> => ({ name, make, kept: new WeakMap() })

/**
 * An index over these nodes and the pods on them.
 *
 * @category constructors
 */
export const build = <A>(index: SnapshotIndex<A>, nodes: Iterable<NodeInfo>): Maintained<A> => {
  const made = index.make()
  for (const node of nodes) {
    made.nodeAdded(node)
    for (const pod of node.pods) made.podAdded(pod, node)
  }
  return made
}

/**
 * The indexes over the nodes of one snapshot or cache.
 *
 * @internal
 */
export interface Indexes {
  readonly view: <A>(index: SnapshotIndex<A>) => A
  /** Those that have been asked for. */
  readonly made: ReadonlySet<Maintained<unknown>>
}

/** @internal */
export const over = (nodes: () => Iterable<NodeInfo>): Indexes => {
  const made = new Set<Maintained<unknown>>()
  return {
    view: (index) => {
      const known = index.kept.get(made)
      if (known !== undefined) return known.view
      const built = build(index, nodes())
      index.kept.set(made, built)
      made.add(built)
      return built.view
    },
    made
  }
}
