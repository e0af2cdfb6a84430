/** Requests as webhooks and policies see them. */
import type { AdmissionV1, Kind, KindRegistry, KubeObject } from "@reddwarf/api-types"
import { Kind as KindOf } from "@reddwarf/api-types"
import type { Subject } from "./admissionMatch.js"

const gvk = ({ group, kind, version }: Kind.Kind) => ({ group, version, kind })
const gvr = ({ group, plural, version }: Kind.Kind) => ({ group, version, resource: plural })

/** Other served versions of the objects of a kind, which the server itself can convert. */
export const equivalentsOf = (registry: KindRegistry.Registry, kind: Kind.Kind): ReadonlyArray<Kind.Kind> => {
  if (kind.storage?.webhook !== undefined) return []
  const stored = KindOf.storedKind(kind)
  return registry.kinds.filter((other) => {
    if (other === kind || other.plural !== kind.plural) return false
    const its = KindOf.storedKind(other)
    return its.group === stored.group && its.version === stored.version && its.kind === stored.kind
  })
}

/** An object of one version in another. */
export const inVersion = (from: Kind.Kind, to: Kind.Kind) => (object: KubeObject.KubeObject): KubeObject.KubeObject => {
  if (from === to) return object
  const stored = from.storage === undefined ? object : from.storage.toStored(object)
  return to.storage === undefined ? stored : to.storage.fromStored(stored)
}

const optionsOf = (operation: string, dryRun: boolean) => ({
  kind: operation === "CREATE" ? "CreateOptions" : operation === "DELETE" ? "DeleteOptions" : "UpdateOptions",
  apiVersion: "meta.k8s.io/v1",
  ...(dryRun ? { dryRun: ["All"] } : {})
})

/** The request about a subject, in the version of `shown`. */
export const make = (uid: string, { attributes, object }: Subject, shown: Kind.Kind): AdmissionV1.AdmissionRequest => {
  const { dryRun, kind, name, namespace, old, operation, subresource, user } = attributes
  const convert = inVersion(kind, shown)
  return {
    uid,
    kind: gvk(shown),
    resource: gvr(shown),
    ...(subresource === undefined ? {} : { subResource: subresource }),
    requestKind: gvk(kind),
    requestResource: gvr(kind),
    ...(subresource === undefined ? {} : { requestSubResource: subresource }),
    ...(name === "" ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra })
    },
    object: object === undefined ? null : convert(object),
    oldObject: old === undefined ? null : convert(old),
    dryRun,
    options: optionsOf(operation, dryRun)
  }
}
