/** A pod with what the scheduler asks about it again and again, computed once. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as HostPort from "./HostPort.js"
import * as Resources from "./Resources.js"

/**
 * A pod prepared for scheduling.
 *
 * @category models
 */
export interface PodInfo {
  readonly pod: CoreV1.Pod
  /** The uid, or the key for an object that never was in an API server. Tells a pod from a later one of the same name. */
  readonly id: string
  /** `namespace/name`. */
  readonly key: string
  readonly priority: number
  readonly requests: Resources.Resources
  /** As `requests`, with 100m CPU and 200 MiB for each container that does not say: spreads pods without requests. For scores only. */
  readonly scoringRequests: { readonly cpuMillis: number; readonly memoryBytes: number }
  readonly hostPorts: ReadonlyArray<HostPort.HostPort>
}

const defaultRequests = { cpu: "100m", memory: "200Mi" }

const withDefaultRequests = (container: CoreV1.Container): CoreV1.Container => {
  const requests = container.resources?.requests
  if (requests?.["cpu"] !== undefined && requests["memory"] !== undefined) return container
  return { ...container, resources: { ...container.resources, requests: { ...defaultRequests, ...requests } } }
}

const scoringRequests = (pod: CoreV1.Pod): Resources.Resources => {
  const spec = pod.spec
  if (spec === undefined) return Resources.none
  const initContainers = spec.initContainers?.map(withDefaultRequests)
  return Resources.requestsOf({
    ...pod,
    spec: { ...spec, containers: spec.containers.map(withDefaultRequests), ...(initContainers === undefined ? {} : { initContainers }) }
  })
}

/**
 * What tells a pod from every other one, also from a later one of the same name.
 *
 * @category constructors
 */
export const idOf = (pod: CoreV1.Pod): string => pod.metadata.uid ?? `${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""}`

/**
 * Prepares a pod.
 *
 * @category constructors
 */
export const make = (pod: CoreV1.Pod): PodInfo => {
  const { cpuMillis, memoryBytes } = scoringRequests(pod)
  return {
    pod,
    id: idOf(pod),
    key: `${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""}`,
    priority: pod.spec?.priority ?? 0,
    requests: Resources.requestsOf(pod),
    scoringRequests: { cpuMillis, memoryBytes },
    hostPorts: HostPort.ofPod(pod)
  }
}
