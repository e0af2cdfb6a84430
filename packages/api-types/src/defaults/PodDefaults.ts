/** Defaults of a pod's spec: the same on create and update, so that what is read can be written back. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { orElse } from "../internal/strings.js"
import { aggregate } from "../PodResources.js"
import { toCanonical } from "../Quantity.js"
import { templateSpecDefaults } from "./PodTemplateDefaults.js"

/** Requests that a container leaves out are its limits. */
const requestsFromLimits = <A extends CoreV1.Container>(container: A): A => {
  const { limits, requests } = container.resources ?? {}
  if (limits === undefined || Object.keys(limits).every((name) => requests !== undefined && Object.hasOwn(requests, name))) return container
  return { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } }
}

/** In the network of the host a container's port is the host's port. */
const hostPorts = <A extends CoreV1.Container>(container: A): A =>
  container.ports === undefined
    ? container
    : { ...container, ports: container.ports.map((port) => ((port.hostPort ?? 0) === 0 ? { ...port, hostPort: port.containerPort } : port)) }

const isPodLevel = (name: string): boolean => name === "cpu" || name === "memory" || name.startsWith("hugepages-")

/** Pod-level requests: what the containers ask for together, or else the pod-level limit. */
const podLevelRequests = (spec: CoreV1.PodSpec): CoreV1.PodSpec => {
  const { limits = {}, requests = {} } = spec.resources ?? {}
  if (Object.keys(limits).length === 0) return spec
  const completed: Record<string, string> = { ...requests }
  for (const [name, amount] of aggregate(spec, (container) => container.resources?.requests)) {
    if (!Object.hasOwn(completed, name) && (name === "cpu" || name === "memory")) completed[name] = toCanonical(amount)
  }
  for (const [name, text] of Object.entries(limits)) if (!Object.hasOwn(completed, name) && isPodLevel(name)) completed[name] = text
  return { ...spec, resources: { ...spec.resources, requests: completed } }
}

// `serviceAccount` is the old name of the field and always says the same.
const serviceAccountDefaults = (spec: CoreV1.PodSpec): CoreV1.PodSpec => {
  const account = orElse(spec.serviceAccountName, orElse(spec.serviceAccount, "default"))
  return { ...spec, serviceAccountName: account, serviceAccount: account }
}

/** @category combinators */
export const podSpecDefaults = (given: CoreV1.PodSpec): CoreV1.PodSpec => {
  const spec = templateSpecDefaults(serviceAccountDefaults(given))
  const complete = <A extends CoreV1.Container>(container: A): A => {
    const defaulted = requestsFromLimits(container)
    return spec.hostNetwork === true ? hostPorts(defaulted) : defaulted
  }
  return podLevelRequests({
    ...spec,
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(complete) }),
    containers: spec.containers.map(complete),
    enableServiceLinks: spec.enableServiceLinks ?? true
  })
}

/** @category combinators */
export const podDefaults = (pod: CoreV1.Pod): CoreV1.Pod => (pod.spec === undefined ? pod : { ...pod, spec: podSpecDefaults(pod.spec) })
