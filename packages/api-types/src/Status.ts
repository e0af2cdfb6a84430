/** `Status` answers of the API, with Kubernetes' reasons, codes, texts and details. */
import type * as FieldError from "./FieldError.js"
import { formatAll } from "./FieldError.js"
import type * as MetaV1 from "./generated/MetaV1.js"
import type * as Kind from "./Kind.js"
import { qualifiedKind, qualifiedResource } from "./Kind.js"

/** The wire object: `status` is `Success` or `Failure`. @category models */
export type Status = MetaV1.Status

/** What a message names: a resource of a group. A `Kind` is one. @category models */
export interface Resource {
  readonly group: string
  readonly plural: string
}

/** What a message about an invalid object names: a kind of a group. A `Kind` is one. @category models */
export interface GroupKind {
  readonly group: string
  readonly kind: string
}

/** @category models */
export type Details = MetaV1.StatusDetails

/** A failed `Status` from its parts; the named constructors below say what each means. @category constructors */
export const failure = (code: number, reason: string, message: string, details?: Details): Status => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  ...(reason === "" ? {} : { reason }),
  ...(details === undefined ? {} : { details }),
  code
})

/** The answer to an operation that gives no object. @category constructors */
export const success = (details?: Details, code?: number): Status => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  ...(details === undefined ? {} : { details }),
  ...(code === undefined ? {} : { code })
})

const resourceDetails = (resource: Resource, name: string, rest: Details = {}): Details => ({
  ...(name === "" ? {} : { name }),
  ...(resource.group === "" ? {} : { group: resource.group }),
  kind: resource.plural,
  ...rest
})

const quoted = (name: string): string => JSON.stringify(name)

/** 404: the object does not exist. @category constructors */
export const notFound = (resource: Resource, name: string): Status =>
  failure(404, "NotFound", `${qualifiedResource(resource)} ${quoted(name)} not found`, resourceDetails(resource, name))

/** 404: the server has no such resource. @category constructors */
export const resourceNotFound = (): Status => failure(404, "NotFound", "the server could not find the requested resource", {})

/** 409: the name is taken. @category constructors */
export const alreadyExists = (resource: Resource, name: string): Status =>
  failure(409, "AlreadyExists", `${qualifiedResource(resource)} ${quoted(name)} already exists`, resourceDetails(resource, name))

/** 409: every name tried for a `generateName` was taken. @category constructors */
export const generateNameConflict = (resource: Resource, name: string): Status =>
  failure(
    409,
    "AlreadyExists",
    `${qualifiedResource(resource)} ${quoted(name)} already exists, the server was not able to generate a unique name for the object`,
    resourceDetails(resource, name, { retryAfterSeconds: 1 })
  )

const staleVersion = "the object has been modified; please apply your changes to the latest version and try again"

