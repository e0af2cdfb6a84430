/** What is refused by the looks of its head, before anything is done for it. */
import { Status } from "@reddwarf/api-types"
import type { ApiResponse } from "../ApiResponse.js"
import * as render from "./render.js"

/** Longest path and query. Selectors are the longest part; Kubernetes' own clients stay far below. */
const maxUrlLength = 16 * 1024

/** Largest sum of header names and values, in characters. */
const maxHeaderLength = 32 * 1024

/** What the parsers take in before they give up, so that what is only a little too large is answered properly. */
export const maxParsedHeader = 64 * 1024

const urlTooLong = render.status(
  Status.failure(414, "RequestURITooLong", `the URL of the request is longer than ${maxUrlLength} characters`)
)

/** Also for heads that the parser gave up on. */
export const headersTooLarge = render.status(
  Status.failure(431, "RequestHeaderFieldsTooLarge", `the headers of the request are larger than ${maxHeaderLength} characters`)
)

/** The refusal of a head that is too large; undefined: it is not. */
export const refusalOf = (url: string, rawHeaders: ReadonlyArray<string>): ApiResponse | undefined => {
  if (url.length > maxUrlLength) return urlTooLong
  let length = 0
  for (const text of rawHeaders) length += text.length
  return length > maxHeaderLength + url.length ? headersTooLarge : undefined
}
