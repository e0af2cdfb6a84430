/** SelfSubjectReview: tells callers who they are to the server; answered, never stored. */
import type * as AuthenticationV1 from "../generated/AuthenticationV1.js"
import * as Kind from "../Kind.js"

/** @category constructors */
export const selfSubjectReview: Kind.Kind<AuthenticationV1.SelfSubjectReview> = Kind.make<AuthenticationV1.SelfSubjectReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  namespaced: false,
  schema: "io.k8s.api.authentication.v1.SelfSubjectReview",
  verbs: ["create"],
  validate: () => []
})
