/** Defaults of role bindings: the API group of what they refer to. */
import type * as RbacV1 from "../generated/RbacV1.js"
import { group } from "../validation/RbacValidation.js"

const isEmpty = (text: string | undefined): boolean => text === undefined || text === ""

const withGroup = (subject: RbacV1.Subject): RbacV1.Subject =>
  isEmpty(subject.apiGroup) && (subject.kind === "User" || subject.kind === "Group") ? { ...subject, apiGroup: group } : subject

/** Fills the groups of the role and of the subjects. @category combinators */
export const bindingDefaults = <A extends Pick<RbacV1.RoleBinding, "roleRef" | "subjects">>(binding: A): A => ({
  ...binding,
  ...(binding.subjects === undefined ? {} : { subjects: binding.subjects.map(withGroup) }),
  roleRef: isEmpty(binding.roleRef.apiGroup) ? { ...binding.roleRef, apiGroup: group } : binding.roleRef
})
