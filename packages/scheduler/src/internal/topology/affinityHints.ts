/** Which changes of the cluster may help a pod that found no node because of affinity or anti-affinity. */
import { LabelSelector } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as ClusterEvent from "../../ClusterEvent.js"
import type { PodInfo } from "../../PodInfo.js"
import * as AffinityTerms from "./affinityTerms.js"
import * as NodeLabels from "./nodeLabels.js"
import type { Selected } from "./podSelection.js"

/** Labels of namespaces are not known here, so a selector of namespaces counts as matching: one attempt too many does no harm. */
const maySelect = ({ namespaceSelector, namespaces, selector }: AffinityTerms.AffinityTerm, pod: Selected): boolean =>
  (namespaces.has(pod.namespace) || namespaceSelector !== undefined) && LabelSelector.matches(selector.selector, pod.labels)

const allSelect = (terms: ReadonlyArray<AffinityTerms.AffinityTerm>, pod: Selected): boolean =>
  terms.length > 0 && terms.every((term) => maySelect(term, pod))
const anySelects = (terms: ReadonlyArray<AffinityTerms.AffinityTerm>, pod: Selected): boolean => terms.some((term) => maySelect(term, pod))

const queueIf = (helps: boolean): ClusterEvent.Hint => helps ? "Queue" : "Skip"

const added = (pod: PodInfo, next: PodInfo | undefined): ClusterEvent.Hint =>
  queueIf(next === undefined || allSelect(AffinityTerms.of(pod.shape).required, next.shape))

const keepsOut = (pod: PodInfo, other: PodInfo): boolean =>
  anySelects(AffinityTerms.of(pod.shape).requiredAnti, other.shape) || anySelects(AffinityTerms.of(other.shape).requiredAnti, pod.shape)

const removed = (pod: PodInfo, old: PodInfo | undefined): ClusterEvent.Hint => queueIf(old === undefined || keepsOut(pod, old))

const relabelled = (pod: PodInfo, old: PodInfo | undefined, next: PodInfo | undefined): ClusterEvent.Hint => {
  if (old === undefined || next === undefined) return "Queue"
  const { required } = AffinityTerms.of(pod.shape)
  return queueIf((allSelect(required, next.shape) && !allSelect(required, old.shape)) || (keepsOut(pod, old) && !keepsOut(pod, next)))
}

const nodeAdded = (pod: PodInfo, node: CoreV1.Node | undefined): ClusterEvent.Hint =>
  queueIf(node === undefined || NodeLabels.hasAll(node, AffinityTerms.of(pod.shape).required.map(({ topologyKey }) => topologyKey)))

const namespaceChanged = (pod: PodInfo, { metadata: { name } }: CoreV1.Namespace): ClusterEvent.Hint => {
  const { required, requiredAnti } = AffinityTerms.of(pod.shape)
  // The labels of the pod's own namespace decide what terms of others select.
  return queueIf(name === pod.shape.namespace || [...required, ...requiredAnti].some(({ namespaceSelector }) => namespaceSelector !== undefined))
}

/** What may help. */
export const triggers: ReadonlyArray<ClusterEvent.Trigger> = [
  ClusterEvent.when("AssignedPodAdd", (pod, _, next) => added(pod, next)),
  ClusterEvent.when("AssignedPodUpdateLabels", relabelled),
  ClusterEvent.when("AssignedPodDelete", removed),
  ClusterEvent.when("NodeAdd", (pod, _, node) => nodeAdded(pod, node)),
  "NodeUpdateLabels",
  "PodUpdateLabels",
  ClusterEvent.when("NamespaceAdd", (pod, _, namespace) => namespace === undefined ? "Queue" : namespaceChanged(pod, namespace)),
  ClusterEvent.when("NamespaceUpdateLabels", (pod, _, namespace) => namespace === undefined ? "Queue" : namespaceChanged(pod, namespace))
]
