/** Role: what may be done in one namespace. */
import type * as RbacV1 from "../generated/RbacV1.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { group, validateRole } from "../validation/RbacValidation.js"

/** @category constructors */
export const role: Kind.Kind<RbacV1.Role> = Kind.make<RbacV1.Role>({
  group,
  version: "v1",
  kind: "Role",
  plural: "roles",
  namespaced: true,
  schema: "io.k8s.api.rbac.v1.Role",
  allowCreateOnUpdate: true,
  // Names such as `system:node`.
  nameRule: Names.isPathSegment,
  validateContent: validateRole,
  validateContentUpdate: validateRole
})
