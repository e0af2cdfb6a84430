/** What stands behind a service: the pods that it selects, with the ports that they offer. Pure. */
import { isIPv6 } from "node:net"
import { type CoreV1, type DiscoveryV1, PodPhase } from "@reddwarf/api-types"

export type Family = "IPv4" | "IPv6"

/** Endpoints that offer the same ports. */
export interface Group {
  readonly addressType: Family
  readonly ports: ReadonlyArray<DiscoveryV1.EndpointPort>
  readonly endpoints: ReadonlyArray<DiscoveryV1.Endpoint>
}

/** Whether the controllers make endpoints for the service: those without a selector are somebody else's. */
export const isSelecting = ({ spec }: CoreV1.Service): boolean => spec?.type !== "ExternalName" && spec?.selector !== undefined && Object.keys(spec.selector).length > 0

export const isHeadless = ({ spec }: CoreV1.Service): boolean => spec?.clusterIP === "None"

export const familiesOf = ({ spec }: CoreV1.Service): ReadonlyArray<Family> => {
  const named = (spec?.ipFamilies ?? []).filter((family): family is Family => family === "IPv4" || family === "IPv6")
  return named.length > 0 ? named : [isIPv6(spec?.clusterIP ?? "") ? "IPv6" : "IPv4"]
}

export const addressOf = (pod: CoreV1.Pod, family: Family): string | undefined => {
  const { podIP, podIPs = [] } = pod.status ?? {}
  const all = podIPs.length > 0 ? podIPs.map(({ ip }) => ip) : [podIP]
  return all.find((ip) => ip !== undefined && ip !== "" && isIPv6(ip) === (family === "IPv6"))
}

/** The pod's own number for a port of the service; undefined when it has none of that name. */
export const targetPort = (pod: CoreV1.Pod, port: CoreV1.ServicePort): number | undefined => {
  const target = port.targetPort ?? port.port
  if (typeof target === "number") return target === 0 ? port.port : target
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always")
  for (const container of [...pod.spec?.containers ?? [], ...sidecars]) {
    const found = container.ports?.find(({ name, protocol = "TCP" }) => name === target && protocol === (port.protocol ?? "TCP"))
    if (found !== undefined) return found.containerPort
  }
  return undefined
}

export const portsOf = (service: CoreV1.Service, pod: CoreV1.Pod): ReadonlyArray<DiscoveryV1.EndpointPort> =>
  (service.spec?.ports ?? []).flatMap((port) => {
    const number = targetPort(pod, port)
    return number === undefined ? [] : [{
      name: port.name ?? "",
      port: number,
      protocol: port.protocol ?? "TCP" as const,
      ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol })
    }]
  })

/** The name by which the pod is found below the name of the service. */
export const hostnameOf = (service: CoreV1.Service, pod: CoreV1.Pod): string | undefined =>
  (pod.spec?.hostname ?? "") !== "" && pod.spec?.subdomain === service.metadata.name ? pod.spec?.hostname : undefined

export const targetOf = (pod: CoreV1.Pod): CoreV1.ObjectReference => {
  const { name = "", namespace = "", uid = "" } = pod.metadata
  return { kind: "Pod", namespace, name, uid }
}

/** Whose traffic a ready endpoint should get, where the service prefers what is near: that of its own node, or of its own zone. */
const hintsOf = ({ spec }: CoreV1.Service, node: string | undefined, zone: string | undefined): DiscoveryV1.EndpointHints | undefined => {
  const prefersNode = spec?.trafficDistribution === "PreferSameNode" && node !== undefined && node !== ""
  const prefersZone = spec?.trafficDistribution !== undefined && zone !== undefined
  return prefersNode || prefersZone
    ? { ...(prefersZone ? { forZones: [{ name: zone }] } : {}), ...(prefersNode ? { forNodes: [{ name: node }] } : {}) }
    : undefined
}

const endpointOf = (service: CoreV1.Service, pod: CoreV1.Pod, address: string, zone: string | undefined): DiscoveryV1.Endpoint => {
  const terminating = PodPhase.isTerminating(pod)
  const serving = PodPhase.isReady(pod)
  const hostname = hostnameOf(service, pod)
  const { nodeName } = pod.spec ?? {}
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating)
  const hints = ready ? hintsOf(service, nodeName, zone) : undefined
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: targetOf(pod),
    ...(nodeName === undefined || nodeName === "" ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(hints === undefined ? {} : { hints })
  }
}

/** The endpoints by family and ports. `zoneOf` tells the zone of a node. */
export const groups = (service: CoreV1.Service, pods: ReadonlyArray<CoreV1.Pod>, zoneOf: (node: string) => string | undefined): ReadonlyArray<Group> => {
  const found = new Map<string, { readonly addressType: Family; readonly ports: ReadonlyArray<DiscoveryV1.EndpointPort>; readonly endpoints: Array<DiscoveryV1.Endpoint> }>()
  for (const addressType of familiesOf(service)) {
    for (const pod of pods) {
      const address = PodPhase.isTerminal(pod) ? undefined : addressOf(pod, addressType)
      if (address === undefined) continue
      const ports = portsOf(service, pod)
      const key = JSON.stringify([addressType, ports])
      const group = found.get(key) ?? { addressType, ports, endpoints: [] }
      found.set(key, group)
      group.endpoints.push(endpointOf(service, pod, address, zoneOf(pod.spec?.nodeName ?? "")))
    }
    // Readers see from an empty slice that the service has been looked at.
    if (![...found.values()].some((group) => group.addressType === addressType)) {
      found.set(addressType, { addressType, ports: [], endpoints: [] })
    }
  }
  return [...found.values()]
}
