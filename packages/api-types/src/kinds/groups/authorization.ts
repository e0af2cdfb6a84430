import type * as Kind from "../../Kind.js"
import { localSubjectAccessReview } from "../LocalSubjectAccessReview.js"
import { selfSubjectAccessReview } from "../SelfSubjectAccessReview.js"
import { selfSubjectRulesReview } from "../SelfSubjectRulesReview.js"
import { subjectAccessReview } from "../SubjectAccessReview.js"

export { localSubjectAccessReview, selfSubjectAccessReview, selfSubjectRulesReview, subjectAccessReview }

/** The kinds of `authorization.k8s.io`, in the order of discovery. @category constructors */
export const authorization: ReadonlyArray<Kind.Kind> = [
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview
]
