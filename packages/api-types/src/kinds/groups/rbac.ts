import type * as Kind from "../../Kind.js"
import { clusterRole } from "../ClusterRole.js"
import { clusterRoleBinding } from "../ClusterRoleBinding.js"
import { role } from "../Role.js"
import { roleBinding } from "../RoleBinding.js"

export { clusterRole, clusterRoleBinding, role, roleBinding }

/** The kinds of `rbac.authorization.k8s.io`, in the order of discovery. @category constructors */
export const rbac: ReadonlyArray<Kind.Kind> = [clusterRoleBinding, clusterRole, roleBinding, role]
