/** Rules of a service. */
import { duplicate, forbidden, invalid, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { address, isIPv6, named, network, oneOf, optionalOneOf, portNumberOrName, uniqueNames } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { validateLabels } from "./MetadataValidation.js"

const isHeadless = ({ clusterIPs = [] }: CoreV1.ServiceSpec): boolean => clusterIPs.length === 1 && clusterIPs[0] === "None"

const isExternallyAccessible = ({ externalIPs = [], type }: CoreV1.ServiceSpec): boolean =>
  type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && externalIPs.length > 0)

const onlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'"

const validateType = (spec: CoreV1.ServiceSpec): Errors => {
  const noExternalName = (field: "clusterIPs" | "ipFamilies", list: ReadonlyArray<string> | undefined): Errors =>
    (list ?? []).length > 0 ? [forbidden(`spec.${field}`, "may not be set for ExternalName services")] : []
  if ((spec.type === "LoadBalancer" || spec.type === "NodePort") && isHeadless(spec)) {
    return [invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`)]
  }
  if (spec.type !== "ExternalName") return []
  // The name may end in a dot, which says that it is complete.
  const name = (spec.externalName ?? "").replace(/\.$/, "")
  return [
    ...noExternalName("clusterIPs", spec.clusterIPs),
    ...noExternalName("ipFamilies", spec.ipFamilies),
    ...(spec.ipFamilyPolicy === undefined ? [] : [forbidden("spec.ipFamilyPolicy", "may not be set for ExternalName services")]),
    ...(name === "" ? [required("spec.externalName")] : named("spec.externalName", name, Names.isDns1123Subdomain))
  ]
}

const repeatedBy = (ports: ReadonlyArray<CoreV1.ServicePort>, keyOf: (port: CoreV1.ServicePort) => string | undefined): ReadonlyArray<number> => {
  const seen = new Set<string>()
  return ports.flatMap((port, index) => {
    const key = keyOf(port)
    if (key === undefined) return []
    if (seen.has(key)) return [index]
    seen.add(key)
    return []
  })
}

const validatePorts = (spec: CoreV1.ServiceSpec): Errors => {
  const ports = spec.ports ?? []
  const path = "spec.ports"
  return [
    ...ports.flatMap((port, index) => {
      const at = `${path}[${index}]`
      const name = port.name ?? ""
      return [
        ...(name === "" ? (ports.length > 1 ? [required(`${at}.name`)] : []) : named(`${at}.name`, name, Names.isDns1123Label)),
        ...Names.isPortNumber(port.port).map((problem) => invalid(`${at}.port`, port.port, problem)),
        ...oneOf(`${at}.protocol`, port.protocol, ["SCTP", "TCP", "UDP"]),
        ...portNumberOrName(`${at}.targetPort`, port.targetPort ?? port.port),
        ...(port.appProtocol === undefined ? [] : named(`${at}.appProtocol`, port.appProtocol, Names.isQualifiedName)),
        ...(spec.type === "ClusterIP" && (port.nodePort ?? 0) !== 0
          ? [forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'")]
          : [])
      ]
    }),
    ...uniqueNames(ports.map(({ name = "" }) => name), (index) => `${path}[${index}].name`, duplicate),
    ...repeatedBy(ports, ({ nodePort = 0, protocol = "" }) => (nodePort === 0 ? undefined : `${protocol}/${nodePort}`)).map((index) =>
      duplicate(`${path}[${index}].nodePort`, ports[index]?.nodePort)
    ),
    ...repeatedBy(ports, ({ port, protocol = "" }) => `${protocol}/${port}`).map((index) =>
      duplicate(`${path}[${index}]`, { protocol: ports[index]?.protocol, port: ports[index]?.port })
    )
  ]
}

const validateAffinity = ({ sessionAffinity, sessionAffinityConfig }: CoreV1.ServiceSpec): Errors => {
  const path = "spec.sessionAffinityConfig"
  const supported = oneOf("spec.sessionAffinity", sessionAffinity, ["ClientIP", "None"])
  if (sessionAffinity === "None" && sessionAffinityConfig !== undefined) {
    return [forbidden(path, "must not be set when session affinity is None")]
  }
  if (sessionAffinity !== "ClientIP") return supported
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (seconds === undefined) return [required(`${path}.clientIP.timeoutSeconds`, "when session affinity type is ClientIP")]
  return seconds <= 0 || seconds > 86_400
    ? [invalid(`${path}.clientIP.timeoutSeconds`, seconds, "must be greater than 0 and less than 86400")]
    : []
}

const validateAddresses = (spec: CoreV1.ServiceSpec): Errors => {
  if (spec.type === "ExternalName") return []
  const { clusterIP = "", clusterIPs = [], ipFamilies = [] } = spec
  const path = "spec.clusterIPs"
  const mismatch =
    clusterIP === ""
      ? clusterIPs.length === 0
        ? []
        : [invalid(path, clusterIPs, "must be empty when `clusterIP` is not specified")]
      : clusterIPs[0] === undefined
        ? [required(path)]
        : clusterIPs[0] === clusterIP
          ? []
          : [invalid(path, clusterIPs, "first value must match `clusterIP`")]
  const addresses = clusterIPs.filter((value, index) => index > 0 || value !== "None")
  const families = new Set(addresses.map((value) => isIPv6(value)))
  return [
    ...mismatch,
    ...ipFamilies.flatMap((family, index) =>
      ["IPv4", "IPv6"].includes(family) ? [] : [notSupported(`spec.ipFamilies[${index}]`, family, ["IPv4", "IPv6"])]
    ),
    ...uniqueNames(ipFamilies, (index) => `spec.ipFamilies[${index}]`, duplicate),
    ...optionalOneOf("spec.ipFamilyPolicy", spec.ipFamilyPolicy, ["PreferDualStack", "RequireDualStack", "SingleStack"]),
    ...(clusterIPs[0] === "None" && clusterIPs.length > 1 ? [invalid(path, clusterIPs, "'None' must be the first and only value")] : []),
    ...clusterIPs.flatMap((value, index) => (index === 0 && value === "None" ? [] : address(`${path}[${index}]`, value))),
    ...(clusterIPs.length > 2 ? [invalid(path, clusterIPs, "may only hold up to 2 values")] : []),
    ...(addresses.length > 1 && addresses.length > families.size
      ? [invalid(path, clusterIPs, "may specify no more than one IP for each IP family")]
      : []),
    ...addresses.flatMap((value, index) => {
      const family = ipFamilies[index]
      const actual = isIPv6(value) ? "IPv6" : "IPv4"
      return family === undefined || family === actual
        ? []
        : [invalid(`${path}[${index}]`, value, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``)]
    })
  ]
}

const validateTraffic = (spec: CoreV1.ServiceSpec): Errors => {
  const policies = ["Cluster", "Local"]
  const external = spec.externalTrafficPolicy ?? ""
  return [
    ...(isExternallyAccessible(spec)
      ? oneOf("spec.externalTrafficPolicy", external, policies)
      : external === ""
        ? []
        : [invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services")]),
    ...(spec.type !== "ExternalName" && spec.internalTrafficPolicy === undefined ? [required("spec.internalTrafficPolicy")] : []),
    ...optionalOneOf("spec.internalTrafficPolicy", spec.internalTrafficPolicy, policies),
    ...optionalOneOf("spec.trafficDistribution", spec.trafficDistribution, ["PreferClose", "PreferSameNode", "PreferSameZone"])
  ]
}

// Node agents answer on this port.
const agentPort = 10_250

const validateHealthCheck = (spec: CoreV1.ServiceSpec): Errors => {
  const port = spec.healthCheckNodePort ?? 0
  if (port === 0) return []
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local"
    ? Names.isPortNumber(port).map((problem) => invalid("spec.healthCheckNodePort", port, problem))
    : [invalid("spec.healthCheckNodePort", port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")]
}

const validateLoadBalancer = (spec: CoreV1.ServiceSpec): Errors => {
  const isLoadBalancer = spec.type === "LoadBalancer"
  const ranges = spec.loadBalancerSourceRanges ?? []
  return [
    ...(isLoadBalancer
      ? (spec.ports ?? []).flatMap(({ port }, index) =>
          port === agentPort
            ? [invalid(`spec.ports[${index}]`, port, `may not expose port ${agentPort} externally since it is used by kubelet`)]
            : []
        )
      : []),
    ...(ranges.length > 0 && !isLoadBalancer ? [forbidden("spec.LoadBalancerSourceRanges", onlyLoadBalancer)] : []),
    ...ranges.flatMap((range, index) => network(`spec.LoadBalancerSourceRanges[${index}]`, range.trim())),
    ...(spec.allocateLoadBalancerNodePorts !== undefined && !isLoadBalancer
      ? [forbidden("spec.allocateLoadBalancerNodePorts", onlyLoadBalancer)]
      : []),
    ...(spec.loadBalancerClass === undefined
      ? []
      : isLoadBalancer
        ? named("spec.loadBalancerClass", spec.loadBalancerClass, Names.isQualifiedName)
        : [forbidden("spec.loadBalancerClass", onlyLoadBalancer)])
  ]
}

/** @category combinators */
export const validateService = ({ spec = {} }: CoreV1.Service): Errors => [
  ...((spec.ports ?? []).length === 0 && !isHeadless(spec) && spec.type !== "ExternalName" ? [required("spec.ports")] : []),
  ...validateType(spec),
  ...validatePorts(spec),
  ...validateLabels(spec.selector, "spec.selector"),
  ...validateAffinity(spec),
  ...validateAddresses(spec),
  ...(spec.externalIPs ?? []).flatMap((ip, index) => address(`spec.externalIPs[${index}]`, ip)),
  ...oneOf("spec.type", spec.type, ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]),
  ...validateLoadBalancer(spec),
  ...validateHealthCheck(spec),
  ...validateTraffic(spec)
]

const validateAddressChange = (next: CoreV1.ServiceSpec, old: CoreV1.ServiceSpec): Errors => {
  if (next.type === "ExternalName" || old.type === "ExternalName" || (isHeadless(next) && isHeadless(old))) return []
  const after = next.clusterIPs ?? []
  const before = old.clusterIPs ?? []
  const first = before[0]
  if (first === undefined) return []
  if (after.length === 0) return [invalid("spec.clusterIPs[0]", after, "primary clusterIP can not be unset")]
  return [
    ...(after[0] === first ? [] : [invalid("spec.clusterIPs[0]", after, "may not change once set")]),
    ...(before.length === 2 && after.length === 2 && after[1] !== before[1]
      ? [invalid("spec.clusterIPs[1]", after, "may not change once set")]
      : []),
    ...(before.length === 2 && after.length === 1 && next.ipFamilyPolicy !== "SingleStack"
      ? [invalid("spec.ipFamilyPolicy", next.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary clusterIP")]
      : [])
  ]
}

/** @category combinators */
export const validateServiceUpdate = (next: CoreV1.Service, old: CoreV1.Service): Errors => {
  const after = next.spec ?? {}
  const before = old.spec ?? {}
  const bothBalanced = after.type === "LoadBalancer" && before.type === "LoadBalancer"
  return [
    ...validateAddressChange(after, before),
    ...(bothBalanced && !semanticEqual(after.loadBalancerClass, before.loadBalancerClass)
      ? [invalid("spec.loadBalancerClass", after.loadBalancerClass ?? null, "may not change once set")]
      : []),
    ...validateService(next)
  ]
}
