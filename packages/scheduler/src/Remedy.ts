/** What would have to change for a node to take a pod, in words that say what to do. */
import { Quantity, Taints } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as HostPort from "./HostPort.js"
import type { NodeInfo } from "./NodeInfo.js"
import type { PodInfo } from "./PodInfo.js"
import * as ZoneBrand from "./plugins/ZoneBrand.js"
import type { Rejection } from "./Rejection.js"

/**
 * The remedies for one plugin's objection to a node; none when nobody but the plugin knows.
 *
 * @category models
 */
export type Remedy = (pod: PodInfo, node: NodeInfo, rejection: Rejection) => ReadonlyArray<string>

/**
 * By the name of the plugin.
 *
 * @category models
 */
export type Remedies = Readonly<Record<string, Remedy>>

const bytes = (amount: number): string => Quantity.toCanonical(Quantity.fromBytes(amount))
const cores = (millis: number): string => millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`

const missing = (name: string, wanted: number, total: number, used: number, print: (amount: number) => string): ReadonlyArray<string> => {
  if (wanted <= 0 || wanted <= total - used) return []
  return wanted > total
    ? [`ask for at most ${print(total)} ${name}, which is all that the node has; the pod asks for ${print(wanted)}`]
    : [`free ${print(wanted - (total - used))} ${name} on the node: the pod asks for ${print(wanted)}, ${print(Math.max(0, total - used))} are left`]
}

const fit: Remedy = ({ requests }, { allocatable, allowedPods, pods, requested }) => [
  ...(pods.length < allowedPods ? [] : [`remove ${pods.length - allowedPods + 1} of the node's ${pods.length} pods: it takes ${allowedPods}`]),
  ...missing("cpu", requests.cpuMillis, allocatable.cpuMillis, requested.cpuMillis, cores),
  ...missing("memory", requests.memoryBytes, allocatable.memoryBytes, requested.memoryBytes, bytes),
  ...missing("ephemeral-storage", requests.ephemeralStorageBytes, allocatable.ephemeralStorageBytes, requested.ephemeralStorageBytes, bytes),
  ...[...requests.scalars].flatMap(([name, wanted]) =>
    missing(name, wanted, allocatable.scalars.get(name) ?? 0, requested.scalars.get(name) ?? 0, String)
  )
]

const taintText = ({ effect, key, value = "" }: CoreV1.Taint): string => `${key}${value === "" ? "" : `=${value}`}:${effect}`

/** Taints that controllers set and remove by themselves, by what is to be done about what they stand for. */
const ownTaints: Readonly<Record<string, (node: string) => string>> = {
  "node.kubernetes.io/unschedulable": (node) => `uncordon the node: kubectl uncordon ${node}`,
  "node.kubernetes.io/not-ready": (node) => `make node ${node} ready`,
  "node.kubernetes.io/unreachable": (node) => `start the agent of node ${node}, which has not been heard of`
}

const taints: Remedy = ({ pod }, { name, node }) =>
  (node.spec?.taints ?? [])
    .filter((taint) => taint.effect !== "PreferNoSchedule" && pod.spec?.tolerations?.some((each) => Taints.tolerates(each, taint)) !== true)
    .map((taint) =>
      ownTaints[taint.key]?.(name) ?? `tolerate the taint ${taintText(taint)}, or remove it: kubectl taint node ${name} ${taintText(taint)}-`
    )

const requirementText = ({ key, operator, values = [] }: CoreV1.NodeSelectorRequirement): string => {
  const list = `(${values.join(", ")})`
  const words: Record<CoreV1.NodeSelectorOperator, string> = {
    In: `${key} in ${list}`,
    NotIn: `${key} not in ${list}`,
    Exists: key,
    DoesNotExist: `no ${key}`,
    Gt: `${key} > ${values[0] ?? ""}`,
    Lt: `${key} < ${values[0] ?? ""}`
  }
  return words[operator] ?? key
}

const termText = ({ matchExpressions = [], matchFields = [] }: CoreV1.NodeSelectorTerm): string =>
  [...matchExpressions, ...matchFields].map(requirementText).join(" and ")

const nodeAffinity: Remedy = ({ pod }, { name, node }) => {
  const wanted = Object.entries(pod.spec?.nodeSelector ?? {}).filter(([key, value]) => node.metadata.labels?.[key] !== value)
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return [
    ...wanted.map(([key, value]) => `label the node: kubectl label node ${name} ${key}=${value} --overwrite`),
    ...(wanted.length > 0 || terms.length === 0 ? [] : [`let the node match what the pod requires: ${terms.map(termText).join(", or ")}`])
  ]
}

