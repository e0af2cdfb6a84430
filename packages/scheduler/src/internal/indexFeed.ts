/**
 * Keeps the indexes that plugins have asked for current: notes what happens between two snapshots and tells them all at once, so that an
 * index stays as it is while an attempt reads it.
 */
import type { NodeInfo } from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import * as SnapshotIndex from "../SnapshotIndex.js"

type Step = (index: SnapshotIndex.Maintained<unknown>) => void

export interface IndexFeed extends Omit<SnapshotIndex.Maintained<unknown>, "view"> {
  readonly view: SnapshotIndex.Indexes["view"]
  /** Brings the indexes up to date. Call it after the nodes are those of the new snapshot. */
  readonly apply: () => void
}

/** Noted steps from which on it is cheaper, and needs less memory, to build the indexes anew. */
const capacity = 100_000

/** `nodes` gives those of the newest snapshot. */
export const make = (nodes: () => Iterable<NodeInfo>): IndexFeed => {
  let indexes = SnapshotIndex.over(nodes)
  let steps: Array<Step> = []
  /** Something has happened since the newest snapshot that was not noted, because there was no index then. */
  let unnoted = false
  let stale = false

  const startAnew = (): void => {
    indexes = SnapshotIndex.over(nodes)
    steps = []
    stale = false
  }

  const note = (step: Step): void => {
    if (indexes.made.size === 0) unnoted = true
    else if (steps.length < capacity) steps.push(step)
    else stale = true
  }
  return {
    view: (index) => {
      if (unnoted) stale = true
      return indexes.view(index)
    },
    apply: () => {
      if (stale) startAnew()
      for (const index of indexes.made) for (const step of steps) step(index)
      steps = []
      unnoted = false
    },
    nodeAdded: (node) => note((index) => index.nodeAdded(node)),
    nodeChanged: (old, next) => note((index) => index.nodeChanged(old, next)),
    nodeRemoved: (node) => note((index) => index.nodeRemoved(node)),
    podAdded: (pod: PodInfo, node: NodeInfo) => note((index) => index.podAdded(pod, node)),
    podRemoved: (pod: PodInfo, node: NodeInfo) => note((index) => index.podRemoved(pod, node))
  }
}
