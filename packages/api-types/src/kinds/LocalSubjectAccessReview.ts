/** LocalSubjectAccessReview: tells whether somebody may do something in one namespace; answered, never stored. */
import type * as AuthorizationV1 from "../generated/AuthorizationV1.js"
import * as Kind from "../Kind.js"
import { validateLocalSubjectAccessReview } from "../validation/ReviewValidation.js"

/** @category constructors */
export const localSubjectAccessReview: Kind.Kind<AuthorizationV1.LocalSubjectAccessReview> = Kind.make<AuthorizationV1.LocalSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "LocalSubjectAccessReview",
  plural: "localsubjectaccessreviews",
  namespaced: true,
  schema: "io.k8s.api.authorization.v1.LocalSubjectAccessReview",
  verbs: ["create"],
  validate: validateLocalSubjectAccessReview
})
