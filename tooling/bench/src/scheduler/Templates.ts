/** The nodes and pods that the workloads are made of: those of Kubernetes' own scheduler benchmark, by the names they have there. */
import type { CoreV1 } from "@reddwarf/api-types"

const zone = "topology.kubernetes.io/zone"
const hostname = "kubernetes.io/hostname"

/** 4 CPU, 32 GiB, 110 pods, in one of these zones, in turn. */
export const node = (name: string, i: number, zones: ReadonlyArray<string>): CoreV1.Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name,
    uid: `uid-${name}`,
    labels: { [hostname]: name, ...(zones.length === 0 ? {} : { [zone]: zones[i % zones.length] ?? "" }) }
  },
  spec: {},
  status: {
    capacity: { cpu: "4", memory: "32Gi", pods: "110" },
    allocatable: { cpu: "4", memory: "32Gi", pods: "110" },
    conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }]
  }
})

/** What the pods of one kind have in common; `i` counts them. */
export interface Template {
  readonly labels?: Readonly<Record<string, string>>
  readonly spec: (i: number) => Partial<CoreV1.PodSpec>
  readonly cpu?: string
  readonly memory?: string
}

const namespaces = ["sched-0", "sched-1"]
const about = (labels: Record<string, string>, topologyKey: string): CoreV1.PodAffinityTerm => ({ labelSelector: { matchLabels: labels }, topologyKey, namespaces })
const color = (name: string) => ({ color: name })
const always = (spec: Partial<CoreV1.PodSpec>) => () => spec

/** By name. */
export const templates = {
  "default": { spec: always({}) },
  "pod-with-pod-affinity": {
    labels: color("blue"),
    spec: always({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [about(color("blue"), zone)] } } })
  },
  "pod-with-pod-anti-affinity": {
    labels: color("green"),
    spec: always({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [about(color("green"), hostname)] } } })
  },
  "pod-with-preferred-pod-affinity": {
    labels: color("red"),
    spec: always({ affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: about(color("red"), hostname) }] } } })
  },
  "pod-with-preferred-pod-anti-affinity": {
    labels: color("yellow"),
    spec: always({ affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: about(color("yellow"), hostname) }] } } })
  },
  "pod-with-node-affinity": {
    spec: always({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: "In", values: ["zone1", "zone2"] }] }] }
        }
      }
    })
  },
  "pod-with-topology-spreading": {
    labels: color("blue"),
    spec: always({ topologySpreadConstraints: [{ maxSkew: 5, topologyKey: zone, whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: color("blue") } }] })
  },
  "pod-with-preferred-topology-spreading": {
    labels: color("blue"),
    spec: always({ topologySpreadConstraints: [{ maxSkew: 5, topologyKey: zone, whenUnsatisfiable: "ScheduleAnyway", labelSelector: { matchLabels: color("blue") } }] })
  },
  "pod-low-priority": { cpu: "900m", memory: "500Mi", spec: always({ priority: -10 }) },
  "pod-high-priority": { cpu: "3000m", memory: "500Mi", spec: always({ priority: 10 }) },
  "pod-large-cpu": { cpu: "9", memory: "500Mi", spec: always({}) },
  "gated-pod": { spec: always({ schedulingGates: [{ name: "example.com/wait" }] }) },
  "daemonset-pod": {
    spec: (i: number) => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [`node-${String(i)}`] }] }] }
        }
      }
    })
  }
} satisfies Record<string, Template>

/** One of the templates. */
export type TemplateName = keyof typeof templates

/** Pod number `i` of a template. */
export const pod = (template: TemplateName, namespace: string, name: string, i: number): CoreV1.Pod => {
  const { cpu = "100m", labels = {}, memory = "500Mi", spec }: Template = templates[template]
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, uid: `uid-${name}`, labels: { ...labels } },
    spec: { ...spec(i), containers: [{ name: "pause", image: "registry.example.com/pause:3", resources: { requests: { cpu, memory } } }] }
  }
}
