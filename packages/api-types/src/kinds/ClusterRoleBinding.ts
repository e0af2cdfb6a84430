/** ClusterRoleBinding: gives a role to subjects everywhere. */
import { bindingDefaults } from "../defaults/RbacDefaults.js"
import type * as RbacV1 from "../generated/RbacV1.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { bindingCells, bindingColumns } from "../printing/RbacCells.js"
import { group, validateBinding, validateRoleRefUpdate } from "../validation/RbacValidation.js"

const roleKinds = ["ClusterRole"]

/** @category constructors */
export const clusterRoleBinding: Kind.Kind<RbacV1.ClusterRoleBinding> = Kind.make<RbacV1.ClusterRoleBinding>({
  group,
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  namespaced: false,
  schema: "io.k8s.api.rbac.v1.ClusterRoleBinding",
  allowCreateOnUpdate: true,
  nameRule: Names.isPathSegment,
  defaults: bindingDefaults,
  validateContent: (object) => validateBinding(object, roleKinds),
  validateContentUpdate: (next, old) => [...validateBinding(next, roleKinds), ...validateRoleRefUpdate(next.roleRef, old.roleRef)],
  columns: bindingColumns,
  cells: bindingCells
})
