/** Carries what the informers see into the cache and the queue. Runs inside informer handlers: synchronous and quick. */
import { PodPhase } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import type { Informer } from "@reddwarf/client"
import type { ClusterCache } from "../ClusterCache.js"
import type { Change, ClusterEvent } from "../ClusterEvent.js"
import * as PodInfo from "../PodInfo.js"
import type { SchedulingQueue } from "../SchedulingQueue.js"

export interface Options {
  readonly cache: ClusterCache
  readonly queue: SchedulingQueue
  /** Whether one of this scheduler's profiles is named by the pod. */
  readonly isMine: (pod: CoreV1.Pod) => boolean
  /** Whether any plugin cares for the event. Most do not care for pods being placed, and that is the most frequent one. */
  readonly matters: (event: ClusterEvent) => boolean
  /** Told when a pod that waits for a permission is gone. */
  readonly onGone?: (id: string) => void
}

export interface ClusterFeed {
  readonly onNode: (event: Informer.InformerEvent<CoreV1.Node>) => void
  readonly onPod: (event: Informer.InformerEvent<CoreV1.Pod>) => void
}

export const make = ({ cache, isMine, matters, onGone, queue }: Options): ClusterFeed => {
  /** The id of each pod by its key: a pod that was deleted and made again between two lists shows as one update. */
  const ids = new Map<string, string>()

  const onChange = (change: Change): void => {
    if (matters(change.event)) queue.notify(change)
  }
  const notify = (changes: ReadonlyArray<Change>): void => {
    for (const change of changes) onChange(change)
  }

  /** The pod is no longer to be placed. Room that it holds while it is being bound it holds until that has failed. */
  const leaveQueue = (id: string, pod: CoreV1.Pod | undefined): void => {
    const waited = queue.has(id)
    queue.remove(id)
    onGone?.(id)
    cache.clearNomination(id)
    if (waited && pod !== undefined && matters("PodDelete")) queue.notify({ event: "PodDelete", old: PodInfo.make(pod), next: undefined })
  }

  const gone = (id: string, pod: CoreV1.Pod | undefined): void => {
    leaveQueue(id, pod)
    notify(cache.removePod(id))
  }

  /** A pod that another scheduler places: what that one has promised it counts here, too. */
  const foreign = (pod: CoreV1.Pod, id: string): void => {
    queue.remove(id)
    const nominated = pod.status?.nominatedNodeName ?? ""
    if (nominated === "" || pod.metadata.deletionTimestamp !== undefined) cache.clearNomination(id)
    else cache.nominate(PodInfo.make(pod), nominated)
  }

  const pending = (pod: CoreV1.Pod, id: string): void => {
    // A pod that holds room is bound; this is an older version of it that the watch is still to catch up from.
    const known = queue.has(id)
    if (!known && cache.isPlaced(id)) return
    if (!isMine(pod)) return foreign(pod, id)
    if (pod.metadata.deletionTimestamp !== undefined) return leaveQueue(id, pod)
    const info = PodInfo.make(pod)
    const nominated = pod.status?.nominatedNodeName ?? ""
    // What this scheduler has nominated itself it knows before the watch does.
    if (!known && nominated !== "") cache.nominate(info, nominated)
    queue.upsert(info)
    if (!known) onChange({ event: "PodAdd", old: undefined, next: info })
  }

  const seen = (pod: CoreV1.Pod, id: string): void => {
    const node = pod.spec?.nodeName ?? ""
    if (PodPhase.isTerminal(pod)) return gone(id, undefined)
    if (node === "") return pending(pod, id)
    queue.remove(id)
    notify(cache.setPod(PodInfo.placed(pod), node))
  }

  return {
    onNode: (event) =>
      notify(event.type === "deleted" ? cache.removeNode(event.object.metadata.name ?? "") : cache.setNode(event.object)),
    onPod: (event) => {
      const pod = event.object
      const id = PodInfo.idOf(pod)
      const key = `${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""}`
      if (event.type === "deleted") {
        ids.delete(key)
        return gone(id, pod)
      }
      const before = ids.get(key)
      if (before !== id) {
        if (before !== undefined) gone(before, undefined)
        ids.set(key, id)
      }
      seen(pod, id)
    }
  }
}
