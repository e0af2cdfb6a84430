/** What is placed where: the scenarios of Kubernetes' scheduler benchmark, as data. */
import type { TemplateName } from "./Templates.ts"

/** So many pods of one kind. */
export interface Batch {
  readonly template: TemplateName
  readonly namespace: string
  readonly count: number
}

/** What keeps changing while pods are placed: this often a second, something is made and deleted again. */
export interface Churn {
  readonly perSecond: number
  readonly nodes: boolean
  readonly pods: TemplateName
}

/** One scenario, in its full size. */
export interface Workload {
  readonly name: string
  readonly nodes: number
  /** The nodes are in these zones, in turn. */
  readonly zones: ReadonlyArray<string>
  /** Placed before. */
  readonly initial: ReadonlyArray<Batch>
  /** There before, and meant to stay without a node. */
  readonly waiting: ReadonlyArray<Batch>
  /** Placed while the time is taken. */
  readonly measured: Batch
  readonly churn?: Churn
  /** Pods a second that Kubernetes asks of its own scheduler in this scenario. */
  readonly floor?: number
}

const batch = (template: TemplateName, count: number, namespace = "sched-1"): Batch => ({ template, namespace, count })
const init = (template: TemplateName, count: number): Batch => batch(template, count, "sched-0")

const workload = (name: string, measured: Batch, more: Partial<Workload> = {}): Workload => ({
  name,
  nodes: 5000,
  zones: [],
  initial: [],
  waiting: [],
  measured,
  ...more
})

const oneZone = ["zone1"]
const threeZones = ["zone1", "zone2", "zone3"]

/** In the order in which they run. */
export const workloads: ReadonlyArray<Workload> = [
  workload("SchedulingBasic", batch("default", 10_000), { initial: [init("default", 1000)], floor: 595 }),
  workload("SchedulingPodAffinity", batch("pod-with-pod-affinity", 5000), { zones: oneZone, initial: [init("pod-with-pod-affinity", 5000)], floor: 70 }),
  workload("SchedulingPodAntiAffinity", batch("pod-with-pod-anti-affinity", 2000), { initial: [init("pod-with-pod-anti-affinity", 1000)], floor: 70 }),
  workload("SchedulingPreferredPodAffinity", batch("pod-with-preferred-pod-affinity", 5000), { initial: [init("pod-with-preferred-pod-affinity", 5000)], floor: 90 }),
  workload("SchedulingPreferredPodAntiAffinity", batch("pod-with-preferred-pod-anti-affinity", 5000), {
    initial: [init("pod-with-preferred-pod-anti-affinity", 5000)],
    floor: 90
  }),
  workload("SchedulingNodeAffinity", batch("pod-with-node-affinity", 10_000), { zones: oneZone, initial: [init("pod-with-node-affinity", 5000)], floor: 220 }),
  workload("TopologySpreading", batch("pod-with-topology-spreading", 5000), { zones: threeZones, initial: [init("default", 5000)], floor: 85 }),
  workload("PreferredTopologySpreading", batch("pod-with-preferred-topology-spreading", 5000), {
    zones: threeZones,
    initial: [init("default", 5000)],
    floor: 125
  }),
  workload("MixedSchedulingBasePod", batch("default", 1000), {
    zones: oneZone,
    initial: [
      init("default", 2000),
      init("pod-with-pod-affinity", 2000),
      init("pod-with-pod-anti-affinity", 2000),
      init("pod-with-preferred-pod-affinity", 2000),
      init("pod-with-preferred-pod-anti-affinity", 2000)
    ],
    floor: 140
  }),
  workload("Preemption", batch("pod-high-priority", 5000), { initial: [init("pod-low-priority", 20_000)], floor: 200 }),
  workload("Unschedulable", batch("default", 10_000), { waiting: [init("pod-large-cpu", 200)], floor: 170 }),
  workload("SchedulingDaemonset", batch("daemonset-pod", 15_000), { nodes: 15_000, floor: 390 }),
  workload("SchedulingWhileGated", batch("default", 10_000), { waiting: [init("gated-pod", 10_000)], floor: 130 }),
  workload("SchedulingWithMixedChurn", batch("default", 10_000), { churn: { perSecond: 5, nodes: true, pods: "pod-large-cpu" }, floor: 265 })
]

/** The same with all counts times a factor. */
export const scaled = (whole: Workload, scale: number): Workload => {
  const n = (count: number): number => Math.max(1, Math.round(count * scale))
  const each = (one: Batch): Batch => ({ ...one, count: n(one.count) })
  return { ...whole, nodes: n(whole.nodes), initial: whole.initial.map(each), waiting: whole.waiting.map(each), measured: each(whole.measured) }
}
