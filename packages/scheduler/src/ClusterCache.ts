/**
 * What is placed where, kept current event by event. Besides the pods that the API server shows on a node it holds the assumed ones: placed by
 * this scheduler, but not seen as bound yet. They count at once, so the next pod is not given the same room.
 *
 * Plain synchronous methods: informer handlers call them, and nothing can come in between.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import * as ClusterEvent from "./ClusterEvent.js"
import * as IndexFeed from "./internal/indexFeed.js"
import * as Nominations from "./internal/nominations.js"
import type * as Listers from "./Listers.js"
import * as ListersModule from "./Listers.js"
import * as NodeInfo from "./NodeInfo.js"
import * as PodInfo from "./PodInfo.js"
import * as Resources from "./Resources.js"
import type { Snapshot } from "./Snapshot.js"

/**
 * How much is in a cache.
 *
 * @category models
 */
export interface Size {
  readonly nodes: number
  readonly pods: number
  readonly assumed: number
}

/**
 * Times are milliseconds since the epoch. Methods that take in an object give the changes it means for waiting pods.
 *
 * @category models
 */
export interface ClusterCache {
  readonly setNode: (node: CoreV1.Node) => ReadonlyArray<ClusterEvent.Change>
  readonly removeNode: (name: string) => ReadonlyArray<ClusterEvent.Change>
  /** A pod was seen on a node. Confirms an assumption about it, or corrects it. */
  readonly setPod: (pod: PodInfo.PodInfo, node: string) => ReadonlyArray<ClusterEvent.Change>
  /** A pod left its node: it was deleted or has terminated. */
  readonly removePod: (id: string) => ReadonlyArray<ClusterEvent.Change>
  /** Counts a pod as placed before the API server says so. It is no longer nominated. */
  readonly assume: (pod: PodInfo.PodInfo, node: string) => void
  /** Binding succeeded: unless the pod is seen on its node before `expiresAt`, the assumption is dropped. Times never go back. */
  readonly expireAt: (id: string, expiresAt: number) => void
  /** Binding failed: drops the assumption, if it still is one. */
  readonly forget: (id: string) => ReadonlyArray<ClusterEvent.Change>
  readonly isAssumed: (id: string) => boolean
  /** Whether the pod holds room on a node, assumed or seen. */
  readonly isPlaced: (id: string) => boolean
  /** Drops the assumptions whose time is over and gives the pods. */
  readonly dropExpired: (now: number) => ReadonlyArray<PodInfo.PodInfo>
  /** A waiting pod claims the room that others are about to leave on a node; an earlier claim of it ends. */
  readonly nominate: (pod: PodInfo.PodInfo, node: string) => void
  /** Ends the claim of a waiting pod. */
  readonly clearNomination: (id: string) => void
  /** The node to which a waiting pod is nominated. */
  readonly nominatedNode: (id: string) => string | undefined
  /** The cluster as it is now: it does not change afterwards. */
  readonly snapshot: () => Snapshot
  /** The same without making a copy, valid until this is called again. Costs what changed since the last time. */
  readonly current: () => Snapshot
  readonly size: () => Size
}

interface Placement {
  readonly pod: PodInfo.PodInfo
  readonly node: string
}

/** Nothing that placement of other pods, or the choice of victims, can depend on differs. */
const isSame = (a: PodInfo.PodInfo, b: PodInfo.PodInfo): boolean =>
  a.shape === b.shape && a.pod.metadata.deletionTimestamp === b.pod.metadata.deletionTimestamp &&
  a.pod.status?.startTime === b.pod.status?.startTime && a.pod.status?.conditions?.length === b.pod.status?.conditions?.length

const changesOf = (old: PodInfo.PodInfo, next: PodInfo.PodInfo): ReadonlyArray<ClusterEvent.Change> => {
  if (old.shape === next.shape) return none
  const changes: Array<ClusterEvent.Change> = []
  if (!ClusterEvent.sameTexts(old.shape.labels, next.shape.labels)) changes.push({ event: "AssignedPodUpdateLabels", old, next })
  if (Resources.isLess(next.requests, old.requests)) changes.push({ event: "AssignedPodScaleDown", old, next })
  return changes
}

const none: ReadonlyArray<ClusterEvent.Change> = []

/**
 * An empty cache. Its snapshots offer these listers.
 *
 * @category constructors
 */
