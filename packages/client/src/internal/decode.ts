/** From the bytes of an answer to typed objects. What stands below the metadata is the server's promise and is not checked again. */
import { ApiError, Kind, type KubeObject, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { DecodeFailure } from "../ClientError.js"
import type { Request, Response } from "../Transport.js"

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What can be read again has a name; a review is answered and forgotten. */
const isNamed = (kind: Pick<Kind.Kind, "verbs">): boolean => kind.verbs.includes("get")

const isObjectOf = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, value: unknown): value is A =>
  isRecord(value) && value["kind"] === kind.kind && value["apiVersion"] === Kind.apiVersion(kind) &&
  isRecord(value["metadata"]) && (typeof value["metadata"]["name"] === "string" || !isNamed(kind))

/** What a JSON value is, for messages. */
export const describe = (value: unknown): string =>
  isRecord(value)
    ? `an object of kind ${JSON.stringify(value["kind"] ?? null)} and apiVersion ${JSON.stringify(value["apiVersion"] ?? null)}`
    : `a JSON ${value === null ? "null" : typeof value}`

/** Checks that `value` is an object of `kind`; the left side says what it is instead. */
export const decodeObject = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, value: unknown): Either.Either<A, string> =>
  isObjectOf(kind, value)
    ? Either.right(value)
    : Either.left(`expected a ${isNamed(kind) ? "named " : ""}${kind.kind} of ${Kind.apiVersion(kind)}, found ${describe(value)}`)

/** Items of a list of a built-in kind carry neither apiVersion nor kind. */
export const decodeItem = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, item: unknown): Either.Either<A, string> =>
  decodeObject(kind, isRecord(item) && item["kind"] === undefined ? { apiVersion: Kind.apiVersion(kind), kind: kind.kind, ...item } : item)

export const parseJson = (request: Pick<Request, "method" | "path">, text: string): Either.Either<unknown, DecodeFailure> =>
  Either.try({
    try: (): unknown => JSON.parse(text),
    catch: (cause) =>
      new DecodeFailure({
        method: request.method,
        path: request.path,
        detail: `expected JSON, found ${JSON.stringify(text.slice(0, 80))}`,
        cause
      })
  })

const reasons: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Gone",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout"
}

/** The error of a Status object; a body that is none (a proxy's page, plain text) is wrapped in one of the same code. */
export const toApiError = (code: number, body: unknown): ApiError.ApiError => {
  if (Status.isStatus(body)) return ApiError.make({ ...body, code: body.code ?? code })
  const text = typeof body === "string" ? body.trim().slice(0, 1024) : ""
  return ApiError.make(
    Status.failure(code, reasons[code] ?? "Unknown", text === "" ? `the server answered with HTTP status ${code} and no reason` : text)
  )
}

/** The error of an answer whose status is not 2xx. */
export const responseError = (response: Pick<Response, "status" | "body">): ApiError.ApiError => {
  const text = new TextDecoder().decode(response.body)
  return toApiError(response.status, Either.getOrElse(parseJson({ method: "", path: "" }, text), () => text))
}
