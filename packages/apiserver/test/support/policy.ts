import type { RbacV1 } from "@reddwarf/api-types"
import { Effect } from "effect"
import * as RbacDefaults from "../../src/authorization/RbacDefaults.js"
import { call } from "./api.js"

export const rbac = "/apis/rbac.authorization.k8s.io/v1"

const plurals: Readonly<Record<string, string>> = {
  ClusterRole: "clusterroles",
  ClusterRoleBinding: "clusterrolebindings",
  Role: "roles",
  RoleBinding: "rolebindings"
}

/** Stores an object of the policy, as an administrator. */
export const grant = (object: RbacV1.ClusterRole | RbacV1.RoleBinding | RbacV1.ClusterRoleBinding) => {
  const { namespace } = object.metadata
  const at = namespace === undefined ? rbac : `${rbac}/namespaces/${namespace}`
  return call("POST", `${at}/${plurals[object.kind] ?? ""}`, { body: object })
}

/** The policy that every cluster begins with. */
export const defaults = Effect.forEach(RbacDefaults.all, grant)

export const subject = (kind: "User" | "Group", name: string) => ({ kind, name, apiGroup: "rbac.authorization.k8s.io" })

/** Binds a ClusterRole, in a namespace or everywhere. */
export const bind = (name: string, role: string, subjects: ReadonlyArray<RbacV1.Subject>, namespace?: string) =>
  grant({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    subjects,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role }
  })

/** A role of the cluster. */
export const clusterRole = (name: string, rules: ReadonlyArray<RbacV1.PolicyRule>, more: Partial<RbacV1.ClusterRole> = {}): RbacV1.ClusterRole => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name },
  rules,
  ...more
})
