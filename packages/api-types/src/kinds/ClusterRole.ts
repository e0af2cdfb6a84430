/** ClusterRole: what may be done anywhere, or in the namespaces that it is bound in. */
import type * as RbacV1 from "../generated/RbacV1.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { group, validateClusterRole } from "../validation/RbacValidation.js"

/** @category constructors */
export const clusterRole: Kind.Kind<RbacV1.ClusterRole> = Kind.make<RbacV1.ClusterRole>({
  group,
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  namespaced: false,
  schema: "io.k8s.api.rbac.v1.ClusterRole",
  allowCreateOnUpdate: true,
  nameRule: Names.isPathSegment,
  validateContent: validateClusterRole,
  validateContentUpdate: validateClusterRole
})
