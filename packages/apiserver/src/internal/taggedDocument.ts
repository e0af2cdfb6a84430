/** Documents that clients keep, and ask for again by the tag of the one they have. */
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"

/** The document, or the news that the client has it already: its `If-None-Match` names the `etag` among the headers. */
export const respond = (
  request: Request.ApiRequest,
  headers: ApiResponse["headers"] & { readonly etag: string },
  bytes: Uint8Array
): ApiResponse =>
  Request.header(request, "if-none-match") === headers.etag
    ? { status: 304, headers, body: Response.emptyBody }
    : { status: 200, headers, body: bytes }
