/**
 * What a large cluster takes: `capacityRun.ts NODES PODS`, in a process of its own that can collect its garbage (`--expose-gc`). It prints the measurements as JSON.
 */
import { type ClusterCache, NodeInfo, PodInfo, Profile, SchedulingCycle } from "@reddwarf/scheduler"
import { cacheOf } from "./Placing.ts"
import { MemoryCluster } from "./MemoryCluster.ts"
import { node, pod, type TemplateName } from "./Templates.ts"

/** Bytes and milliseconds. */
export interface Capacity {
  readonly bytes: number
  /** Of the first pod of each kind, for which what its plugins count is counted. */
  readonly first: Readonly<Record<string, number>>
  /** Of one more, the median of twenty: like pods that came before, and with labels that none had. */
  readonly known: Readonly<Record<string, number>>
  readonly fresh: Readonly<Record<string, number>>
}

const heapUsed = (): number => {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** Each pod is parsed anew, as those are that come from an API: only what the scheduler shares is shared. */
const filled = (nodes: number, pods: number): ClusterCache.ClusterCache => {
  const cache = cacheOf(new MemoryCluster())
  for (let i = 0; i < nodes; i++) cache.setNode(JSON.parse(JSON.stringify(node(`node-${String(i)}`, i, ["zone1", "zone2", "zone3"]))))
  const kinds: ReadonlyArray<TemplateName> = ["default", "pod-with-preferred-pod-affinity", "pod-with-preferred-topology-spreading", "pod-with-node-affinity"]
  for (let i = 0; i < pods; i++) {
    const name = `node-${String(i % nodes)}`
    const made = pod(kinds[i % kinds.length] ?? "default", "sched-0", `placed-${String(i)}`, i)
    const bound = { ...made, metadata: { ...made.metadata, labels: { ...made.metadata.labels, app: `app-${String(i % 500)}` } }, spec: { ...made.spec, nodeName: name } }
    cache.setPod(PodInfo.placed(JSON.parse(JSON.stringify(bound))), name)
  }
  cache.current()
  return cache
}

const median = (times: ReadonlyArray<number>): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN

const oneMore = (cache: ClusterCache.ClusterCache, template: TemplateName, isFresh: boolean): { readonly first: number; readonly others: number } => {
  const memory = SchedulingCycle.memory()
  let start = 0
  const times = Array.from({ length: 21 }, (_, i) => {
    const made = pod(template, "sched-0", `more-${template}-${String(isFresh)}-${String(i)}`, i)
    const shaped = isFresh ? { ...made, metadata: { ...made.metadata, labels: { ...made.metadata.labels, only: `this-${String(i)}` } } } : made
    const began = performance.now()
    const info = PodInfo.make(shaped)
    const decision = SchedulingCycle.schedule(Profile.builtIn, info, cache.current(), { start, random: Math.random, memory })
    start = decision.nextStart
    if (decision._tag === "Placed") cache.assume(info, decision.node)
    return performance.now() - began
  })
  return { first: times[0] ?? Number.NaN, others: median(times.slice(1)) }
}

const [, , nodes = "5000", pods = "150000"] = process.argv
const before = heapUsed()
const cache = filled(Number(nodes), Number(pods))
const bytes = heapUsed() - before
const asked: ReadonlyArray<TemplateName> = ["default", "pod-with-pod-anti-affinity", "pod-with-preferred-pod-affinity", "pod-with-topology-spreading", "pod-with-node-affinity"]
const known = asked.map((template) => [template, oneMore(cache, template, false)] as const)
const fresh = asked.map((template) => [template, oneMore(cache, template, true)] as const)
const capacity: Capacity = {
  bytes,
  first: Object.fromEntries(known.map(([template, { first }]) => [template, first])),
  known: Object.fromEntries(known.map(([template, { others }]) => [template, others])),
  fresh: Object.fromEntries(fresh.map(([template, { others }]) => [template, others]))
}
// Without this the engine may take the nodes for garbage before they are counted.
if (NodeInfo.isReady(cache.current().nodes[0] ?? NodeInfo.make(node("none", 0, [])))) process.stdout.write(`${JSON.stringify(capacity)}\n`)
