/** Defaults of a Service. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { orElse } from "../internal/strings.js"

const portDefaults = (port: CoreV1.ServicePort): CoreV1.ServicePort => {
  const target = port.targetPort
  return {
    ...port,
    protocol: orElse(port.protocol, "TCP"),
    targetPort: target === undefined || target === 0 || target === "" ? port.port : target
  }
}

const affinityDefaults = (spec: CoreV1.ServiceSpec): CoreV1.ServiceSpec => {
  const { sessionAffinityConfig, ...rest } = spec
  const sessionAffinity = orElse(spec.sessionAffinity, "None")
  if (sessionAffinity === "None") return { ...rest, sessionAffinity }
  if (sessionAffinity !== "ClientIP" || sessionAffinityConfig?.clientIP?.timeoutSeconds !== undefined) return spec
  return { ...rest, sessionAffinity, sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } }
}

// `clusterIP` is the first of `clusterIPs`; a headless service says "None" in both. Nothing else is allocated.
const addressDefaults = (spec: CoreV1.ServiceSpec): CoreV1.ServiceSpec => {
  if (spec.type === "ExternalName") return spec
  const { clusterIP = "", clusterIPs = [] } = spec
  const family: CoreV1.ServiceSpec = {
    ipFamilyPolicy: spec.ipFamilyPolicy ?? "SingleStack",
    ipFamilies: spec.ipFamilies ?? [(clusterIPs[0] ?? clusterIP).includes(":") ? "IPv6" : "IPv4"]
  }
  if (clusterIP !== "" && clusterIPs.length === 0) return { ...spec, ...family, clusterIPs: [clusterIP] }
  const first = clusterIPs[0]
  return clusterIP === "" && first !== undefined ? { ...spec, ...family, clusterIP: first } : { ...spec, ...family }
}

const trafficDefaults = (spec: CoreV1.ServiceSpec): CoreV1.ServiceSpec => {
  const { type } = spec
  const external = type === "NodePort" || type === "LoadBalancer" || (type === "ClusterIP" && (spec.externalIPs ?? []).length > 0)
  return {
    ...spec,
    ...(external && (spec.externalTrafficPolicy ?? "") === "" ? { externalTrafficPolicy: "Cluster" } : {}),
    ...(type !== "ExternalName" && spec.internalTrafficPolicy === undefined ? { internalTrafficPolicy: "Cluster" } : {}),
    ...(type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts === undefined ? { allocateLoadBalancerNodePorts: true } : {})
  }
}

/** @category combinators */
export const serviceDefaults = (service: CoreV1.Service): CoreV1.Service => {
  const given = service.spec ?? {}
  const typed: CoreV1.ServiceSpec = {
    ...given,
    type: orElse(given.type, "ClusterIP"),
    ...(given.ports === undefined ? {} : { ports: given.ports.map(portDefaults) })
  }
  return { ...service, spec: trafficDefaults(addressDefaults(affinityDefaults(typed))) }
}
