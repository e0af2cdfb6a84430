/**
 * One workload against the scheduler of this process. Run as a process of its own, `libraryRun.ts WORKLOAD SCALE`: it prints the measurements as JSON.
 * First the placing alone, then the whole scheduler on an API in memory.
 */
import { Scheduler } from "@reddwarf/scheduler"
import { Effect } from "effect"
import { percentile } from "../Load.ts"
import { place } from "./Placing.ts"
import { MemoryCluster } from "./MemoryCluster.ts"
import { node, pod, type TemplateName } from "./Templates.ts"
import { type Batch, type Churn, scaled, type Workload, workloads } from "./Workloads.ts"

/** What is measured of the whole scheduler. Times in milliseconds. */
interface Burst {
  readonly pods: number
  readonly perSecond: number
  readonly cpuMillisEach: number
  /** From the creation of all pods to the binding of each. */
  readonly p50: number
  readonly p99: number
}

/** All measurements of a workload. */
export interface Measured extends Burst {
  /** Pods a second of the placing alone; undefined for workloads in which it is not all. */
  readonly placingPerSecond: number | undefined
  /** From creation to binding of pods that come alone. */
  readonly singleP50: number
  readonly singleP99: number
}

const deadlineMillis = 180_000
const singles = 20

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const until = async (what: string, condition: () => boolean): Promise<void> => {
  const deadline = performance.now() + deadlineMillis
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${String(deadlineMillis / 1000)} s: ${what}`)
    await pause(1)
  }
}

/** A cluster with nodes, and pods that are on them already, in turn. */
const prepared = ({ initial, nodes, zones }: Workload): MemoryCluster => {
  const cluster = new MemoryCluster()
  for (let i = 0; i < nodes; i++) cluster.setNode(node(`node-${String(i)}`, i, zones))
  let placed = 0
  for (const batch of initial) {
    for (let i = 0; i < batch.count; i++) {
      const made = pod(batch.template, batch.namespace, `${batch.template}-${String(placed)}`, i)
      cluster.setPod({ ...made, spec: { containers: [], ...made.spec, nodeName: `node-${String(placed % nodes)}` } })
      placed += 1
    }
  }
  return cluster
}

/** Makes things and deletes them again until it is told to stop. */
const churning = (cluster: MemoryCluster, churn: Churn | undefined): () => void => {
  if (churn === undefined) return () => undefined
  let i = 0
  const timer = setInterval(() => {
    const name = `churn-${String(i >> 1)}`
    if (i % 2 === 0) {
      if (churn.nodes) cluster.setNode(node(name, i, []))
      cluster.setPod(pod(churn.pods, "churn", name, i))
    } else {
      if (churn.nodes) cluster.removeNode(name)
      cluster.removePod(`churn/${name}`)
    }
    i += 1
  }, 1000 / churn.perSecond)
  return () => clearInterval(timer)
}

interface Bound {
  readonly at: Map<string, number>
}

const burst = async (cluster: MemoryCluster, { at }: Bound, { count, namespace, template }: Batch): Promise<Burst> => {
  const made = Array.from({ length: count }, (_, i) => pod(template, namespace, `measured-${String(i)}`, i))
  const cpu = process.cpuUsage()
  const began = performance.now()
  for (const each of made) cluster.setPod(each)
  await until(`${String(count)} pods are bound`, () => at.size >= count)
  const { system, user } = process.cpuUsage(cpu)
  const latencies = Array.from(at.values(), (each) => each - began).toSorted((a, b) => a - b)
  return {
    pods: count,
    perSecond: count * 1000 / (latencies.at(-1) ?? Number.NaN),
    cpuMillisEach: (system + user) / 1000 / count,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99)
  }
}

/** More of these would find no room, or name nodes that are taken. */
const fillsNodes: ReadonlySet<TemplateName> = new Set(["daemonset-pod", "pod-high-priority", "pod-with-pod-anti-affinity"])

const alone = async (cluster: MemoryCluster, { at }: Bound, { namespace, template }: Batch): Promise<ReadonlyArray<number>> => {
  const times: Array<number> = []
  for (let i = 0; i < singles; i++) {
    const name = `single-${String(i)}`
    const began = performance.now()
    cluster.setPod(pod(fillsNodes.has(template) ? "default" : template, namespace, name, i))
    await until(`${name} is bound`, () => at.has(name))
    times.push((at.get(name) ?? Number.NaN) - began)
    await pause(20)
  }
  return times.toSorted((a, b) => a - b)
}

const run = async (workload: Workload): Promise<Measured> => {
  // Who waits for room or for changes depends on more than placing.
  const isPlacing = workload.churn === undefined && workload.waiting.length === 0 && workload.measured.template !== "pod-high-priority"
  const placingPerSecond = isPlacing ? await Effect.runPromise(place(prepared(workload), workload.measured)) : undefined
  const cluster = prepared(workload)
  const bound: Bound = { at: new Map() }
  const program = Effect.gen(function*() {
    const scheduler = yield* Scheduler.Scheduler
    yield* Effect.promise(() => until("the scheduler knows the cluster", () => scheduler.explain("none/none")._tag === "NoPod"))
    const wait = workload.waiting.reduce((sum, { count }) => sum + count, 0)
    for (const batch of workload.waiting) {
      for (let i = 0; i < batch.count; i++) cluster.setPod(pod(batch.template, batch.namespace, `waiting-${batch.template}-${String(i)}`, i))
    }
    yield* Effect.iterate(0, {
      while: (there) => there < wait,
      body: () => Effect.delay(Effect.map(scheduler.depth, ({ gated, unschedulable }) => gated + unschedulable), "5 millis")
    }).pipe(Effect.timeout("3 minutes"))
    cluster.onBound = ({ metadata: { name = "" } }) => void (name.startsWith("measured-") || name.startsWith("single-") ? bound.at.set(name, performance.now()) : undefined)
    const stop = churning(cluster, workload.churn)
    const measured = yield* Effect.promise(() => burst(cluster, bound, workload.measured))
    const single = yield* Effect.promise(() => alone(cluster, bound, workload.measured))
    stop()
    return { ...measured, placingPerSecond, singleP50: percentile(single, 0.5), singleP99: percentile(single, 0.99) }
  })
  return program.pipe(Effect.provide(Scheduler.layer()), Effect.provide(cluster.client), Effect.scoped, Effect.runPromise)
}

const [, , name = "", scale = "1"] = process.argv
const found = workloads.find((each) => each.name === name)
if (found === undefined) throw new Error(`there is no workload ${name}`)
const measured = await run(scaled(found, Number(scale)))
process.stdout.write(`${JSON.stringify(measured)}\n`)
process.exit(0)
