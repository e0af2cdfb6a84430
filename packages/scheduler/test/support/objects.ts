/** Nodes and pods as tests write them: what matters is said, the rest is usual. */
import type { CoreV1 } from "@reddwarf/api-types"
import { NodeInfo, PodInfo, Snapshot } from "../../src/index.js"

export interface NodeShape {
  readonly cpu?: string
  readonly memory?: string
  readonly pods?: string
  readonly extra?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: ReadonlyArray<CoreV1.Taint>
  readonly unschedulable?: boolean
  readonly ready?: string
}

export const node = (name: string, shape: NodeShape = {}): CoreV1.Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/hostname": name, ...shape.labels } },
  spec: {
    ...(shape.taints === undefined ? {} : { taints: shape.taints }),
    ...(shape.unschedulable === undefined ? {} : { unschedulable: shape.unschedulable })
  },
  status: {
    allocatable: { cpu: shape.cpu ?? "4", memory: shape.memory ?? "8Gi", pods: shape.pods ?? "110", ...shape.extra },
    conditions: [{ type: "Ready", status: shape.ready ?? "True" }]
  }
})

export interface PodShape {
  readonly cpu?: string
  readonly memory?: string
  readonly requests?: Readonly<Record<string, string>>
  readonly hostPorts?: ReadonlyArray<{ readonly hostPort: number; readonly protocol?: "TCP" | "UDP"; readonly hostIP?: string }>
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly spec?: Partial<CoreV1.PodSpec>
  readonly status?: CoreV1.PodStatus
}

export const pod = (name: string, shape: PodShape = {}): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    namespace: "default",
    ...(shape.annotations === undefined ? {} : { annotations: shape.annotations }),
    ...(shape.labels === undefined ? {} : { labels: shape.labels })
  },
  spec: {
    containers: [{
      name: "main",
      image: "example/app:1",
      resources: {
        requests: {
          ...(shape.cpu === undefined ? {} : { cpu: shape.cpu }),
          ...(shape.memory === undefined ? {} : { memory: shape.memory }),
          ...shape.requests
        }
      },
      ...(shape.hostPorts === undefined
        ? {}
        : { ports: shape.hostPorts.map((port) => ({ ...port, containerPort: port.hostPort, protocol: port.protocol ?? "TCP" })) })
    }],
    ...shape.spec
  },
  ...(shape.status === undefined ? {} : { status: shape.status })
})

export const podInfo = (name: string, shape: PodShape = {}): PodInfo.PodInfo => PodInfo.make(pod(name, shape))

/** A snapshot of nodes, each with the pods on it. */
export const snapshot = (...nodes: ReadonlyArray<readonly [CoreV1.Node, ...ReadonlyArray<PodInfo.PodInfo>]>): Snapshot.Snapshot =>
  Snapshot.make(nodes.map(([object, ...pods]) => NodeInfo.make(object, pods)))
