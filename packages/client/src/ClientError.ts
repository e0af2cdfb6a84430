/** What can go wrong between a caller of the API and an object. */
import { ApiError } from "@reddwarf/api-types"
import * as Schema from "effect/Schema"
import type { TransportFailure } from "./Transport.js"

/**
 * The server answered with something that is not the expected API object.
 *
 * @category errors
 */
export class DecodeFailure extends Schema.TaggedError<DecodeFailure>()("DecodeFailure", {
  method: Schema.String,
  path: Schema.String,
  /** What was found, and what was expected instead. */
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `${this.method} ${this.path}: ${this.detail}; check that the address is that of a Kubernetes API server`
  }
}

/**
 * `ApiError`: the server refused, with a Status that says why. `TransportFailure`: no answer. `DecodeFailure`: not an answer of this API.
 *
 * @category errors
 */
export type ClientError = ApiError.ApiError | TransportFailure | DecodeFailure

const refused = (test: (error: ApiError.ApiError) => boolean) => (error: ClientError): boolean => error._tag === "ApiError" && test(error)

/**
 * The object does not exist (404).
 *
 * @category errors
 */
export const isNotFound = refused(ApiError.isNotFound)

/**
 * An object of that name exists (409).
 *
 * @category errors
 */
export const isAlreadyExists = refused(ApiError.isAlreadyExists)

/**
 * The object was changed since it was read, or a precondition does not hold (409). Read again and retry.
 *
 * @category errors
 */
export const isConflict = refused(ApiError.isConflict)

/**
 * The resource version or continue token is too old (410). List again.
 *
 * @category errors
 */
export const isExpired = refused(ApiError.isExpired)

/**
 * The namespace is being deleted and takes no new objects (403 with the cause `NamespaceTerminating`).
 *
 * @category errors
 */
export const isNamespaceTerminating = refused((error) =>
  error.details.causes?.some((cause) => cause.reason === "NamespaceTerminating") === true)

/**
 * Repeating the request later may succeed: no answer, too many requests, or a fault of the server.
 *
 * @category errors
 */
export const isRetryable = (error: ClientError): boolean =>
  error._tag === "TransportFailure" || (error._tag === "ApiError" && ApiError.isRetryable(error))
