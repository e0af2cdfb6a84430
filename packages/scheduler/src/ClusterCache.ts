/**
 * What is placed where, kept current event by event. Besides the pods that the API server shows on a node it holds the assumed ones: placed by
 * this scheduler, but not seen as bound yet. They count at once, so the next pod is not given the same room.
 *
 * Plain synchronous methods: informer handlers call them, and nothing can come in between.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import { isDeepStrictEqual } from "node:util"
import * as ClusterEvent from "./ClusterEvent.js"
import * as NodeInfo from "./NodeInfo.js"
import type { PodInfo } from "./PodInfo.js"
import * as Snapshot from "./Snapshot.js"

/**
 * Times are milliseconds since the epoch. Methods that take in an object give the events it means for waiting pods.
 *
 * @category models
 */
export interface ClusterCache {
  readonly setNode: (node: CoreV1.Node) => ReadonlyArray<ClusterEvent.ClusterEvent>
  readonly removeNode: (name: string) => ReadonlyArray<ClusterEvent.ClusterEvent>
  /** A pod was seen on a node. Confirms an assumption about it, or corrects it. */
  readonly setPod: (pod: PodInfo, node: string) => ReadonlyArray<ClusterEvent.ClusterEvent>
  /** A pod left its node: it was deleted or has terminated. */
  readonly removePod: (id: string) => ReadonlyArray<ClusterEvent.ClusterEvent>
  /** Counts a pod as placed before the API server says so. */
  readonly assume: (pod: PodInfo, node: string) => void
  /** Binding succeeded: unless the pod is seen on its node before `expiresAt`, the assumption is dropped. */
  readonly expireAt: (id: string, expiresAt: number) => void
  /** Binding failed: drops the assumption, if it still is one. */
  readonly forget: (id: string) => ReadonlyArray<ClusterEvent.ClusterEvent>
  readonly isAssumed: (id: string) => boolean
  /** Whether the pod holds room on a node, assumed or seen. */
  readonly isPlaced: (id: string) => boolean
  /** Drops the assumptions whose time is over and gives the pods. */
  readonly dropExpired: (now: number) => ReadonlyArray<PodInfo>
  /** The nodes as they are now. Costs what changed since the last one. */
  readonly snapshot: () => Snapshot.Snapshot
}

interface Placement {
  readonly pod: PodInfo
  readonly node: string
}

const sameForPlacement = (a: PodInfo, b: PodInfo): boolean =>
  isDeepStrictEqual(a.requests, b.requests) && isDeepStrictEqual(a.pod.metadata.labels, b.pod.metadata.labels)

/**
 * An empty cache.
 *
 * @category constructors
 */
export const make = (): ClusterCache => {
  const nodes = new Map<string, NodeInfo.NodeInfo>()
  const placements = new Map<string, Placement>()
  /** When the assumption ends, by pod; never while the binding runs. */
  const assumed = new Map<string, number>()
  /** Pods on nodes that are not known, or not any more: their events may come first. */
  const strays = new Map<string, Map<string, PodInfo>>()

  let current = Snapshot.make([])
  let nodesChanged = false
  const changed = new Set<string>()

  const put = (pod: PodInfo, node: string): void => {
    placements.set(pod.id, { pod, node })
    const info = nodes.get(node)
    if (info === undefined) {
      const waiting = strays.get(node)
      if (waiting === undefined) strays.set(node, new Map([[pod.id, pod]]))
      else waiting.set(pod.id, pod)
      return
    }
    nodes.set(node, NodeInfo.withPod(info, pod))
    changed.add(node)
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
      nodes.set(placement.node, NodeInfo.withoutPod(info, id))
      changed.add(placement.node)
    }
    return placement
  }

  const remove = (id: string): ReadonlyArray<ClusterEvent.ClusterEvent> => {
    assumed.delete(id)
    return take(id) === undefined ? [] : ["AssignedPodDelete"]
  }

  return {
    setNode: (node) => {
      const name = node.metadata.name ?? ""
      const known = nodes.get(name)
      if (known === undefined) {
        nodes.set(name, NodeInfo.make(node, strays.get(name)?.values()))
        strays.delete(name)
        nodesChanged = true
        return ["NodeAdd"]
      }
      nodes.set(name, NodeInfo.withNode(known, node))
      changed.add(name)
      return ClusterEvent.ofNodeUpdate(known.node, node)
    },
    removeNode: (name) => {
      const info = nodes.get(name)
      if (info === undefined) return []
      nodes.delete(name)
      nodesChanged = true
      if (info.pods.length > 0) strays.set(name, new Map(info.pods.map((pod) => [pod.id, pod])))
      return ["NodeDelete"]
    },
    setPod: (pod, node) => {
      const wasAssumed = assumed.delete(pod.id)
      const old = take(pod.id)
      put(pod, node)
      if (old === undefined || wasAssumed) return old === undefined || old.node === node ? ["AssignedPodAdd"] : ["AssignedPodDelete", "AssignedPodAdd"]
      if (old.node !== node) return ["AssignedPodDelete", "AssignedPodAdd"]
      return sameForPlacement(old.pod, pod) ? [] : ["AssignedPodUpdate"]
    },
    removePod: remove,
    assume: (pod, node) => {
      take(pod.id)
      put(pod, node)
      assumed.set(pod.id, Infinity)
    },
    expireAt: (id, expiresAt) => {
      if (assumed.has(id)) assumed.set(id, expiresAt)
    },
    forget: (id) => assumed.has(id) ? remove(id) : [],
    isAssumed: (id) => assumed.has(id),
    isPlaced: (id) => placements.has(id),
    dropExpired: (now) => {
      const dropped: Array<PodInfo> = []
      for (const [id, expiresAt] of assumed) {
        const placement = placements.get(id)
        if (expiresAt > now || placement === undefined) continue
        remove(id)
        dropped.push(placement.pod)
      }
      return dropped
    },
    snapshot: () => {
      if (nodesChanged) {
        current = Snapshot.make([...nodes.values()], current.generation + 1)
      } else if (changed.size > 0) {
        const next = current.nodes.slice()
        for (const name of changed) {
          const position = current.positions.get(name)
          const info = nodes.get(name)
          if (position !== undefined && info !== undefined) next[position] = info
        }
        current = { generation: current.generation + 1, nodes: next, positions: current.positions }
      }
      nodesChanged = false
      changed.clear()
      return current
    }
  }
}
