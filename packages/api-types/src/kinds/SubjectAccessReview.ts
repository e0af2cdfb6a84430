/** SubjectAccessReview: tells whether somebody may do something; answered, never stored. */
import type * as AuthorizationV1 from "../generated/AuthorizationV1.js"
import * as Kind from "../Kind.js"
import { validateSubjectAccessReview } from "../validation/ReviewValidation.js"

/** @category constructors */
export const subjectAccessReview: Kind.Kind<AuthorizationV1.SubjectAccessReview> = Kind.make<AuthorizationV1.SubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  namespaced: false,
  schema: "io.k8s.api.authorization.v1.SubjectAccessReview",
  verbs: ["create"],
  validate: validateSubjectAccessReview
})
