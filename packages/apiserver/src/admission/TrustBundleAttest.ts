/** Admission: trust anchors of a signer are written only by those whom the policy lets attest for it. */
import { ApiError, Kinds, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type * as Authorizer from "../authorization/Authorizer.js"
import { equals, get, textAt } from "../internal/jsonValue.js"
import * as signers from "../internal/signers.js"
import type { Plugin } from "./Admission.js"

const kind = Kinds.clusterTrustBundle

/** The plugin. @category constructors */
export const make = (authorize: (attributes: Authorizer.Attributes) => Authorizer.Decision): Plugin => ({
  name: "ClusterTrustBundleAttest",
  validate: (object, { kind: asked, name, old, operation, subresource, user }) => {
    if (asked !== kind || object === undefined || subresource !== undefined || (operation !== "CREATE" && operation !== "UPDATE")) return Effect.void
    const spec = get(object, "spec")
    const signer = textAt(spec, "signerName")
    // Labels and the like attest nothing.
    if (signer === "" || (operation === "UPDATE" && equals(spec, get(old, "spec")))) return Effect.void
    return signers.may(authorize, user, "attest", signer)
      ? Effect.void
      : ApiError.fail(Status.forbidden(kind, name, `user not permitted to attest for signerName ${JSON.stringify(signer)}`))
  }
})
