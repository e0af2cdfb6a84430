/**
 * What agents may read besides what all of them may: the Secrets, ConfigMaps, claims, volumes and tokens of the pods that are
 * bound to their own node. Kept by the commits themselves, so that a pod's objects can be read as soon as it is bound.
 */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import type * as Context from "effect/Context"
import { allow, type Attributes, type Decision, nodeOf } from "./Authorizer.js"
import { get, textAt } from "../internal/jsonValue.js"
import { keyOf, prefixOf } from "../internal/keys.js"
import type { IndexOptions, ObjectIndex } from "../internal/objectIndex.js"
import * as podReferences from "../internal/podReferences.js"

/** Decides about what depends on pods; undefined for everything else, and for everybody who is no agent. @category models */
export type NodeAuthorizer = (attributes: Attributes) => Decision | undefined

const isPod = (object: unknown): object is CoreV1.Pod => typeof get(object, "metadata") === "object"

const edge = (node: string, resource: string, namespace: string, name: string): string => `${node}|${resource}|${namespace}/${name}`

const edgesOf = (object: unknown): ReadonlyArray<string> => {
  if (!isPod(object)) return []
  const { metadata: { annotations, namespace = "" }, spec } = object
  const node = spec?.nodeName ?? ""
  // A node makes its mirror pods by itself: they must not open anything to it.
  if (node === "" || annotations?.[podReferences.mirrorAnnotation] !== undefined) return []
  return [...new Set(podReferences.of(object).map(({ name, resource }) => edge(node, resource, namespace, name)))]
}

const reads: ReadonlySet<string> = new Set(["get", "list", "watch"])
const guarded: ReadonlySet<string> = new Set(["secrets", "configmaps", "persistentvolumeclaims", "persistentvolumes", "serviceaccounts"])

/** What pods let their nodes read. @category constructors */
export const index: IndexOptions = {
  prefix: prefixOf(Kinds.pod, undefined),
  parts: { metadata: { annotations: true, name: true, namespace: true }, spec: true },
  valuesOf: edgesOf
}

/** The node that keeps a volume as a dataset of its own, whether or not a pod uses it. */
const keptBy = (spec: unknown): string | undefined => {
  const csi = get(spec, "csi")
  return textAt(csi, "driver") === "reddwarf.io/zfs" ? textAt(get(csi, "volumeAttributes"), "reddwarf.io/node") : undefined
}

/** Decides by that index. @category constructors */
export const make = (cache: Context.Tag.Service<WatchCache.WatchCache>, edges: ObjectIndex): NodeAuthorizer => {
  const related = (node: string, resource: string, namespace: string, name: string): Decision =>
    edges.has(edge(node, resource, namespace, name))
      ? allow
      : { allowed: false, reason: `no relationship found between node '${node}' and this object` }

  const volume = (node: string, name: string): Decision => {
    const found = cache.get(keyOf(Kinds.persistentVolume, undefined, name))
    // A node must learn that a volume it keeps is gone; of one that is not there, there is nothing to hide.
    if (found === undefined) return allow
    const spec = get(found.object, "spec")
    if (keptBy(spec) === node) return allow
    const claim = get(spec, "claimRef")
    return related(node, "persistentvolumeclaims", textAt(claim, "namespace"), textAt(claim, "name"))
  }

  return (attributes) => {
    const { group, name = "", namespace = "", resource, subresource, user, verb } = attributes
    if (!attributes.isResource || group !== "" || !guarded.has(resource)) return undefined
    const node = nodeOf(user)
    if (node === undefined) return undefined
    if (resource === "serviceaccounts") {
      if (subresource !== "token") return undefined
      if (verb !== "create" || name === "") return { allowed: false, reason: "can only create tokens for individual service accounts" }
      return related(node, resource, namespace, name)
    }
    if (subresource !== undefined) return { allowed: false, reason: "cannot read subresource" }
    if (resource === "persistentvolumes" || resource === "persistentvolumeclaims" ? verb !== "get" : !reads.has(verb)) {
      return { allowed: false, reason: resource === "secrets" || resource === "configmaps" ? "can only read resources of this type" : "can only get individual resources of this type" }
    }
    if (name === "") return { allowed: false, reason: "No Object name found" }
    return resource === "persistentvolumes" ? volume(node, name) : related(node, resource, namespace, name)
  }
}
