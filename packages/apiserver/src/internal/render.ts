/** Objects and failures as responses. */
import type { KubeObject, Status } from "@reddwarf/api-types"
import { stringify } from "yaml"
import * as Request from "../ApiRequest.js"
import * as Response from "../ApiResponse.js"
import { isPretty } from "../Negotiation.js"
import type { ResourceRequest } from "./apiContext.js"
import { yamlOptions } from "./listForms.js"
import * as shapes from "./shapes.js"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A Status as the answer. */
export const status = (value: Status.Status): Response.ApiResponse => {
  const code = value.code ?? (value.status === "Success" ? 200 : 500)
  const response = Response.json(code, value)
  const seconds = value.details?.retryAfterSeconds
  return seconds !== undefined && (code === 429 || code >= 500)
    ? Response.withHeaders(response, { "retry-after": String(seconds) })
    : response
}

/** Whether the answer must be rewritten from JSON to something else. */
export const rewrites = ({ accepted, info, request }: ResourceRequest): boolean =>
  accepted.format === "yaml" || isPretty(info.query, Request.header(request, "user-agent"))

/** Headers of YAML answers. */
export const yamlHeaders: Response.ApiResponse["headers"] = { ...Response.jsonHeaders, "content-type": "application/yaml" }

/** JSON bytes in the form that the client asked for. */
export const rewritten = (call: ResourceRequest, code: number, bytes: Uint8Array): Response.ApiResponse => {
  const value: unknown = JSON.parse(decoder.decode(bytes))
  if (call.accepted.format === "json") {
    return Response.jsonBytes(code, encoder.encode(`${JSON.stringify(value, null, 2)}\n`))
  }
  return { status: code, headers: yamlHeaders, body: encoder.encode(stringify(value, yamlOptions)) }
}

const value = (call: ResourceRequest, code: number, content: unknown): Response.ApiResponse => {
  const response = Response.json(code, content)
  return rewrites(call) && response.body instanceof Uint8Array ? rewritten(call, code, response.body) : response
}

/** JSON of a value that is not an object of the kind, such as a Status. */
export const other = value

/** One object in the shape that the client asked for. `object` is only called when the stored bytes do not serve. */
export const object = (
  call: ResourceRequest,
  code: number,
  bytes: Uint8Array,
  decoded: () => KubeObject.KubeObject
): Response.ApiResponse => {
  const { accepted, context, info, kind } = call
  switch (accepted.shape) {
    case "Object":
    case "PartialObjectMetadataList":
      return rewrites(call) ? rewritten(call, code, bytes) : Response.jsonBytes(code, bytes)
    case "PartialObjectMetadata":
      return value(call, code, shapes.partial(decoded(), accepted.metaVersion))
    case "Table":
      break
  }
  const shown = decoded()
  const rows = [shapes.row(kind, shown, context.now(), shapes.includeOf(info.query), accepted.metaVersion)]
  const { resourceVersion } = shown.metadata
  const metadata = resourceVersion === undefined ? {} : { resourceVersion }
  return value(call, code, shapes.table(kind, metadata, rows, accepted.metaVersion))
}
