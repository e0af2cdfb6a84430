/** SelfSubjectRulesReview: tells callers what they may do in a namespace; answered, never stored. */
import type * as AuthorizationV1 from "../generated/AuthorizationV1.js"
import * as Kind from "../Kind.js"

/** @category constructors */
export const selfSubjectRulesReview: Kind.Kind<AuthorizationV1.SelfSubjectRulesReview> = Kind.make<AuthorizationV1.SelfSubjectRulesReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectRulesReview",
  plural: "selfsubjectrulesreviews",
  namespaced: false,
  schema: "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
  verbs: ["create"],
  validate: () => []
})
