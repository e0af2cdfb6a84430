/** Request bodies: from bytes to an object of the kind. */
import { JsonText, type Kind, type KubeObject, ObjectCodec, Protobuf, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { parseDocument } from "yaml"
import * as Request from "../ApiRequest.js"
import { bodyFormat } from "../Negotiation.js"
import type { ResourceRequest } from "./apiContext.js"
import * as eager from "./eager.js"
import { isObject } from "./jsonValue.js"
import type { FieldValidation } from "./writeOptions.js"

/** An object with what is to be said about its fields in Warning headers. */
export interface Decoded {
  readonly object: KubeObject.KubeObject
  readonly warnings: ReadonlyArray<string>
}

const decoder = new TextDecoder("utf-8", { fatal: true })

/** The body as text; a body that is not UTF-8 is refused. */
export const textOf = (bytes: Uint8Array): Either.Either<string, Status.Status> => {
  try {
    return Either.right(decoder.decode(bytes))
  } catch {
    return Either.left(Status.badRequest("the body of the request is not valid UTF-8"))
  }
}

const shown = (text: string): string => text.length > 256 ? `${text.slice(0, 256)} ...` : text

const parseJson = (text: string, kind: string): Either.Either<unknown, Status.Status> =>
  Either.mapLeft(JsonText.parse(text), ({ message }) =>
    Status.badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${message} (${
        shown(text)
      })`
    ))

// Kubernetes' own parser leaves times and binary data the text that they are.
const textTags = new Set<unknown>(["tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:binary"])

/** A YAML text as the JSON value that it stands for. */
export const parseYaml = (text: string): Either.Either<unknown, Status.Status> => {
  try {
    const document = parseDocument(text, {
      version: "1.1",
      merge: true,
      uniqueKeys: false,
      logLevel: "error",
      customTags: (tags) => tags.filter((tag) => typeof tag === "string" || !textTags.has(tag.tag))
    })
    const [problem] = document.errors
    if (problem !== undefined) return Either.left(Status.badRequest(`error converting YAML to JSON: ${problem.message}`))
    // Aliases can blow a small text up to a huge value or tie it to a knot: the first is bounded, the second has no JSON.
    const json = JSON.stringify(document.toJS({ maxAliasCount: 100 })) ?? "null"
    return Either.mapLeft(JsonText.parse(json), ({ message }) => Status.badRequest(`error converting YAML to JSON: ${message}`))
  } catch (cause) {
    return Either.left(
      Status.badRequest(`error converting YAML to JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
    )
  }
}

/** A parsed body, and its text where fields can be named twice. */
interface Parsed {
  readonly value: unknown
  readonly json: string | undefined
}

/** Parses a body by its Content-Type. `kind` is for the message. */
export const parse = (
  bytes: Uint8Array,
  contentType: string | undefined,
  kind: string
): Either.Either<Parsed, Status.Status> => {
  const format = bodyFormat(contentType)
  if (format === undefined) return Either.left(Status.unsupportedMediaType())
  if (format === "protobuf") {
    return Either.map(Protobuf.decode(bytes), (value) => ({ value, json: undefined }))
  }
  return Either.flatMap(textOf(bytes), (text): Either.Either<Parsed, Status.Status> =>
    format === "yaml"
      ? Either.map(parseYaml(text), (value) => ({ value, json: undefined }))
      : Either.map(parseJson(text, kind), (value) => ({ value, json: text })))
}

/** Decodes a parsed value as an object of the kind, by the rules of `fieldValidation`. `known` is the stored object that it was made from. */
export const decode = (
  kind: Kind.Kind,
  value: unknown,
  json: string | undefined,
  validation: FieldValidation,
  known?: KubeObject.KubeObject
): Either.Either<Decoded, Status.Status> => {
  if (!isObject(value)) {
    return Either.left(
      Status.badRequest(
        `couldn't get version/kind; json parse error: json: cannot unmarshal ${
          Array.isArray(value) ? "array" : typeof value
        } into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`
      )
    )
  }
  return Either.flatMap(ObjectCodec.decode(kind, value, known), ({ object, unknownFields }) => {
    if (validation === "Ignore") return Either.right({ object, warnings: [] })
    const problems = json === undefined ? unknownFields : [...unknownFields, ...JsonText.duplicateFields(json, value)]
    return validation === "Strict" && problems.length > 0
      ? Either.left(ObjectCodec.strictError(kind, problems))
      : Either.right({ object, warnings: problems })
  })
}

/** Gives the bytes of the body to what comes next, without an effect for each step in between. */
export const withBytes = <A, E>(
  { request }: ResourceRequest,
  next: (bytes: Uint8Array) => Effect.Effect<A, E>
): Effect.Effect<A, Status.Status | E> => eager.flatMap(eager.mapError(request.body, ({ status }) => status), next)

/** Gives the decoded body of a create or update to what comes next. */
export const withDecoded = <A, E>(
  call: ResourceRequest,
  kind: Kind.Kind,
  validation: FieldValidation,
  next: (decoded: Decoded) => Effect.Effect<A, E>
): Effect.Effect<A, Status.Status | E> =>
  withBytes(call, (content): Effect.Effect<A, Status.Status | E> => {
    const type = Request.header(call.request, "content-type")
    // Nobody has a protobuf message for what a client has defined.
    const parsed = kind.custom !== undefined && bodyFormat(type) === "protobuf"
      ? Either.left(Status.unsupportedMediaType(["application/json", "application/yaml"]))
      : parse(content, type, kind.kind)
    if (Either.isLeft(parsed)) return Effect.fail(parsed.left)
    const decoded = decode(kind, parsed.right.value, parsed.right.json, validation)
    return Either.isLeft(decoded) ? Effect.fail(decoded.left) : next(decoded.right)
  })

/** Reads and decodes the body of a create or update. */
export const read = (
  call: ResourceRequest,
  kind: Kind.Kind,
  validation: FieldValidation
): Effect.Effect<Decoded, Status.Status> => withDecoded(call, kind, validation, Effect.succeed)
