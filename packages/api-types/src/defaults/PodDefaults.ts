/** Defaults of a pod's spec: the same on create and update, so that what is read can be written back. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { orElse } from "../internal/strings.js"
import { aggregate } from "../PodResources.js"
import { toCanonical } from "../Quantity.js"
import { containerDefaults } from "./ContainerDefaults.js"
import { volumeDefaults } from "./VolumeDefaults.js"

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
  const spec = serviceAccountDefaults(given)
  const complete = <A extends CoreV1.Container>(container: A): A => {
    const defaulted = requestsFromLimits(containerDefaults(container))
    return spec.hostNetwork === true ? hostPorts(defaulted) : defaulted
  }
  return podLevelRequests({
    ...spec,
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(volumeDefaults) }),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(complete) }),
    containers: spec.containers.map(complete),
    ...(spec.ephemeralContainers === undefined ? {} : { ephemeralContainers: spec.ephemeralContainers.map(containerDefaults) }),
    restartPolicy: orElse(spec.restartPolicy, "Always"),
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    dnsPolicy: orElse(spec.dnsPolicy, "ClusterFirst"),
    securityContext: spec.securityContext ?? {},
    schedulerName: orElse(spec.schedulerName, "default-scheduler"),
    enableServiceLinks: spec.enableServiceLinks ?? true
  })
}

/** @category combinators */
export const podDefaults = (pod: CoreV1.Pod): CoreV1.Pod => (pod.spec === undefined ? pod : { ...pod, spec: podSpecDefaults(pod.spec) })

