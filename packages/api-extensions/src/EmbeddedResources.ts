/** Resources inside a custom resource, marked by `x-kubernetes-embedded-resource`. */
import { FieldError, Kind, Names, ObjectCodec } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { additionalOf, child, isArray, isObject, itemsOf, type JsonObject, type JsonSchema, propertyOf } from "./JsonSchema.js"

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
