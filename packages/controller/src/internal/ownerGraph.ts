/**
 * Who owns whom, over all kinds, by uid. Plain functions on plain maps: every change of every object passes here.
 *
 * An owner needs not be in the graph for its dependents to be found under its uid.
 */
import type { Kind, KubeObject, MetaV1 } from "@reddwarf/api-types"

/** Finalizer by which an owner waits for its blocking dependents to go. */
export const foregroundFinalizer = "foregroundDeletion"

/** Finalizer by which an owner waits for its dependents to be released. */
export const orphanFinalizer = "orphan"

/** An object, as much of it as matters here. */
export interface Node {
  readonly kind: Kind.Kind
  readonly object: KubeObject.KubeObject
}

export interface OwnerGraph {
  readonly get: (uid: string) => Node | undefined
  /** Objects with a reference to this uid. */
  readonly dependents: (uid: string) => ReadonlyArray<Node>
  readonly hasDependents: (uid: string) => boolean
  readonly put: (node: Node) => void
  /** Removes an object if it is still this kind's. */
  readonly remove: (node: Node) => void
  readonly uids: () => Iterable<string>
  readonly size: () => number
}

export const uidOf = (node: Node): string => node.object.metadata.uid ?? ""

export const owners = (node: Node): ReadonlyArray<MetaV1.OwnerReference> => node.object.metadata.ownerReferences ?? []

const hasFinalizer = (object: KubeObject.KubeObject, finalizer: string): boolean => object.metadata.finalizers?.includes(finalizer) === true

export const isDeleting = (object: KubeObject.KubeObject): boolean => object.metadata.deletionTimestamp !== undefined

/** The object is being deleted, and waits for its blocking dependents to go first. */
export const isDeletingDependents = (object: KubeObject.KubeObject): boolean => isDeleting(object) && hasFinalizer(object, foregroundFinalizer)

/** The object is being deleted, and waits for its dependents to be released. */
export const isOrphaning = (object: KubeObject.KubeObject): boolean => isDeleting(object) && hasFinalizer(object, orphanFinalizer)

/** Whether the dependent holds up the deletion of an owner that waits for it. */
export const blocks = (dependent: Node, ownerUid: string): boolean =>
  owners(dependent).some((owner) => owner.uid === ownerUid && owner.blockOwnerDeletion === true)

export const make = (): OwnerGraph => {
  const nodes = new Map<string, Node>()
  const byOwner = new Map<string, Map<string, Node>>()

  const unlink = (node: Node): void => {
    const uid = uidOf(node)
    for (const owner of owners(node)) {
      const found = byOwner.get(owner.uid)
      found?.delete(uid)
      if (found?.size === 0) byOwner.delete(owner.uid)
    }
  }

  return {
    get: (uid) => nodes.get(uid),
    dependents: (uid) => [...(byOwner.get(uid)?.values() ?? [])],
    hasDependents: (uid) => byOwner.has(uid),
    put: (node) => {
      const uid = uidOf(node)
      const old = nodes.get(uid)
      if (old !== undefined) unlink(old)
      nodes.set(uid, node)
      for (const owner of owners(node)) {
        const found = byOwner.get(owner.uid)
        if (found === undefined) byOwner.set(owner.uid, new Map([[uid, node]]))
        else found.set(uid, node)
      }
    },
    remove: (node) => {
      const current = nodes.get(uidOf(node))
      if (current === undefined || current.kind !== node.kind) return
      unlink(current)
      nodes.delete(uidOf(node))
    },
    uids: () => nodes.keys(),
    size: () => nodes.size
  }
}
