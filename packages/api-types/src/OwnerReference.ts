/** Ownership between objects: dependents are removed when their owner is. */
import type * as MetaV1 from "./generated/MetaV1.js"
import type { Kind } from "./Kind.js"
import { apiVersion } from "./Kind.js"
import type { KubeObject } from "./KubeObject.js"

/** The reference by which a controller owns the objects it makes. @category constructors */
export const controllerOf = <A extends KubeObject>(kind: Kind<A>, owner: A): MetaV1.OwnerReference => ({
  apiVersion: apiVersion(kind),
  kind: kind.kind,
  name: owner.metadata.name ?? "",
  uid: owner.metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: true
})

/** The controller that owns an object, if there is one. @category combinators */
export const controller = (object: KubeObject): MetaV1.OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true)

/** Whether this controller owns the object: by uid, because names are used again. @category combinators */
export const isControlledBy = (object: KubeObject, owner: KubeObject): boolean =>
  owner.metadata.uid !== undefined && controller(object)?.uid === owner.metadata.uid
