/** A request to the API, free of any transport. */
import type { ApiError } from "@reddwarf/api-types"
import type * as Effect from "effect/Effect"
import type { UserInfo } from "./authentication/UserInfo.js"
import type { RequestInfo } from "./RequestInfo.js"

/**
 * One request as the core sees it.
 *
 * @category models
 */
export interface ApiRequest {
  /** Upper-case HTTP method. */
  readonly method: string
  /** Path and query as sent: percent-encoded, beginning with a slash. */
  readonly url: string
  /** Header values by lower-case name. A repeated header is joined with commas. */
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  /** The whole body. Fails with the Status to answer when it is too large or cannot be read. */
  readonly body: Effect.Effect<Uint8Array, ApiError.ApiError>
  /** Who asks; undefined when no credentials were accepted, which only health and version paths answer. */
  readonly user: UserInfo | undefined
  /** A caller in this process that takes lists and watches as they are stored, see `ApiResponse.stored`. */
  readonly takesStored?: boolean
  /** Hears what was asked for, if it is a resource that is served and the caller may have it; for those who count requests. */
  readonly seen?: (info: RequestInfo) => void
  /** What the connection may be changed to (the `Upgrade` header), where it can be handed over with the answer. */
  readonly upgrade?: string | undefined
}

/** The value of a header, by its lower-case name; the first one of a repeated header. @category combinators */
export const header = (request: ApiRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return typeof value === "string" || value === undefined ? value : value[0]
}
