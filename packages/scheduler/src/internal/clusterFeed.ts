/** Carries what the informers see into the cache and the queue. Runs inside informer handlers: synchronous and quick. */
import { PodPhase } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import type { Informer } from "@reddwarf/client"
import type { ClusterCache } from "../ClusterCache.js"
import type { ClusterEvent } from "../ClusterEvent.js"
import * as PodInfo from "../PodInfo.js"
import type { SchedulingQueue } from "../SchedulingQueue.js"

export interface Options {
  readonly cache: ClusterCache
  readonly queue: SchedulingQueue
  /** Whether one of this scheduler's profiles is named by the pod. */
  readonly isMine: (pod: CoreV1.Pod) => boolean
  /** Whether any plugin cares for the event. Most do not care for pods being placed, and that is the most frequent one. */
  readonly matters: (event: ClusterEvent) => boolean
}

export interface ClusterFeed {
  readonly onNode: (event: Informer.InformerEvent<CoreV1.Node>) => void
  readonly onPod: (event: Informer.InformerEvent<CoreV1.Pod>) => void
}

export const make = ({ cache, isMine, matters, queue }: Options): ClusterFeed => {
  const notify = (events: ReadonlyArray<ClusterEvent>): void => {
    for (const event of events) if (matters(event)) queue.notify(event)
  }

  const gone = (pod: CoreV1.Pod): void => {
    const id = PodInfo.idOf(pod)
    queue.remove(id)
    notify(cache.removePod(id))
  }

  const seen = (pod: CoreV1.Pod): void => {
    const node = pod.spec?.nodeName ?? ""
    if (PodPhase.isTerminal(pod)) return gone(pod)
    if (node !== "") {
      const info = PodInfo.make(pod)
      queue.remove(info.id)
      return notify(cache.setPod(info, node))
    }
    const id = PodInfo.idOf(pod)
    // A pod that holds room is bound; this is an older version of it that the watch is still to catch up from.
    if (cache.isPlaced(id) && !queue.has(id)) return
    if (!isMine(pod) || pod.metadata.deletionTimestamp !== undefined) return queue.remove(id)
    queue.upsert(PodInfo.make(pod))
  }

  return {
    onNode: (event) =>
      notify(event.type === "deleted" ? cache.removeNode(event.object.metadata.name ?? "") : cache.setNode(event.object)),
    onPod: (event) => {
      if (event.type === "deleted") return gone(event.object)
      // A pod that was deleted and made again between two lists shows as one update.
      if (event.type === "updated" && PodInfo.idOf(event.old) !== PodInfo.idOf(event.object)) gone(event.old)
      seen(event.object)
    }
  }
}
