/** The placing alone: queue, snapshot, decision, the room taken, and the binding confirmed as an event, with no API and nobody told. */
import { ClusterCache, PodInfo, PrioritySort, Profile, SchedulingCycle, SchedulingQueue } from "@reddwarf/scheduler"
import { Effect } from "effect"
import type { MemoryCluster } from "./MemoryCluster.ts"
import { pod } from "./Templates.ts"
import type { Batch } from "./Workloads.ts"

/** The scheduler's view of a cluster. */
export const cacheOf = (cluster: MemoryCluster): ClusterCache.ClusterCache => {
  const cache = ClusterCache.make()
  for (const node of cluster.nodes.values()) cache.setNode(node)
  for (const placed of cluster.pods.values()) cache.setPod(PodInfo.placed(placed), placed.spec?.nodeName ?? "")
  return cache
}

/** Places the pods one after the other; gives how many a second. Fails when one finds no node. */
export const place = (cluster: MemoryCluster, { count, namespace, template }: Batch): Effect.Effect<number> =>
  Effect.gen(function*() {
    const cache = cacheOf(cluster)
    const queue = yield* SchedulingQueue.make({ order: PrioritySort.order })
    const pods = Array.from({ length: count }, (_, i) => pod(template, namespace, `measured-${String(i)}`, i))
    const memory = SchedulingCycle.memory()
    let start = 0
    const one = Effect.map(queue.take, ({ info }) => {
      const decision = SchedulingCycle.schedule(Profile.builtIn, info, cache.current(), { start, random: Math.random, memory })
      start = decision.nextStart
      if (decision._tag !== "Placed") throw new Error(`${info.key} found no node`)
      cache.assume(info, decision.node)
      queue.remove(info.id)
      cache.setPod(PodInfo.placed({ ...info.pod, spec: { containers: [], ...info.pod.spec, nodeName: decision.node } }), decision.node)
    })
    const began = performance.now()
    for (const each of pods) queue.upsert(PodInfo.make(each))
    yield* Effect.repeatN(one, count - 1)
    return count * 1000 / (performance.now() - began)
  })
