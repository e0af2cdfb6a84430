/** TokenReview: tells whose a bearer token is; answered, never stored. */
import type * as AuthenticationV1 from "../generated/AuthenticationV1.js"
import * as Kind from "../Kind.js"

/** @category constructors */
export const tokenReview: Kind.Kind<AuthenticationV1.TokenReview> = Kind.make<AuthenticationV1.TokenReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  plural: "tokenreviews",
  namespaced: false,
  schema: "io.k8s.api.authentication.v1.TokenReview",
  verbs: ["create"],
  validate: () => []
})
