/** Which nodes a DaemonSet runs on, and on which node each of its pods is or will be. Pure. */
import { type AppsV1, type CoreV1, Kinds, NodeSelector, Taints } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import * as podControl from "./podControl.js"

export const revisionLabel = "controller-revision-hash"
const generationLabel = "pod-template-generation"
const generationAnnotation = "deprecated.daemonset.template.generation"
const nameField = "metadata.name"

type DaemonSet = AppsV1.DaemonSet

/** What a daemon has to bear: it is to run where other pods are kept away or driven off. */
const tolerated = (hostNetwork: boolean): ReadonlyArray<CoreV1.Toleration> => [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
  ...(hostNetwork ? [{ key: "node.kubernetes.io/network-unavailable", operator: "Exists", effect: "NoSchedule" }] : [])
]

const tolerations = (spec: CoreV1.PodSpec): ReadonlyArray<CoreV1.Toleration> => {
  const own = spec.tolerations ?? []
  const isSame = (a: CoreV1.Toleration) => (b: CoreV1.Toleration) => a.key === b.key && a.effect === b.effect && a.operator === b.operator && (b.value ?? "") === ""
  return [...own, ...tolerated(spec.hostNetwork === true).filter((each) => !own.some(isSame(each)))]
}

/** Whether a node should have the pod, and whether one that is there may stay. */
export interface Fit {
  readonly shouldRun: boolean
  readonly mayStay: boolean
}

/** By the node's name, labels and taints; not by how full it is: the scheduler sees to that. */
export const fit = (set: DaemonSet): (node: CoreV1.Node) => Fit => {
  const spec = set.spec?.template.spec ?? { containers: [] }
  const pinned = spec.nodeName ?? ""
  const pod: CoreV1.Pod = { apiVersion: "v1", kind: "Pod", metadata: {}, spec }
  const borne = tolerations(spec)
  return (node) => {
    if ((pinned !== "" && pinned !== node.metadata.name) || !NodeSelector.admits(pod, node)) return { shouldRun: false, mayStay: false }
    const taints = node.spec?.taints ?? []
    return Taints.toleratesAll(borne, taints, ["NoExecute", "NoSchedule"])
      ? { shouldRun: true, mayStay: true }
      : { shouldRun: false, mayStay: Taints.toleratesAll(borne, taints, ["NoExecute"]) }
  }
}

/** The affinity by which the scheduler can choose this node only. */
const pinTo = (affinity: CoreV1.Affinity | undefined, node: string): CoreV1.Affinity => {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const matchFields = [{ key: nameField, operator: "In", values: [node] }]
  // Other terms were looked at when the node was chosen.
  return {
    ...affinity,
    nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { ...required, nodeSelectorTerms: [{ matchFields }] } }
  }
}

/** The pod for a node. `revision` is the hash of the present template. */
export const draft = (set: DaemonSet, node: string, revision: string): ApiClient.Draft<CoreV1.Pod> => {
  const pod = podControl.fromTemplate(Kinds.daemonSet, set, set.spec?.template)
  const spec = pod.spec ?? { containers: [] }
  const generation = set.metadata.annotations?.[generationAnnotation]
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata.labels, [revisionLabel]: revision, ...(generation === undefined ? {} : { [generationLabel]: generation }) }
    },
    spec: { ...spec, affinity: pinTo(spec.affinity, node), tolerations: tolerations(spec) }
  }
}

/** The node that a pod runs on, or can only run on; undefined if it has no node. */
export const nodeOf = ({ spec }: CoreV1.Pod): string | undefined => {
  if (spec?.nodeName !== undefined && spec.nodeName !== "") return spec.nodeName
  for (const { matchFields } of spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []) {
    const found = matchFields?.find(({ key, operator, values }) => key === nameField && operator === "In" && values?.length === 1)
    if (found !== undefined) return found.values?.[0]
  }
  return undefined
}

/** The pod is of the present template. */
export const isUpdated = (pod: CoreV1.Pod, revision: string): boolean => pod.metadata.labels?.[revisionLabel] === revision
