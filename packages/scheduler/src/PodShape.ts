/**
 * What of a pod its placement can depend on. Pods made from one template have the same one, as one value: so it is computed once, kept once,
 * and answers about one such pod hold for the others.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import * as HostPort from "./HostPort.js"
import * as Resources from "./Resources.js"

/**
 * The common part of pods that are alike.
 *
 * @category models
 */
export interface PodShape {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /**
   * Without the node's name, what containers run and mount, and volumes that any node can make (config maps, secrets, projected and
   * empty ones).
   */
  readonly spec: CoreV1.PodSpec
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

const scoringRequests = (pod: CoreV1.Pod): { readonly cpuMillis: number; readonly memoryBytes: number } => {
  const spec = pod.spec
  if (spec === undefined) return { cpuMillis: 0, memoryBytes: 0 }
  const initContainers = spec.initContainers?.map(withDefaultRequests)
  const { cpuMillis, memoryBytes } = Resources.requestsOf({
    ...pod,
    spec: { ...spec, containers: spec.containers.map(withDefaultRequests), ...(initContainers === undefined ? {} : { initContainers }) }
  })
  return { cpuMillis, memoryBytes }
}

/** The last applied configuration holds the whole object once more, and the name with it. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

const none: Readonly<Record<string, string>> = {}

const annotationsOf = (pod: CoreV1.Pod): Readonly<Record<string, string>> => {
  const { annotations } = pod.metadata
  if (annotations === undefined) return none
  if (annotations[lastApplied] === undefined) return annotations
  const { [lastApplied]: _, ...rest } = annotations
  return rest
}

const slimContainer = ({ image, name, ports, resources, restartPolicy }: CoreV1.Container): CoreV1.Container => {
  const hostPorts = ports?.filter(({ hostPort = 0 }) => hostPort > 0)
  return {
    name,
    ...(image === undefined ? {} : { image }),
    ...(resources === undefined ? {} : { resources }),
    ...(hostPorts === undefined || hostPorts.length === 0 ? {} : { ports: hostPorts }),
    ...(restartPolicy === undefined ? {} : { restartPolicy })
  }
}

/** Any node can make these, and the names of some are different for each pod. */
const isAnywhere = (volume: CoreV1.Volume): boolean =>
  volume.projected !== undefined || volume.configMap !== undefined || volume.secret !== undefined || volume.downwardAPI !== undefined ||
  volume.emptyDir !== undefined

const slimSpec = (spec: CoreV1.PodSpec): CoreV1.PodSpec => {
  const {
    containers,
    ephemeralContainers: _ephemeral,
    hostname: _hostname,
    imagePullSecrets: _secrets,
    initContainers,
    nodeName: _node,
    securityContext: _security,
    subdomain: _subdomain,
    volumes,
    ...rest
  } = spec
  const kept = volumes?.filter((volume) => !isAnywhere(volume))
  return {
    ...rest,
    containers: containers.map(slimContainer),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(slimContainer) }),
    ...(kept === undefined || kept.length === 0 ? {} : { volumes: kept })
  }
}

/**
 * The statuses of containers that were given something else than they ask for: it counts while a resize is under way.
 *
 * @internal
 */
export const resizing = (pod: CoreV1.Pod): ReadonlyArray<CoreV1.ContainerStatus> => {
  const statuses = pod.status?.containerStatuses
  if (statuses === undefined) return noStatuses
  return statuses.filter(({ allocatedResources = none, name }) => {
    const asked = pod.spec?.containers.find((container) => container.name === name)?.resources?.requests ?? none
    return Object.entries(allocatedResources).some(([resource, amount]) => asked[resource] !== amount)
  })
}
const noStatuses: ReadonlyArray<CoreV1.ContainerStatus> = []

const noSpec: CoreV1.PodSpec = { containers: [] }

/** Shapes known at a time: more than a cluster usually has templates. Forgetting one costs memory, not correctness. */
const capacity = 10_000
const known = new Map<string, PodShape>()

/**
 * The shape of a pod.
 *
 * @category constructors
 */
export const of = (pod: CoreV1.Pod): PodShape => {
  const annotations = annotationsOf(pod)
  const spec = slimSpec(pod.spec ?? noSpec)
  const { labels = none, namespace = "" } = pod.metadata
  const text = JSON.stringify([namespace, labels, annotations, spec, resizing(pod).map(({ allocatedResources, name }) => [name, allocatedResources])])
  const found = known.get(text)
  if (found !== undefined) return found
  const shape: PodShape = {
    namespace,
    labels,
    annotations,
    spec,
    requests: Resources.requestsOf(pod),
    scoringRequests: scoringRequests(pod),
    hostPorts: HostPort.ofPod(pod)
  }
  if (known.size >= capacity) known.clear()
  known.set(text, shape)
  return shape
}
