/** Grants of the policy: what they allow, and how messages name them. */
import type { RbacV1 } from "@reddwarf/api-types"
import type { Grant, RbacIndex } from "./rbacIndex.js"

const noRules: ReadonlyArray<RbacV1.PolicyRule> = []

/** Says that the role of a binding does not exist. */
export const missingRole = (ref: RbacV1.RoleRef): string =>
  `${ref.kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(ref.name)} not found`

/** The rules of a grant; `problem` says why there are none. */
export const resolve = (
  index: Pick<RbacIndex, "rulesOf">,
  { binding }: Grant
): { readonly rules: ReadonlyArray<RbacV1.PolicyRule>; readonly problem: string | undefined } => {
  const rules = index.rulesOf(binding.roleRef, binding.metadata.namespace)
  return rules === undefined ? { rules: noRules, problem: missingRole(binding.roleRef) } : { rules, problem: undefined }
}

const describeSubject = ({ kind, name, namespace = "" }: RbacV1.Subject, bindingNamespace: string): string =>
  `${kind} ${JSON.stringify(kind === "ServiceAccount" ? `${name}/${namespace === "" ? bindingNamespace : namespace}` : name)}`

/** The binding, the role and the subject of a grant. */
export const describeGrant = ({ binding, subject }: Grant): string => {
  const { name = "", namespace = "" } = binding.metadata
  const at = namespace === "" ? name : `${name}/${namespace}`
  const { roleRef } = binding
  return `${binding.kind} ${JSON.stringify(at)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${describeSubject(subject, namespace)}`
}