const ports: Remedy = ({ hostPorts }, { pods }) =>
  hostPorts.flatMap((wanted) => {
    const holder = pods.find((other) => other.hostPorts.some((taken) => HostPort.conflicts(taken, wanted)))
    return holder === undefined ? [] : [`free host port ${wanted.port}/${wanted.protocol}, which ${holder.key} uses`]
  })

const brand: Remedy = ({ pod }, { name, node }) => {
  const offered = node.metadata.labels?.[ZoneBrand.label] ?? ""
  return [...ZoneBrand.requestedBrands(pod)].map((wanted) =>
    `the node offers ${offered === "" ? "no zone brand" : offered.split(".").join(", ")}: ask for one of these, or set its label ${ZoneBrand.label} once ${name} can make ${wanted} zones`
  )
}

const ready: Remedy = (_, { name, node }) => {
  const condition = node.status?.conditions?.find(({ type }) => type === "Ready")
  const state = condition === undefined ? "it has not said that it is" : `Ready is ${condition.status}${condition.message === undefined ? "" : `, ${condition.message}`}`
  return [`make node ${name} ready: ${state}`]
}

const volumeLimits: Remedy = (_, { name }, { code }) =>
  code === "Unresolvable"
    ? ["make the claim that is missing: kubectl get pvc shows those that are there"]
    : [`let pods with volumes leave ${name}, or use fewer volumes: kubectl get csinode ${name} -o yaml shows how many of each driver it attaches`]

const volumeZone: Remedy = (_, { name }) => [
  `use a volume of the zone and region of ${name}, or correct their labels (topology.kubernetes.io/zone, topology.kubernetes.io/region) on the volume or the node`
]

const keysOf = (terms: ReadonlyArray<CoreV1.PodAffinityTerm> | undefined): string =>
  [...new Set((terms ?? []).map(({ topologyKey }) => topologyKey))].join(", ")

const podAffinity: Remedy = ({ pod }, _, { reasons }) => {
  const { podAffinity: near, podAntiAffinity: far } = pod.spec?.affinity ?? {}
  const [reason = ""] = reasons
  if (reason.includes("existing pods")) return ["move or remove the pods here whose anti-affinity is about this pod, or change its labels"]
  return reason.includes("anti-affinity")
    ? [`remove the pods that it must not be with from the same ${keysOf(far?.requiredDuringSchedulingIgnoredDuringExecution)}, or prefer that instead of requiring it`]
    : [`run the pods that it must be with in the same ${keysOf(near?.requiredDuringSchedulingIgnoredDuringExecution)}, and label the node with it`]
}

const spread: Remedy = ({ pod }, { node }) =>
  (pod.spec?.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule").map(
    ({ maxSkew, topologyKey }) => {
      const here = node.metadata.labels?.[topologyKey]
      return here === undefined
        ? `label the node with ${topologyKey}`
        : `where ${topologyKey} is not ${here} more of these pods have to run first (maxSkew ${maxSkew}), or raise maxSkew`
    }
  )

/**
 * Those for the built-in plugins.
 *
 * @category constructors
 */
export const builtIn: Remedies = {
  NodeUnschedulable: (_, { name }) => [`uncordon the node: kubectl uncordon ${name}`],
  NodeName: (_, { name }) => [`ask for node ${name} in spec.nodeName, or for none`],
  TaintToleration: taints,
  NodeReady: ready,
  NodeAffinity: nodeAffinity,
  ZoneBrand: brand,
  NodePorts: ports,
  NodeResourcesFit: fit,
  NodeVolumeLimits: volumeLimits,
  VolumeZone: volumeZone,
  InterPodAffinity: podAffinity,
  PodTopologySpread: spread
}

const refusals: Readonly<Record<string, string>> = {
  NodeAffinity: "change the pod's required node affinity: no node can have all the names in one of its terms",
  ZoneBrand: `let the annotation ${ZoneBrand.annotation} and runtimeClassName say the same, or drop one of them`,
  VolumeBinding: "make or bind the claim: kubectl get pvc tells what it waits for",
  VolumeZone: "make the claim, its class or its volume, whichever is missing: kubectl get pvc,pv shows them"
}

/**
 * What would have to change for a pod that a built-in plugin refused whatever the nodes are.
 *
 * @category combinators
 */
export const ofRefusal = (plugin: string): ReadonlyArray<string> => {
  const remedy = refusals[plugin]
  return remedy === undefined ? [] : [remedy]
}
