/** Admission: a node agent writes only about its own node, also where the name stands in the body and not in the URL. */
import { ApiError, Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, Plugin } from "./Admission.js"
import { get } from "./internal/jsonValue.js"

const prefix = "system:node:"

const nodeOf = ({ user }: Attributes): string | undefined =>
  user.groups.includes("system:nodes") && user.name.startsWith(prefix) ? user.name.slice(prefix.length) : undefined

const podNode = (pod: KubeObject.KubeObject | undefined): unknown => get(get(pod, "spec"), "nodeName")

const refusal = (
  node: string,
  object: KubeObject.KubeObject | undefined,
  { kind, old, operation }: Attributes
): string | undefined => {
  if (kind === Kinds.node || kind === Kinds.lease) {
    const name = object?.metadata.name ?? old?.metadata.name
    return name === node ? undefined : `node "${node}" is not allowed to modify ${kind.singular} "${name}"`
  }
  if (kind !== Kinds.pod) return undefined
  const bound = podNode(operation === "CREATE" ? object : old)
  return bound === node ? undefined : `node "${node}" may only change pods with spec.nodeName set to itself`
}

/** Refuses (403) what a node agent writes about other nodes, their leases and their pods. @category constructors */
export const plugin: Plugin = {
  name: "NodeRestriction",
  validate: (object, attributes) => {
    const node = nodeOf(attributes)
    const why = node === undefined ? undefined : refusal(node, object, attributes)
    return why === undefined
      ? Effect.void
      : ApiError.fail(Status.forbidden(attributes.kind, attributes.name, why))
  }
}
