/** Resources inside a custom resource, marked by `x-kubernetes-embedded-resource`. */
import { FieldError, Kind, Names, ObjectCodec } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { additionalOf, child, define, isArray, isObject, itemsOf, type JsonObject, type JsonSchema, propertiesOf, propertyOf } from "./JsonSchema.js"

type Errors = ReadonlyArray<FieldError.FieldError>

// The metadata rules of any kind: those of a kind that is nowhere registered.
const anyKind = (namespaced: boolean) =>
  Kind.make({ version: "v1", kind: "Embedded", plural: "embedded", schema: "", namespaced, nameRule: Names.isPathSegment })

const checkText = (value: unknown, path: string, problems: (text: string) => ReadonlyArray<string>): Errors => {
  if (value === undefined) return [FieldError.required(path)]
  if (typeof value !== "string") return [FieldError.invalid(path, value, "must be a string")]
  return value === "" ? [FieldError.invalid(path, value, "must not be empty")] : problems(value).map((problem) => FieldError.invalid(path, value, problem))
}

const kindProblems = (kind: string): ReadonlyArray<string> => {
  const problems = Names.isDns1035Label(kind.toLowerCase())
  return problems.length === 0 ? [] : [`may have mixed case, but should otherwise match: ${problems.join(",")}`]
}

const versionProblems = (version: string): ReadonlyArray<string> =>
  version.split("/").length > 2 ? [`unexpected GroupVersion string: ${version}`] : []

const checkResource = (value: JsonObject, path: string): Errors => {
  const { apiVersion, kind, metadata } = value
  const errors = [
    ...checkText(apiVersion, child(path, "apiVersion"), versionProblems),
    ...checkText(kind, child(path, "kind"), kindProblems)
  ]
  if (metadata === undefined) return errors
  const at = child(path, "metadata")
  const decoded = ObjectCodec.decodeMetadata(metadata)
  if (Either.isLeft(decoded)) return [...errors, FieldError.invalid(at, metadata, decoded.left)]
  const { name = "", namespace = "" } = decoded.right.object
  const object = { apiVersion: "v1", kind: "Embedded", metadata: { ...decoded.right.object, name: name === "" ? "fakename" : name } }
  const problems = anyKind(namespace !== "").validate(object)
  return [...errors, ...problems.map((problem) => ({ ...problem, path: child(path, problem.path) }))]
}

/** Problems of embedded resources, at any depth. The object itself is not one. @category combinators */
export const validate = (value: unknown, schema: JsonSchema, path = ""): Errors => {
  if (isArray(value)) {
    const items = itemsOf(schema)
    return items === undefined ? [] : value.flatMap((item, index) => validate(item, items, `${path}[${index}]`))
  }
  if (!isObject(value)) return []
  const own = schema["x-kubernetes-embedded-resource"] === true ? checkResource(value, path) : []
  const additional = additionalOf(schema)
  return [
    ...own,
    ...Object.keys(value).flatMap((name) => {
      const property = propertyOf(schema, name)
      if (property !== undefined) return validate(value[name], property, child(path, name))
      return typeof additional === "object" ? validate(value[name], additional, `${path}[${name}]`) : []
    })
  ]
}

const embedding = new WeakMap<JsonSchema, boolean>()

/** Whether a schema has embedded resources at any depth. */
const contains = (schema: JsonSchema): boolean => {
  const known = embedding.get(schema)
  if (known !== undefined) return known
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const found = schema["x-kubernetes-embedded-resource"] === true || items !== undefined && contains(items) ||
    typeof additional === "object" && contains(additional) || propertiesOf(schema).some(([, property]) => contains(property))
  embedding.set(schema, found)
  return found
}

/** @category models */
export interface Coerced {
  /** The same value when there was nothing to change; left: what is no type or metadata of a resource. */
  readonly value: Either.Either<unknown, string>
  /** Paths of what was removed. */
  readonly unknownFields: ReadonlyArray<string>
}

const problemOf = (error: FieldError.FieldError): Either.Either<never, string> => Either.left(FieldError.format(error))

const coerceMembers = (value: JsonObject, schema: JsonSchema, path: string, unknown: Array<string>): Either.Either<JsonObject, string> => {
  const isResource = schema["x-kubernetes-embedded-resource"] === true
  const additional = additionalOf(schema)
  const result: Record<string, unknown> = {}
  let changed = false
  for (const name of Object.keys(value)) {
    const at = child(path, name)
    const below = propertyOf(schema, name) ?? (typeof additional === "object" ? additional : undefined)
    let member = value[name]
    if (isResource && (name === "apiVersion" || name === "kind") && typeof member !== "string") {
      return problemOf(FieldError.invalid(at, member, "must be a string"))
    }
    if (isResource && name === "metadata") {
      const decoded = ObjectCodec.decodeMetadata(member ?? {})
      if (Either.isLeft(decoded)) return problemOf(FieldError.invalid(at, member, decoded.left))
      unknown.push(...decoded.right.unknownFields.map((field) => child(path, field)))
      member = decoded.right.object
    } else if (below !== undefined) {
      const coerced = coerceValue(member, below, at, unknown)
      if (Either.isLeft(coerced)) return Either.left(coerced.left)
      member = coerced.right
    }
    if (member !== value[name]) changed = true
    define(result, name, member)
  }
  return Either.right(changed ? result : value)
}

const coerceValue = (value: unknown, schema: JsonSchema, path: string, unknown: Array<string>): Either.Either<unknown, string> => {
  if (!contains(schema)) return Either.right(value)
  if (isObject(value)) return coerceMembers(value, schema, path, unknown)
  const items = itemsOf(schema)
  if (!isArray(value) || items === undefined) return Either.right(value)
  return Either.map(Either.all(value.map((item, index) => coerceValue(item, items, `${path}[${index}]`, unknown))), (coerced) =>
    coerced.every((item, index) => item === value[index]) ? value : coerced)
}

/**
 * The metadata of embedded resources as that of any object: without fields that no metadata has. The object itself is not one of them.
 *
 * @category combinators
 */
export const coerce = (value: unknown, schema: JsonSchema): Coerced => {
  const unknownFields: Array<string> = []
  const { "x-kubernetes-embedded-resource": _, ...root } = schema
  return contains(schema) && isObject(value)
    ? { value: coerceMembers(value, root, "", unknownFields), unknownFields }
    : { value: Either.right(value), unknownFields }
}
