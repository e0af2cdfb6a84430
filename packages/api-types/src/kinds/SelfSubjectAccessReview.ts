/** SelfSubjectAccessReview: tells whether callers may do something; answered, never stored. */
import type * as AuthorizationV1 from "../generated/AuthorizationV1.js"
import * as Kind from "../Kind.js"
import { validateSelfSubjectAccessReview } from "../validation/ReviewValidation.js"

/** @category constructors */
export const selfSubjectAccessReview: Kind.Kind<AuthorizationV1.SelfSubjectAccessReview> = Kind.make<AuthorizationV1.SelfSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  namespaced: false,
  schema: "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
  verbs: ["create"],
  validate: validateSelfSubjectAccessReview
})
