/** RoleBinding: gives a role to subjects in one namespace. */
import { bindingDefaults } from "../defaults/RbacDefaults.js"
import type * as RbacV1 from "../generated/RbacV1.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { bindingCells, bindingColumns } from "../printing/RbacCells.js"
import { group, validateBinding, validateRoleRefUpdate } from "../validation/RbacValidation.js"

const roleKinds = ["Role", "ClusterRole"]

/** @category constructors */
export const roleBinding: Kind.Kind<RbacV1.RoleBinding> = Kind.make<RbacV1.RoleBinding>({
  group,
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  namespaced: true,
  schema: "io.k8s.api.rbac.v1.RoleBinding",
  allowCreateOnUpdate: true,
  nameRule: Names.isPathSegment,
  defaults: bindingDefaults,
  validateContent: (object) => validateBinding(object, roleKinds),
  validateContentUpdate: (next, old) => [...validateBinding(next, roleKinds), ...validateRoleRefUpdate(next.roleRef, old.roleRef)],
  columns: bindingColumns,
  cells: bindingCells
})
