/** Admission: a node agent writes only about its own node, also where the name stands in the body and not in the URL. */
import { ApiError, type CoreV1, Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, ClusterView, Plugin } from "./Admission.js"
import { nodeOf } from "../authorization/Authorizer.js"
import { equals, get } from "../internal/jsonValue.js"
import * as nodeLabels from "../internal/nodeLabels.js"
import * as podReferences from "../internal/podReferences.js"

const podNode = (pod: KubeObject.KubeObject | undefined): unknown => get(get(pod, "spec"), "nodeName")

const isPod = (object: KubeObject.KubeObject): object is CoreV1.Pod => object.kind === "Pod"

const names = { secrets: "secrets", configmaps: "configmaps", persistentvolumeclaims: "persistentvolumeclaims", serviceaccounts: "a service account" } as const

/** Owned by its node, a mirror pod goes when the node goes. Any other owner would be held up or dragged along. */
const ownerRefusal = (node: string, { metadata }: KubeObject.KubeObject, view: ClusterView): string | undefined => {
  const [owner, ...more] = metadata.ownerReferences ?? []
  if (more.length > 0) return `node "${node}" can only create pods with a single owner reference set to itself`
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) {
    return `node "${node}" can only create pods with an owner reference set to itself`
  }
  if (owner.controller !== true) return `node "${node}" can only create pods with a controller owner reference set to itself`
  if (owner.blockOwnerDeletion === true) return `node "${node}" must not set blockOwnerDeletion on an owner reference`
  const uid = view.get(Kinds.node, undefined, node)?.metadata.uid ?? ""
  return owner.uid === uid ? undefined : `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`
}

/** What an agent makes shows its own static pods. It could read whatever another pod refers to. */
const mirrorRefusal = (node: string, object: KubeObject.KubeObject, view: ClusterView): string | undefined => {
  if (object.metadata.annotations?.[podReferences.mirrorAnnotation] === undefined) {
    return `pod does not have "${podReferences.mirrorAnnotation}" annotation, node "${node}" can only create mirror pods`
  }
  if (podNode(object) !== node) return `node "${node}" can only create pods with spec.nodeName set to itself`
  const owner = ownerRefusal(node, object, view)
  if (owner !== undefined) return owner
  // Every pod is given the account `default`, and to a mirror pod it opens nothing.
  const [first] = isPod(object) ? podReferences.of(object).filter(({ name, resource }) => resource !== "serviceaccounts" || name !== "default") : []
  return first === undefined ? undefined : `node "${node}" can not create pods that reference ${names[first.resource]}`
}

const podRefusal = (
  node: string,
  object: KubeObject.KubeObject | undefined,
  { name, namespace, old, operation, subresource }: Attributes,
  view: ClusterView
): string | undefined => {
  const isOwn = (pod: KubeObject.KubeObject | undefined): boolean => podNode(pod) === node
  if (subresource === "status") {
    if (!isOwn(old)) return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`
    return equals(object?.metadata.labels ?? {}, old?.metadata.labels ?? {}) ? undefined : `node "${node}" cannot update labels through pod status`
  }
  if (subresource === "eviction") {
    return isOwn(view.get(Kinds.pod, namespace, name)) ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`
  }
  if (subresource !== undefined) return `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`
  if (operation === "CREATE") return object === undefined ? undefined : mirrorRefusal(node, object, view)
  if (operation !== "DELETE") return `unexpected operation "${operation}", node "${node}" can only create and delete mirror pods`
  return isOwn(old) ? undefined : `node "${node}" can only delete pods with spec.nodeName set to itself`
}

/** A node that could choose its labels and taints could draw work to itself that is meant for others. */
const nodeRefusal = (node: string, object: KubeObject.KubeObject | undefined, { name, old, operation }: Attributes): string | undefined => {
  const asked = object?.metadata.name ?? name
  if (asked !== node) return `node "${node}" is not allowed to modify node "${asked}"`
  if (object === undefined || operation === "DELETE") return undefined
  const spec = get(object, "spec")
  const before = get(old, "spec")
  const forbidden = nodeLabels.forbidden(object.metadata.labels, old?.metadata.labels)
  if (operation === "CREATE") {
    if (get(spec, "configSource") !== undefined) return `node "${node}" is not allowed to create pods with a non-nil configSource`
    return forbidden.length === 0 ? undefined : `node "${node}" is not allowed to set the following labels: ${forbidden.join(", ")}`
  }
  const source = get(spec, "configSource")
  if (source !== undefined && !equals(source, get(before, "configSource"))) {
    return `node "${node}" is not allowed to update configSource to a new non-nil configSource`
  }
  if (!equals(get(spec, "taints") ?? [], get(before, "taints") ?? [])) return `node "${node}" is not allowed to modify taints`
  return forbidden.length === 0 ? undefined : `is not allowed to modify labels: ${forbidden.join(", ")}`
}

const leaseNamespace = "kube-node-lease"

const leaseRefusal = (node: string, object: KubeObject.KubeObject | undefined, { name, namespace }: Attributes): string | undefined => {
  if (namespace !== leaseNamespace) return `can only access leases in the "${leaseNamespace}" system namespace`
  return (object?.metadata.name ?? name) === node ? undefined : "can only access node lease with the same name as the requesting node"
}

const refusal = (
  node: string,
  object: KubeObject.KubeObject | undefined,
  attributes: Attributes,
  view: ClusterView
): string | undefined => {
  const { kind, name, subresource } = attributes
  switch (kind) {
    case Kinds.pod:
      return podRefusal(node, object, attributes, view)
    case Kinds.node:
      return nodeRefusal(node, object, attributes)
    case Kinds.lease:
      return leaseRefusal(node, object, attributes)
    case Kinds.persistentVolumeClaim:
      return subresource === "status" ? undefined : "may only update PVC status"
    case Kinds.csiNode:
      return (object?.metadata.name ?? name) === node ? undefined : "can only access CSINode with the same name as the requesting node"
    default:
      return undefined
  }
}

/** Refuses (403) what a node agent writes about other nodes, their leases and their pods, and what would draw work to its own. @category constructors */
export const plugin: Plugin = {
  name: "NodeRestriction",
  validate: (object, attributes, view) => {
    const node = nodeOf(attributes.user)
    const why = node === undefined ? undefined : refusal(node, object, attributes, view)
    return why === undefined
      ? Effect.void
      : ApiError.fail(Status.forbidden(attributes.kind, attributes.name, why))
  }
}
