/** Admission: a node agent writes only about its own node, also where the name stands in the body and not in the URL. */
import { ApiError, type CoreV1, Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, Plugin } from "./Admission.js"
import { nodeOf } from "../authorization/Authorizer.js"
import { get } from "../internal/jsonValue.js"
import * as podReferences from "../internal/podReferences.js"

const podNode = (pod: KubeObject.KubeObject | undefined): unknown => get(get(pod, "spec"), "nodeName")

const isPod = (object: KubeObject.KubeObject): object is CoreV1.Pod => object.kind === "Pod"

const names = { secrets: "secrets", configmaps: "configmaps", persistentvolumeclaims: "persistentvolumeclaims", serviceaccounts: "a service account" } as const

/** What an agent makes shows its own static pods. It could read whatever another pod refers to. */
const mirrorRefusal = (node: string, object: KubeObject.KubeObject): string | undefined => {
  if (object.metadata.annotations?.[podReferences.mirrorAnnotation] === undefined) {
    return `pod does not have "${podReferences.mirrorAnnotation}" annotation, node "${node}" can only create mirror pods`
  }
  // Every pod is given the account `default`, and to a mirror pod it opens nothing.
  const [first] = isPod(object) ? podReferences.of(object).filter(({ name, resource }) => resource !== "serviceaccounts" || name !== "default") : []
  return first === undefined ? undefined : `node "${node}" can not create pods that reference ${names[first.resource]}`
}

const refusal = (
  node: string,
  object: KubeObject.KubeObject | undefined,
  { kind, old, operation, subresource }: Attributes
): string | undefined => {
  if (kind === Kinds.node || kind === Kinds.lease) {
    const name = object?.metadata.name ?? old?.metadata.name
    return name === node ? undefined : `node "${node}" is not allowed to modify ${kind.singular} "${name}"`
  }
  if (kind !== Kinds.pod) return undefined
  if (operation === "CREATE" && subresource === undefined && object !== undefined) {
    const why = mirrorRefusal(node, object)
    if (why !== undefined) return why
  }
  const bound = podNode(operation === "CREATE" ? object : old)
  return bound === node ? undefined : `node "${node}" may only change pods with spec.nodeName set to itself`
}

/** Refuses (403) what a node agent writes about other nodes, their leases and their pods. @category constructors */
export const plugin: Plugin = {
  name: "NodeRestriction",
  validate: (object, attributes) => {
    const node = nodeOf(attributes.user)
    const why = node === undefined ? undefined : refusal(node, object, attributes)
    return why === undefined
      ? Effect.void
      : ApiError.fail(Status.forbidden(attributes.kind, attributes.name, why))
  }
}
