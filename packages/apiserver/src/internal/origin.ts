/** What the history of an object says of a write. */
import type { Kind, KubeObject } from "@reddwarf/api-types"
import type { ObjectStore } from "@reddwarf/store"
import type { ResourceRequest } from "./apiContext.js"
import { writerOf } from "./tracking.js"

// Heartbeats and reports: nobody restores them, and they would be most of all that is kept.
const unkept = new Set(["Event", "Lease"])

const isKept = (kind: Kind.Kind, subresource: string | undefined): boolean =>
  !unkept.has(kind.kind) && !(kind.kind === "Node" && subresource === "status")

const verbOf = ({ info, request }: ResourceRequest): string =>
  info.verb === "patch" && String(request.headers["content-type"] ?? "").startsWith("application/apply-patch") ? "apply" : info.verb

const isDerived = ({ metadata }: KubeObject.KubeObject): boolean =>
  metadata.ownerReferences?.some(({ controller }) => controller === true) === true

/** Who makes a version of `object`. Undefined for writes that no history is kept of. */
export const originOf = (call: ResourceRequest, object: KubeObject.KubeObject): ObjectStore.Origin | undefined => {
  const { info, kind, user } = call
  if (!isKept(kind, info.subresource)) return undefined
  const { manager, now } = writerOf(call)
  return {
    at: now,
    user: user.name,
    verb: verbOf(call),
    ...(manager === "" ? {} : { manager }),
    ...(info.subresource === undefined ? {} : { subresource: info.subresource }),
    ...(isDerived(object) ? { derived: true } : {})
  }
}
