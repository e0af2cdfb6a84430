/** A request that the API refused: one `Status`, as a typed error for servers and clients. */
import * as Effect from "effect/Effect"
import * as EffectSchema from "effect/Schema"
import type * as MetaV1 from "./generated/MetaV1.js"
import * as Status from "./Status.js"

const StatusObject = EffectSchema.declare(Status.isStatus, { identifier: "Status" })

/** The API answered with a failed `Status`; `message` is its text. @category errors */
export class ApiError extends EffectSchema.TaggedError<ApiError>()("ApiError", { status: StatusObject }) {
  /** HTTP status code; 500 when the server left it out. */
  get code(): number {
    return this.status.code ?? 500
  }

  /** Machine-readable reason such as `NotFound`; empty when the server gave none. */
  get reason(): string {
    return this.status.reason ?? ""
  }

  /** What the request was about, and causes field by field. */
  get details(): MetaV1.StatusDetails {
    return this.status.details ?? {}
  }

  override get message(): string {
    return this.status.message ?? `the server answered with status code ${this.code} and no message`
  }
}

/** @category constructors */
export const make = (status: Status.Status): ApiError => new ApiError({ status })

/** Fails with this `Status`. @category constructors */
export const fail = (status: Status.Status): Effect.Effect<never, ApiError> => Effect.fail(make(status))

const hasReason = (reason: string) => (error: ApiError): boolean => error.reason === reason

/** The object, or its namespace, does not exist. @category combinators */
export const isNotFound = hasReason("NotFound")

/** The name is taken. @category combinators */
export const isAlreadyExists = hasReason("AlreadyExists")

/** The object changed since it was read: read it again and repeat. @category combinators */
export const isConflict = hasReason("Conflict")

/** The caller may not do this. @category combinators */
export const isForbidden = hasReason("Forbidden")

/** The object breaks a rule; `details.causes` says which. @category combinators */
export const isInvalid = hasReason("Invalid")

/** The resource version is no longer kept: list again. @category combinators */
export const isExpired = (error: ApiError): boolean => error.reason === "Expired" || error.reason === "Gone" || error.code === 410

/** Whether the same request may succeed later without a change by the caller. @category combinators */
export const isRetryable = (error: ApiError): boolean =>
  error.code === 429 || error.code >= 500 || error.reason === "Timeout" || error.reason === "ServerTimeout"

/** Seconds to wait before the request is repeated, when the server said so. @category combinators */
export const retryAfterSeconds = (error: ApiError): number | undefined => error.details.retryAfterSeconds