/** 409: the object was changed by somebody else, or `why`. @category constructors */
export const conflict = (resource: Resource, name: string, why: string = staleVersion): Status =>
  failure(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedResource(resource)} ${quoted(name)}: ${why}`,
    resourceDetails(resource, name)
  )

/** So many problems of an object are reported at most; a body could hold millions. @category models */
export const maximumCauses = 1000

/** 422: the object breaks these rules. @category constructors */
export const invalid = (kind: GroupKind, name: string, problems: ReadonlyArray<FieldError.FieldError>): Status => {
  const errors = problems.slice(0, maximumCauses)
  return failure(
    422,
    "Invalid",
    errors.length === 0
      ? `${qualifiedKind(kind)} ${quoted(name)} is invalid`
      : `${qualifiedKind(kind)} ${quoted(name)} is invalid: ${formatAll(errors)}`,
    {
      ...(name === "" ? {} : { name }),
      ...(kind.group === "" ? {} : { group: kind.group }),
      kind: kind.kind,
      ...(errors.length === 0
        ? {}
        : { causes: errors.map((error) => ({ reason: error.reason, message: error.message, field: error.path })) })
    }
  )
}

/** 422: a patch that cannot be applied. @category constructors */
export const unprocessable = (message = "the server rejected our request due to an error in our request"): Status =>
  failure(422, "Invalid", message, {})

/** 400. @category constructors */
export const badRequest = (message: string): Status => failure(400, "BadRequest", message)

/** 401: no authenticator knows the caller. @category constructors */
export const unauthorized = (message = "Unauthorized"): Status => failure(401, "Unauthorized", message)

/** 403 on a resource; `name` is empty for collections. @category constructors */
export const forbidden = (resource: Resource, name: string, why: string, causes?: ReadonlyArray<MetaV1.StatusCause>): Status =>
  failure(
    403,
    "Forbidden",
    name === "" ? `${qualifiedResource(resource)} is forbidden: ${why}` : `${qualifiedResource(resource)} ${quoted(name)} is forbidden: ${why}`,
    resourceDetails(resource, name, causes === undefined ? {} : { causes })
  )

/** 403 on a path that is not a resource. @category constructors */
export const forbiddenPath = (why: string): Status => failure(403, "Forbidden", `forbidden: ${why}`, {})

/** 405. @category constructors */
export const methodNotAllowed = (message = "the server does not allow this method on the requested resource"): Status =>
  failure(405, "MethodNotAllowed", message, {})

/** 406; `available` are the representations on offer. @category constructors */
export const notAcceptable = (
  available: ReadonlyArray<string> = ["application/json", "application/yaml", "application/json;stream=watch"]
): Status => failure(406, "NotAcceptable", `406: Not Acceptable\n\nAvailable representations: ${available.join(", ")}`, {})

/** 413; `limit` in bytes. @category constructors */
export const requestEntityTooLarge = (limit = 3_145_728): Status =>
  failure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limit}`)

/** 415; `accepted` are the media types of bodies, in the order of the message. @category constructors */
export const unsupportedMediaType = (
  accepted: ReadonlyArray<string> = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]
): Status =>
  failure(
    415,
    "UnsupportedMediaType",
    accepted.length === 0
      ? "415: Unsupported Media Type"
      : `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`
  )

/** 410: a resource version that is no longer kept. @category constructors */
export const expired = (message: string): Status => failure(410, "Expired", message)

/** 410 of a watch that starts too far back. @category constructors */
export const tooOldResourceVersion = (requested: number | string, oldest: number | string): Status =>
  expired(`too old resource version: ${requested} (${oldest})`)

/** 410: the object or the version of the API is gone for good. @category constructors */
export const gone = (message: string): Status => failure(410, "Gone", message)

/** 429; the client waits this many seconds and tries again. @category constructors */
export const tooManyRequests = (
  message = "too many requests, please try again later",
  retryAfterSeconds = 1,
  causes?: ReadonlyArray<MetaV1.StatusCause>
): Status =>
  failure(429, "TooManyRequests", message, {
    ...(causes === undefined ? {} : { causes }),
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {})
  })

/** 500: a failure of the server itself. @category constructors */
export const internalError = (message: string): Status =>
  failure(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] })

/** 500: the server could not finish the operation in time and it may be repeated. @category constructors */
export const serverTimeout = (resource: Resource, operation: string, retryAfterSeconds = 0): Status =>
  failure(
    500,
    "ServerTimeout",
    `The ${operation} operation against ${qualifiedResource(resource)} could not be completed at this time, please try again.`,
    resourceDetails(resource, operation, retryAfterSeconds > 0 ? { retryAfterSeconds } : {})
  )

/** 503. @category constructors */
export const serviceUnavailable = (message: string): Status => failure(503, "ServiceUnavailable", message)

/** 504. @category constructors */
export const timeout = (message: string, retryAfterSeconds = 0): Status =>
  failure(504, "Timeout", `Timeout: ${message}`, retryAfterSeconds > 0 ? { retryAfterSeconds } : {})

/** 504: the client asks for a resource version that does not exist yet. @category constructors */
export const tooLargeResourceVersion = (requested: number | string, current: number | string): Status =>
  failure(504, "Timeout", `Timeout: Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1
  })

/** Whether a decoded JSON value is a `Status` object. @category combinators */
export const isStatus = (value: unknown): value is Status =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "Status" && "metadata" in value && isPlain(value.metadata)

const isPlain = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value)

/** The resource part of a kind, for the constructors above. @category combinators */
export const resourceOf = (kind: Pick<Kind.Kind, "group" | "plural">): Resource => ({ group: kind.group, plural: kind.plural })
