/** TokenRequest: asks for a token of a ServiceAccount and carries it back; never stored. */
import { type FieldError, invalid } from "../FieldError.js"
import type * as AuthenticationV1 from "../generated/AuthenticationV1.js"
import * as Kind from "../Kind.js"

const tenMinutes = 600
const longest = 2 ** 32

const seconds = ({ spec }: AuthenticationV1.TokenRequest): ReadonlyArray<FieldError> => {
  const asked = spec?.expirationSeconds ?? 0
  const path = "spec.expirationSeconds"
  if (asked < tenMinutes) return [invalid(path, asked, "may not specify a duration less than 10 minutes")]
  return asked > longest ? [invalid(path, asked, "may not specify a duration larger than 2^32 seconds")] : []
}

/** @category constructors */
export const tokenRequest: Kind.Kind<AuthenticationV1.TokenRequest> = Kind.make<AuthenticationV1.TokenRequest>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenRequest",
  plural: "tokenrequests",
  namespaced: true,
  schema: "io.k8s.api.authentication.v1.TokenRequest",
  verbs: [],
  defaults: (object) => ({
    ...object,
    spec: { ...object.spec, audiences: object.spec?.audiences ?? [], expirationSeconds: object.spec?.expirationSeconds ?? 3600 }
  }),
  validateContent: seconds
})
