/**
 * What an update of a Service keeps without being told: addresses and ports that were allocated. And what it drops: fields that the new
 * type does not have, when the client only sent back what it had read.
 */
import type * as CoreV1 from "../generated/CoreV1.js"
import { semanticEqual } from "../internal/structure.js"

type Spec = CoreV1.ServiceSpec

const hasClusterIP = ({ type }: Spec): boolean => type !== "ExternalName"
const hasNodePorts = ({ type }: Spec): boolean => type === "NodePort" || type === "LoadBalancer"
const hasHealthCheck = ({ externalTrafficPolicy, type }: Spec): boolean => type === "LoadBalancer" && externalTrafficPolicy === "Local"
const isExternal = (spec: Spec): boolean => hasNodePorts(spec) || (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0)
const isBalanced = ({ type }: Spec): boolean => type === "LoadBalancer"

const keepClusterIPs = (next: Spec, old: Spec): Spec => {
  if (!hasClusterIP(next) || !hasClusterIP(old)) return next
  if ((next.clusterIP ?? "") !== "" || (next.clusterIPs ?? []).length > 0) return next
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = old
  return {
    ...next,
    ...(clusterIP === undefined ? {} : { clusterIP }),
    ...(clusterIPs === undefined ? {} : { clusterIPs }),
    ...(ipFamilies === undefined ? {} : { ipFamilies }),
    ...(ipFamilyPolicy === undefined ? {} : { ipFamilyPolicy })
  }
}

const keyOf = ({ port, protocol = "TCP" }: CoreV1.ServicePort): string => `${protocol}/${port}`

const keepNodePorts = (next: Spec, old: Spec): Spec => {
  if (!hasNodePorts(next) || !hasNodePorts(old) || next.ports === undefined) return next
  const taken = new Set(next.ports.map(({ nodePort }) => nodePort ?? 0))
  const allocated = new Map((old.ports ?? []).map((port) => [keyOf(port), port.nodePort ?? 0]))
  return {
    ...next,
    ports: next.ports.map((port) => {
      const nodePort = (port.nodePort ?? 0) === 0 ? (allocated.get(keyOf(port)) ?? 0) : 0
      // A client may have given the old number of this port to another one.
      return nodePort === 0 || taken.has(nodePort) ? port : { ...port, nodePort }
    })
  }
}

const keepHealthCheck = (next: Spec, old: Spec): Spec =>
  hasHealthCheck(next) && hasHealthCheck(old) && (next.healthCheckNodePort ?? 0) === 0 && old.healthCheckNodePort !== undefined
    ? { ...next, healthCheckNodePort: old.healthCheckNodePort }
    : next

type Field = keyof Spec

/** Fields that belong to some types only, and whether a spec may have them. */
const dependent: ReadonlyArray<readonly [mayHave: (spec: Spec) => boolean, fields: ReadonlyArray<Field>]> = [
  [hasClusterIP, ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"]],
  [hasHealthCheck, ["healthCheckNodePort"]],
  [isBalanced, ["allocateLoadBalancerNodePorts", "loadBalancerClass"]],
  [isExternal, ["externalTrafficPolicy"]]
]

const dropFields = (next: Spec, old: Spec): Spec => {
  const dropped = new Set<string>(
    dependent.flatMap(([mayHave, fields]) =>
      mayHave(old) && !mayHave(next) ? fields.filter((field) => semanticEqual(next[field], old[field])) : []
    )
  )
  return dropped.size === 0 ? next : Object.fromEntries(Object.entries(next).filter(([field]) => !dropped.has(field)))
}

const nodePortsOf = ({ ports = [] }: Spec): ReadonlyArray<number> => ports.map(({ nodePort = 0 }) => nodePort).toSorted((left, right) => left - right)

const dropNodePorts = (next: Spec, old: Spec): Spec => {
  if (!hasNodePorts(old) || hasNodePorts(next) || next.ports === undefined || !semanticEqual(nodePortsOf(next), nodePortsOf(old))) return next
  return { ...next, ports: next.ports.map(({ nodePort: _, ...port }) => port) }
}

/** The spec of an update, completed by that of the stored service. @category combinators */
export const serviceUpdateDefaults = (next: Spec, old: Spec): Spec => {
  const kept = keepHealthCheck(keepNodePorts(keepClusterIPs(next, old), old), old)
  return dropNodePorts(dropFields(kept, old), old)
}
