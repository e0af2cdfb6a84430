/** Pod: containers that run together on one node. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { podAdmissionDefaults } from "../defaults/PodAdmission.js"
import { podDefaults } from "../defaults/PodDefaults.js"
import { podWithLabelKeys } from "../defaults/PodLabelKeys.js"
import { age, name, text, wide } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { ephemeralContainers, resize } from "./podSubresources.js"
import { isBound, isTerminal } from "../PodPhase.js"
import { podCells, podRowConditions } from "../printing/PodCells.js"
import { validatePod } from "../validation/PodValidation.js"
import { validatePodUpdate } from "../validation/PodUpdateValidation.js"

const keepStatus = (next: CoreV1.Pod, old: CoreV1.Pod): CoreV1.Pod => ({ ...next, status: old.status ?? {} })

// The status endpoint may change labels and annotations too, but neither the spec nor the owners.
const keepSpec = (next: CoreV1.Pod, old: CoreV1.Pod): CoreV1.Pod => {
  const { ownerReferences: _, ...metadata } = next.metadata
  const owners = old.metadata.ownerReferences
  const qosClass = old.status?.qosClass
  return {
    ...next,
    // The class follows from the spec; a status without it means no change.
    ...(qosClass !== undefined && (next.status?.qosClass ?? "") === "" ? { status: { ...next.status, qosClass } } : {}),
    metadata: owners === undefined ? metadata : { ...metadata, ownerReferences: owners },
    ...(old.spec === undefined ? {} : { spec: old.spec })
  }
}

// A pod that no node runs needs no time to stop.
const grace = (pod: CoreV1.Pod, requested: number | undefined): number => {
  if (!isBound(pod) || isTerminal(pod)) return 0
  const seconds = requested ?? pod.spec?.terminationGracePeriodSeconds ?? 30
  return seconds < 0 ? 1 : seconds
}

/** @category constructors */
export const pod: Kind.Kind<CoreV1.Pod> = Kind.make<CoreV1.Pod>({
  version: "v1",
  kind: "Pod",
  plural: "pods",
  shortNames: ["po"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.Pod",
  subresources: [
    { name: "attach", kind: "PodAttachOptions", verbs: ["create", "get"] },
    { name: "binding", kind: "Binding", verbs: ["create"] },
    { name: "ephemeralcontainers", kind: "Pod", verbs: ["get", "patch", "update"] },
    { name: "eviction", kind: "Eviction", group: "policy", version: "v1", verbs: ["create"] },
    { name: "exec", kind: "PodExecOptions", verbs: ["create", "get"] },
    { name: "finalize", kind: "Pod", verbs: ["create"] },
    { name: "log", kind: "Pod", verbs: ["get"] },
    { name: "portforward", kind: "PodPortForwardOptions", verbs: ["create", "get"] },
    { name: "proxy", kind: "PodProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] },
    { name: "resize", kind: "Pod", verbs: ["get", "patch", "update"] },
    { name: "status", kind: "Pod", verbs: ["get", "patch", "update"] }
  ],
  tracksGeneration: true,
  defaults: podDefaults,
  prepareForCreate: podAdmissionDefaults,
  completeForCreate: podWithLabelKeys,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  subresourceUpdates: { ephemeralcontainers: ephemeralContainers, resize },
  validateContent: validatePod,
  validateContentUpdate: validatePodUpdate,
  selectableFields: {
    "spec.nodeName": (object) => object.spec?.nodeName ?? "",
    "spec.host": (object) => object.spec?.nodeName ?? "",
    "spec.restartPolicy": (object) => object.spec?.restartPolicy ?? "",
    "spec.schedulerName": (object) => object.spec?.schedulerName ?? "",
    "spec.serviceAccountName": (object) => object.spec?.serviceAccountName ?? "",
    "spec.hostNetwork": (object) => String(object.spec?.hostNetwork === true),
    "status.phase": (object) => object.status?.phase ?? "",
    "status.podIP": (object) => object.status?.podIP ?? "",
    "status.podIPs": (object) => object.status?.podIPs?.map(({ ip }) => ip).join(",") ?? "",
    "status.nominatedNodeName": (object) => object.status?.nominatedNodeName ?? ""
  },
  columns: [
    name,
    text("Ready", "Containers that are ready, of those that should be."),
    text("Status", "Phase, or the reason that says more."),
    text("Restarts", "Restarts of the containers, and when the last one was."),
    age,
    wide("IP", "Address of the pod."),
    wide("Node", "Node the pod is bound to."),
    wide("Nominated Node", "Node on which preemption makes room for the pod."),
    wide("Readiness Gates", "Additional conditions that are true, of those that must be.")
  ],
  cells: podCells,
  rowConditions: podRowConditions,
  deletionGrace: grace
})
