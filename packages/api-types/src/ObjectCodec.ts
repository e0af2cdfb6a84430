/**
 * Reads API objects: checks every field against the field tables, drops and reports unknown fields, and gives the canonical form that is
 * stored (quantities, times, empty values). What is wrong is said in the words of Kubernetes.
 */
import * as Either from "effect/Either"
import { DecodeContext, DecodeProblem } from "./internal/goValue.js"
import { messageOf } from "./internal/messageDecoder.js"
import { unknownFields } from "./internal/unknownFields.js"
import type * as MetaV1 from "./generated/MetaV1.js"
import * as JsonText from "./JsonText.js"
import type { CustomContent, Kind } from "./Kind.js"
import { apiVersion } from "./Kind.js"
import type { KubeObject } from "./KubeObject.js"
import { tables } from "./Schema.js"
import * as Status from "./Status.js"

/** @category models */
export interface Decoded<A> {
  readonly object: A
  /** One text for each field the kind does not have: `unknown field "spec.foo"`. */
  readonly unknownFields: ReadonlyArray<string>
}

/** As many unknown fields are reported; a body could hold millions. @category models */
export const maximumReported = 100

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const textField = (json: unknown, name: string): string => {
  const value = isObject(json) ? json[name] : undefined
  return typeof value === "string" ? value : ""
}

const scheme = `in scheme "pkg/api/legacyscheme/scheme.go:30"`

const internalGroup = (group: string): string => (group === "" ? "core" : group.replace(/\..*$/, ""))

/** Why a body of another kind or version is refused; undefined when it is the kind that the endpoint serves. */
const foreignKind = (kind: Kind, bodyKind: string, bodyVersion: string): string | undefined => {
  const version = apiVersion(kind)
  if (bodyVersion !== version) return `no kind "${bodyKind}" is registered for version "${bodyVersion}" ${scheme}`
  if (bodyKind === kind.kind) return undefined
  const isKnown = tables[kind.schema.replace(/[^.]*$/, bodyKind)] !== undefined
  return isKnown
    ? `converting (${kind.version}.${bodyKind}) to (${internalGroup(kind.group)}.${kind.kind}): unknown conversion`
    : `no kind "${bodyKind}" is registered for version "${bodyVersion}" ${scheme}`
}

/**
 * The canonical object of a decoded JSON value. `apiVersion` and `kind` may be missing; then they are those of the endpoint. Fails with 400.
 *
 * @param known An object of the kind that has been decoded before, from which the value was made: its parts that are in the value as they are
 * (the same, not equal ones) are taken without another look. Only for built-in kinds; what a client has defined may mean something else today.
 * @category combinators
 */
export const decode = <A extends KubeObject>(kind: Kind<A>, json: unknown, known?: KubeObject): Either.Either<Decoded<A>, Status.Status> => {
  if (kind.custom !== undefined) return decodeCustom(kind, kind.custom, json)
  const bodyKind = textField(json, "kind") || kind.kind
  const bodyVersion = textField(json, "apiVersion") || apiVersion(kind)
  const refuse = (why: string) =>
    Either.left(Status.badRequest(`${bodyKind} in version ${JSON.stringify(bodyVersion.replace(/^.*\//, ""))} cannot be handled as a ${kind.kind}: ${why}`))
  const foreign = foreignKind(kind, bodyKind, bodyVersion)
  if (foreign !== undefined) return refuse(foreign)
  const context = new DecodeContext()
  try {
    const decoded = messageOf(kind.schema).decode(json, context, known)
    const object: unknown = { kind: kind.kind, apiVersion: apiVersion(kind), ...(isObject(decoded) ? decoded : {}) }
    if (!isObjectOf(kind, object)) return refuse(`the field tables have no object of type ${kind.schema}`)
    const unknown = context.hasUnknown ? unknownFields(json, kind.schema, maximumReported) : []
    return Either.right({ object, unknownFields: unknown.map((path) => `unknown field ${JSON.stringify(path)}`) })
  } catch (problem) {
    if (problem instanceof DecodeProblem) return refuse(problem.message)
    throw problem
  }
}

/**
 * The decoder has checked every field by the tables, which are generated from the same source as the interface `A`; what is left to check is
 * that the tables are those of an API object.
 */
const isObjectOf = <A extends KubeObject>(kind: Kind<A>, value: unknown): value is A =>
  isObject(value) && value["kind"] === kind.kind && value["apiVersion"] === apiVersion(kind) && isObject(value["metadata"])

const decodeCustom = <A extends KubeObject>(kind: Kind<A>, custom: CustomContent, json: unknown): Either.Either<Decoded<A>, Status.Status> =>
  Either.flatMap(custom.decode(json), ({ object, unknownFields }) =>
    isObjectOf(kind, object)
      ? Either.right({ object, unknownFields })
      : Either.left(Status.badRequest(`the object is not a ${kind.kind} of ${apiVersion(kind)}`)))

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

/** The canonical metadata of an object whose other fields no table describes. Fails with the reason. @category combinators */
export const decodeMetadata = (json: unknown): Either.Either<Decoded<MetaV1.ObjectMeta>, string> => {
  const context = new DecodeContext()
  try {
    const decoded = messageOf(objectMeta).decode(json, context)
    const unknown = context.hasUnknown ? unknownFields(json, objectMeta, maximumReported) : []
    return Either.right({ object: isObject(decoded) ? decoded : {}, unknownFields: unknown.map((path) => `metadata.${path}`) })
  } catch (problem) {
    if (problem instanceof DecodeProblem) return Either.left(problem.message)
    throw problem
  }
}

const maximumShown = 30

/** The beginning of a body, for messages about it. */
const summary = (text: string): string => {
  if (text === "") return "<empty>"
  const begin = text.slice(0, maximumShown)
  const shown = text.startsWith("{") ? begin : Array.from(new TextEncoder().encode(begin), (byte) => byte.toString(16).padStart(2, "0")).join("")
  return text.length > maximumShown ? `${shown} ...` : shown
}

/** How strictly fields are checked. @category models */
export interface DecodeTextOptions {
  /** Also look for fields that occur twice in one object, which costs a second pass over the text. */
  readonly reportDuplicates?: boolean
}

/** The canonical object of a JSON text; duplicate fields are reported like unknown ones. Fails with 400. @category combinators */
export const decodeText = <A extends KubeObject>(
  kind: Kind<A>,
  text: string,
  options: DecodeTextOptions = {}
): Either.Either<Decoded<A>, Status.Status> => {
  const parsed = JsonText.parse(text)
  if (Either.isLeft(parsed)) {
    const problem = `couldn't get version/kind; json parse error: ${parsed.left.message}`
    return Either.left(
      Status.badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${problem} (${summary(text)})`)
    )
  }
  const decoded = decode(kind, parsed.right)
  if (Either.isLeft(decoded) || options.reportDuplicates !== true) return decoded
  const duplicates = JsonText.duplicateFields(text)
  if (duplicates.length === 0) return decoded
  return Either.right({ ...decoded.right, unknownFields: [...decoded.right.unknownFields, ...duplicates] })
}

/** The refusal of a body with unknown or duplicate fields when the client asked for strict field validation. @category constructors */
export const strictError = (kind: Kind, problems: ReadonlyArray<string>): Status.Status =>
  Status.badRequest(
    `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: strict decoding error: ${problems.join(", ")}`
  )
