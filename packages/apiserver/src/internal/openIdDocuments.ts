/** What others need to check the tokens of this cluster by themselves: the OpenID discovery document and the public keys. */
import * as Effect from "effect/Effect"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import type { ApiContext } from "./apiContext.js"

/** The paths that are answered here. */
export const paths: ReadonlyArray<string> = ["/.well-known/openid-configuration", "/openid/v1/jwks"]

/** Answers a path of these; undefined for any other. `advertise` is host and port by which clients reach the server. */
export const respond = (
  { tokens }: ApiContext,
  path: string,
  advertise: string
): Effect.Effect<ApiResponse> | ApiResponse | undefined => {
  if (path === "/openid/v1/jwks") {
    return Effect.map(tokens.keySet, (keys) =>
      Response.withHeaders(Response.json(200, keys), {
        "content-type": "application/jwk-set+json",
        "cache-control": "public, max-age=3600"
      }))
  }
  if (path !== "/.well-known/openid-configuration") return undefined
  const document = {
    issuer: tokens.issuer,
    jwks_uri: `https://${advertise}/openid/v1/jwks`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"]
  }
  return Response.withHeaders(Response.json(200, document), { "cache-control": "public, max-age=3600" })
}
