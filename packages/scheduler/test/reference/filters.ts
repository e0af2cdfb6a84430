/** What each filter says of one node, by the name of its plugin. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as affinity from "./affinity.js"
import { allocatable, request, used } from "./amounts.js"
import { admitsNode, forbiddingTaints, namedNodes, toleratesTaint } from "./matching.js"
import * as spread from "./spread.js"
import * as storage from "./storage.js"
import * as volumeLimits from "./volumeLimits.js"
import * as volumes from "./volumes.js"
import { labelsOf, nameOf, podsOn, unresolvable, unschedulable, type Verdict, type World } from "./world.js"

type Filter = (world: World, pod: CoreV1.Pod, node: CoreV1.Node) => Verdict | undefined

const unschedulableTaint: CoreV1.Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }

const nodeUnschedulable: Filter = (_, pod, node) =>
  node.spec?.unschedulable === true && !toleratesTaint(pod, unschedulableTaint) ? unresolvable("node(s) were unschedulable") : undefined

const nodeName: Filter = (_, pod, node) =>
  (pod.spec?.nodeName ?? "") === "" || pod.spec?.nodeName === nameOf(node) ? undefined : unresolvable("node(s) didn't match the requested node name")

const taintToleration: Filter = (_, pod, node) =>
  forbiddingTaints(pod, node).length === 0 ? undefined : unresolvable("node(s) had untolerated taint(s)")

const nodeReady: Filter = (_, __, node) =>
  (node.status?.conditions ?? []).some(({ status, type }) => type === "Ready" && status === "True") ? undefined : unresolvable("node(s) were not ready")

const nodeAffinity: Filter = (_, pod, node) =>
  admitsNode(pod, node) ? undefined : unresolvable("node(s) didn't match Pod's node affinity/selector")

const brands = (pod: CoreV1.Pod): ReadonlyArray<string> =>
  [...new Set([pod.metadata.annotations?.["reddwarf.io/zone-brand"] ?? "", pod.spec?.runtimeClassName ?? ""])].filter((brand) => brand !== "")

const zoneBrand: Filter = (_, pod, node) => {
  const offered = labelsOf(node)["reddwarf.io/zone-brands"]?.split(".") ?? []
  return brands(pod).every((brand) => offered.includes(brand)) ? undefined : unresolvable("node(s) didn't support the requested zone brand")
}

const ports = (pod: CoreV1.Pod): ReadonlyArray<CoreV1.ContainerPort> =>
  [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter((init) => init.restartPolicy === "Always")]
    .flatMap((container) => container.ports ?? [])
    .filter((port) => (port.hostPort ?? 0) > 0)

const isAny = (ip = ""): boolean => ip === "" || ip === "0.0.0.0"
const clash = (a: CoreV1.ContainerPort, b: CoreV1.ContainerPort): boolean =>
  a.hostPort === b.hostPort && (a.protocol ?? "TCP") === (b.protocol ?? "TCP") && (isAny(a.hostIP) || isAny(b.hostIP) || a.hostIP === b.hostIP)

const nodePorts: Filter = (world, pod, node) =>
  podsOn(world, node).some((other) => ports(other).some((taken) => ports(pod).some((wanted) => clash(taken, wanted))))
    ? unschedulable("node(s) didn't have free ports for the requested pod ports")
    : undefined

const ordinary = ["cpu", "memory", "ephemeral-storage"]
const extended = (pod: CoreV1.Pod): ReadonlyArray<string> =>
  [...new Set([...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].flatMap((container) => Object.keys(container.resources?.requests ?? {})))]
    .filter((name) => !ordinary.includes(name))

const nodeResourcesFit: Filter = (world, pod, node) => {
  const missing = [...ordinary, ...extended(pod)].filter((resource) => {
    const wanted = request(pod, resource)
    return wanted > 0 && wanted > allocatable(node, resource) - used(world, node, resource)
  })
  const reasons = missing.map((resource) => `Insufficient ${resource}`)
  if (podsOn(world, node).length >= Number(node.status?.allocatable?.["pods"] ?? "0")) reasons.unshift("Too many pods")
  if (reasons.length === 0) return undefined
  // A request that is larger than the whole node cannot be met by making others leave.
  return missing.some((resource) => request(pod, resource) > allocatable(node, resource)) ? unresolvable(...reasons) : unschedulable(...reasons)
}

export const filters: Readonly<Record<string, Filter>> = {
  NodeUnschedulable: nodeUnschedulable,
  NodeName: nodeName,
  TaintToleration: taintToleration,
  NodeReady: nodeReady,
  NodeAffinity: nodeAffinity,
  ZoneBrand: zoneBrand,
  NodePorts: nodePorts,
  NodeResourcesFit: nodeResourcesFit,
  VolumeRestrictions: volumes.restrictions,
  NodeVolumeLimits: volumeLimits.filter,
  VolumeBinding: volumes.binding,
  VolumeZone: volumes.zones,
  ZfsCapacity: storage.filter,
  PodTopologySpread: spread.filter,
  InterPodAffinity: affinity.filter
}

/** What refuses the pod before any node is looked at, by the name of the plugin. */
export const refusals: Readonly<Record<string, (world: World, pod: CoreV1.Pod) => Verdict | undefined>> = {
  NodeAffinity: (_, pod) => namedNodes(pod)?.length === 0 ? unresolvable("pod affinity terms conflict") : undefined,
  ZoneBrand: (_, pod) =>
    brands(pod).length > 1 ? unresolvable("pod asks for different zone brands in annotation reddwarf.io/zone-brand and runtimeClassName") : undefined,
  VolumeBinding: volumes.refusal,
  VolumeZone: volumes.unknownPlace
}

/** The only nodes to look at, when a plugin knows them. */
export const restrictions: Readonly<Record<string, (world: World, pod: CoreV1.Pod) => ReadonlyArray<string> | undefined>> = {
  NodeAffinity: (_, pod) => namedNodes(pod)
}
