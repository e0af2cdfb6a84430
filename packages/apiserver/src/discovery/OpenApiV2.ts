/** `/openapi/v2`: one document for all groups, as JSON or in the protobuf form that kubectl 1.20 insists on. */
import { type KindRegistry, Status } from "@reddwarf/api-types"
import { createHash } from "node:crypto"
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import * as document from "../internal/openApiV2Document.js"
import * as protobuf from "../internal/openApiV2Protobuf.js"
import * as perGroupVersion from "../internal/perGroupVersion.js"
import * as render from "../internal/render.js"
import * as taggedDocument from "../internal/taggedDocument.js"
import { parseAccept } from "../Negotiation.js"
import * as OpenApiV3 from "./OpenApiV3.js"

interface Variant {
  readonly type: string
  readonly bytes: Uint8Array
  readonly etag: string
}

const encoder = new TextEncoder()

const variant = (type: string, bytes: Uint8Array): Variant => ({
  type,
  bytes,
  etag: `"${createHash("sha512").update(bytes).digest("hex").toUpperCase()}"`
})

const protobufTypes = new Set([
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
])

/** The forms of one document, each made when somebody wants it. */
const variantsOf = (made: object) => {
  let json: Variant | undefined
  let encoded: Variant | undefined
  return {
    json: () => json ??= variant("application/json", encoder.encode(JSON.stringify(made))),
    protobuf: () => encoded ??= variant("application/com.github.proto-openapi.spec.v2.v1.0+protobuf", protobuf.encode(made))
  }
}

/**
 * Answers `/openapi/v2`. Undefined: the path is another one.
 *
 * @category models
 */
export type OpenApiV2 = (request: Request.ApiRequest, path: string) => ApiResponse | undefined

/** Documents are made when they are first asked for, and kept until the registry changes; then only what changed is made anew. @category constructors */
export const make = (registry: KindRegistry.Registry, info: OpenApiV3.Info): OpenApiV2 => {
  let known: { readonly groups: ReadonlyArray<KindRegistry.Group>; readonly documents: ReturnType<typeof variantsOf> } | undefined
  const fragmentOnce = perGroupVersion.make((version) => document.fragmentOf(OpenApiV3.documentOf(version, info)))
  const choose = (accept: string | undefined): Variant | undefined => {
    const groups = registry.groups()
    if (known?.groups !== groups) {
      const fragments = groups.flatMap(({ versions }) => versions.map(fragmentOnce))
      known = { groups, documents: variantsOf(document.make(info, fragments)) }
    }
    const { documents } = known
    const wanted = accept === undefined || accept === "" ? ["*/*"] : parseAccept(accept).map(({ type }) => type)
    for (const type of wanted) {
      if (protobufTypes.has(type)) return documents.protobuf()
      if (type === "application/json" || type === "*/*" || type === "application/*") return documents.json()
    }
    return undefined
  }
  return (request, path) => {
    if (path !== "/openapi/v2") return undefined
    const found = choose(Request.header(request, "accept"))
    if (found === undefined) return render.status(Status.notAcceptable(["application/json", ...protobufTypes]))
    const headers = {
      "content-type": found.type,
      "cache-control": "no-cache, private",
      etag: found.etag,
      vary: "Accept-Encoding, Accept"
    }
    return taggedDocument.respond(request, headers, found.bytes)
  }
}
