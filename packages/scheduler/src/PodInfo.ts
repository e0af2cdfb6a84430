/** A pod with what the scheduler asks about it again and again, computed once. */
import type { CoreV1 } from "@reddwarf/api-types"
import type * as HostPort from "./HostPort.js"
import * as PodShape from "./PodShape.js"
import type * as Resources from "./Resources.js"

/**
 * A pod prepared for scheduling.
 *
 * @category models
 */
export interface PodInfo {
  /**
   * The object. Of a pod that has a node only what placement of others may depend on is kept (see `placed`): names, labels, annotations, times,
   * and the specification of its shape.
   */
  readonly pod: CoreV1.Pod
  /** The uid, or the key for an object that never was in an API server. Tells a pod from a later one of the same name. */
  readonly id: string
  /** `namespace/name`. */
  readonly key: string
  /** What it has in common with pods that are like it: the same value for all of them, so it can be the key of a `WeakMap`. */
  readonly shape: PodShape.PodShape
  readonly priority: number
  readonly requests: Resources.Resources
  /** As `requests`, with 100m CPU and 200 MiB for each container that does not say: spreads pods without requests. For scores only. */
  readonly scoringRequests: { readonly cpuMillis: number; readonly memoryBytes: number }
  readonly hostPorts: ReadonlyArray<HostPort.HostPort>
}

/**
 * What tells a pod from every other one, also from a later one of the same name.
 *
 * @category constructors
 */
export const idOf = (pod: CoreV1.Pod): string => pod.metadata.uid ?? `${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""}`

const withShape = (pod: CoreV1.Pod, shape: PodShape.PodShape): PodInfo => ({
  pod,
  id: idOf(pod),
  key: `${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""}`,
  shape,
  priority: shape.spec.priority ?? 0,
  requests: shape.requests,
  scoringRequests: shape.scoringRequests,
  hostPorts: shape.hostPorts
})

/**
 * Prepares a pod, and keeps its object as it is.
 *
 * @category constructors
 */
export const make = (pod: CoreV1.Pod): PodInfo => withShape(pod, PodShape.of(pod))

const leanObject = (pod: CoreV1.Pod, shape: PodShape.PodShape, nodeName = pod.spec?.nodeName): CoreV1.Pod => {
  const { creationTimestamp, deletionTimestamp, name, namespace, uid } = pod.metadata
  const { conditions, nominatedNodeName, phase, startTime } = pod.status ?? {}
  const resizing = PodShape.resizing(pod)
  const disruption = conditions?.filter(({ type }) => type === "DisruptionTarget")
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      labels: shape.labels,
      annotations: shape.annotations,
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp })
    },
    spec: { ...shape.spec, ...(nodeName === undefined ? {} : { nodeName }) },
    status: {
      ...(resizing.length === 0 ? {} : { containerStatuses: resizing }),
      ...(disruption === undefined || disruption.length === 0 ? {} : { conditions: disruption }),
      ...(phase === undefined ? {} : { phase }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(nominatedNodeName === undefined ? {} : { nominatedNodeName })
    }
  }
}

/**
 * Prepares a pod that has a node, and keeps little of its object: there may be very many of them.
 *
 * @category constructors
 */
export const placed = (pod: CoreV1.Pod): PodInfo => {
  const shape = PodShape.of(pod)
  return withShape(leanObject(pod, shape), shape)
}

/**
 * The pod as `placed` would prepare it once it is on this node.
 *
 * @category combinators
 */
export const lean = (info: PodInfo, node: string): PodInfo => ({ ...info, pod: leanObject(info.pod, info.shape, node) })
