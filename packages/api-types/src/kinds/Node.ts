/** Node: a host that runs pods. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { age, name, text, wide } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { nodeCells } from "../printing/NodeCells.js"
import { validateNode, validateNodeUpdate } from "../validation/NodeValidation.js"

const notReady: CoreV1.Taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }

// A new node gets no pods until its agent has reported that it is ready.
const withNotReadyTaint = (object: CoreV1.Node): CoreV1.Node =>
  object.spec?.taints?.some((taint) => taint.key === notReady.key && taint.effect === notReady.effect) === true
    ? object
    : { ...object, spec: { ...object.spec, taints: [...(object.spec?.taints ?? []), notReady] } }

// `podCIDR` is the first of `podCIDRs`; who writes one of them means both.
const withPodCidrs = (object: CoreV1.Node): CoreV1.Node => {
  const { podCIDR = "", podCIDRs = [] } = object.spec ?? {}
  if (podCIDR !== "" && podCIDRs.length === 0) return { ...object, spec: { ...object.spec, podCIDRs: [podCIDR] } }
  const first = podCIDRs[0]
  return podCIDR === "" && first !== undefined ? { ...object, spec: { ...object.spec, podCIDR: first } } : object
}

const withAllocatable = (object: CoreV1.Node): CoreV1.Node =>
  object.status?.capacity !== undefined && object.status.allocatable === undefined
    ? { ...object, status: { ...object.status, allocatable: object.status.capacity } }
    : object

/** @category constructors */
export const node: Kind.Kind<CoreV1.Node> = Kind.make<CoreV1.Node>({
  version: "v1",
  kind: "Node",
  plural: "nodes",
  shortNames: ["no"],
  namespaced: false,
  schema: "io.k8s.api.core.v1.Node",
  subresources: [
    { name: "proxy", kind: "NodeProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] },
    { name: "status", kind: "Node", verbs: ["get", "patch", "update"] }
  ],
  defaults: (object) => withAllocatable(withPodCidrs(object)),
  // Unlike a pod, a node that is created may bring its status along.
  prepareForCreate: withNotReadyTaint,
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? {} }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: validateNode,
  validateContentUpdate: validateNodeUpdate,
  selectableFields: { "spec.unschedulable": (object) => String(object.spec?.unschedulable === true) },
  columns: [
    name,
    text("Status", "Whether the node takes pods."),
    text("Roles", "Roles from the node's labels."),
    age,
    text("Version", "Version of the node agent."),
    wide("Internal-IP", "First internal address."),
    wide("External-IP", "First external address."),
    wide("OS-Image", "Operating system."),
    wide("Kernel-Version", "Kernel and architecture."),
    wide("Container-Runtime", "Name and version of the runtime.")
  ],
  cells: nodeCells
})