export const make = (options: { readonly listers?: Listers.Listers } = {}): ClusterCache => {
  const nodes = new Map<string, NodeInfo.NodeInfo>()
  const placements = new Map<string, Placement>()
  /** When the assumption ends, by pod; never while the binding runs. Those that end come in the order in which they do. */
  const binding = new Set<string>()
  const expiring = new Map<string, number>()
  /** Pods on nodes that are not known, or not any more: their events may come first. */
  const strays = new Map<string, Map<string, PodInfo.PodInfo>>()
  const nominations = Nominations.make()
  const listers = options.listers ?? ListersModule.empty

  let live: Array<NodeInfo.NodeInfo> = []
  let positions: ReadonlyMap<string, number> = new Map()
  let generation = 0
  let nodesChanged = false
  const changed = new Set<string>()
  const indexes = IndexFeed.make(() => live)

  const put = (pod: PodInfo.PodInfo, node: string): void => {
    placements.set(pod.id, { pod, node })
    const info = nodes.get(node)
    if (info === undefined) {
      const waiting = strays.get(node)
      if (waiting === undefined) strays.set(node, new Map([[pod.id, pod]]))
      else waiting.set(pod.id, pod)
      return
    }
    const next = NodeInfo.withPod(info, pod)
    nodes.set(node, next)
    changed.add(node)
    indexes.podAdded(pod, next)
  }

  const take = (id: string): Placement | undefined => {
    const placement = placements.get(id)
    if (placement === undefined) return undefined
    placements.delete(id)
    const info = nodes.get(placement.node)
    if (info === undefined) {
      const waiting = strays.get(placement.node)
      waiting?.delete(id)
      if (waiting?.size === 0) strays.delete(placement.node)
    } else {
      const next = NodeInfo.withoutPod(info, id)
      nodes.set(placement.node, next)
      changed.add(placement.node)
      indexes.podRemoved(placement.pod, next)
    }
    return placement
  }

  const endAssumption = (id: string): boolean => {
    const wasBinding = binding.delete(id)
    return expiring.delete(id) || wasBinding
  }

  const isAssumed = (id: string): boolean => binding.has(id) || expiring.has(id)

  const remove = (id: string): ReadonlyArray<ClusterEvent.Change> => {
    endAssumption(id)
    nominations.clear(id)
    const placement = take(id)
    return placement === undefined ? none : [{ event: "AssignedPodDelete", old: placement.pod, next: undefined }]
  }

  const refresh = (): void => {
    if (nodesChanged) {
      live = [...nodes.values()]
      positions = new Map(live.map((info, position) => [info.name, position]))
      generation += 1
    } else if (changed.size > 0) {
      for (const name of changed) {
        const position = positions.get(name)
        const info = nodes.get(name)
        if (position !== undefined && info !== undefined) live[position] = info
      }
      generation += 1
    }
    nodesChanged = false
    changed.clear()
    indexes.apply()
  }

  let copy: Snapshot | undefined
  const view = (shown: ReadonlyArray<NodeInfo.NodeInfo>, nominated: Snapshot["nominated"]): Snapshot => ({
    generation,
    nodes: shown,
    positions,
    nominated,
    listers,
    index: indexes.view
  })

  return {
    setNode: (node) => {
      const name = node.metadata.name ?? ""
      const known = nodes.get(name)
      if (known === undefined) {
        const waiting = strays.get(name)
        const info = NodeInfo.make(node, waiting?.values())
        nodes.set(name, info)
        strays.delete(name)
        nodesChanged = true
        indexes.nodeAdded(info)
        for (const pod of info.pods) indexes.podAdded(pod, info)
        return [{ event: "NodeAdd", old: undefined, next: node }]
      }
      const next = NodeInfo.withNode(known, node)
      const events = ClusterEvent.ofNodeUpdate(known.node, node)
      nodes.set(name, next)
      changed.add(name)
      indexes.nodeChanged(known, next)
      return events.map((event) => ({ event, old: known.node, next: node }))
    },
    removeNode: (name) => {
      const info = nodes.get(name)
      if (info === undefined) return none
      nodes.delete(name)
      nodesChanged = true
      for (const pod of info.pods) indexes.podRemoved(pod, info)
      indexes.nodeRemoved(info)
      if (info.pods.length > 0) strays.set(name, new Map(info.pods.map((pod) => [pod.id, pod])))
      return [{ event: "NodeDelete", old: info.node, next: undefined }]
    },
    setPod: (pod, node) => {
      const wasAssumed = endAssumption(pod.id)
      nominations.clear(pod.id)
      const known = placements.get(pod.id)
      if (known !== undefined && known.node === node && isSame(known.pod, pod)) {
        return wasAssumed ? [{ event: "AssignedPodAdd", old: undefined, next: pod }] : none
      }
      const old = take(pod.id)
      put(pod, node)
      const added: ClusterEvent.Change = { event: "AssignedPodAdd", old: undefined, next: pod }
      if (old === undefined) return [added]
      if (old.node !== node) return [{ event: "AssignedPodDelete", old: old.pod, next: undefined }, added]
      return wasAssumed ? [added] : changesOf(old.pod, pod)
    },
    removePod: remove,
    assume: (pod, node) => {
      nominations.clear(pod.id)
      take(pod.id)
      put(PodInfo.lean(pod, node), node)
      binding.add(pod.id)
    },
    expireAt: (id, expiresAt) => {
      if (binding.delete(id)) expiring.set(id, expiresAt)
    },
    forget: (id) => isAssumed(id) ? remove(id) : none,
    isAssumed,
    isPlaced: (id) => placements.has(id),
    dropExpired: (now) => {
      const dropped: Array<PodInfo.PodInfo> = []
      for (const [id, expiresAt] of expiring) {
        if (expiresAt > now) break
        const placement = placements.get(id)
        remove(id)
        if (placement !== undefined) dropped.push(placement.pod)
      }
      return dropped
    },
    nominate: nominations.set,
    clearNomination: nominations.clear,
    nominatedNode: nominations.nodeOf,
    snapshot: () => {
      refresh()
      if (copy?.generation !== generation || nominations.changed()) copy = view(live.slice(), new Map(nominations.byNode))
      return copy
    },
    current: () => {
      refresh()
      return view(live, nominations.byNode)
    },
    size: () => ({ nodes: nodes.size, pods: placements.size, assumed: binding.size + expiring.size })
  }
}
