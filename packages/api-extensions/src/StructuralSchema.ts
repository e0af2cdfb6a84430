/** Whether a schema is structural: every value has one type, so that pruning and defaulting know what to do with it. */
import { FieldError } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { additionalOf, equals, itemsOf, type JsonSchema, preserves, propertiesOf, propertyOf } from "./JsonSchema.js"
import * as Patterns from "./Patterns.js"

type Errors = ReadonlyArray<FieldError.FieldError>
type Level = "root" | "item" | "field"

const intOrString = [{ type: "integer" }, { type: "string" }]

const isIntOrString = (schemas: ReadonlyArray<JsonSchema> | undefined): boolean => schemas !== undefined && equals(schemas, intOrString)

const typeTexts: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields"
}

const checkTypes = (schema: JsonSchema, level: Level, path: string): Errors => {
  const type = schema.type ?? ""
  const at = `${path}.type`
  const embedded = schema["x-kubernetes-embedded-resource"] === true
  const errors: Array<FieldError.FieldError> = []
  if (embedded && type !== "object") {
    const text = "must be object if x-kubernetes-embedded-resource is true"
    errors.push(type === "" ? FieldError.required(at, text) : FieldError.invalid(at, type, text))
  } else if (type === "" && schema["x-kubernetes-int-or-string"] !== true && !preserves(schema)) {
    errors.push(FieldError.required(at, typeTexts[level]))
  }
  if (level === "root" && type !== "" && type !== "object") errors.push(FieldError.invalid(at, type, "must be object at the root"))
  return errors
}

const allowedMetadata: ReadonlySet<string> = new Set(["name", "generateName"])

const checkMetadata = (schema: JsonSchema, level: Level, path: string): Errors => {
  const isResource = level === "root" || schema["x-kubernetes-embedded-resource"] === true
  if (!isResource) return []
  const errors: Array<FieldError.FieldError> = []
  for (const name of ["kind", "apiVersion"]) {
    const property = propertyOf(schema, name)
    if (property !== undefined && property.type !== "string") {
      errors.push(FieldError.invalid(`${path}.properties[${name}].type`, property.type ?? "", "must be string"))
    }
  }
  const metadata = propertyOf(schema, "metadata")
  if (metadata === undefined) return errors
  const at = `${path}.properties[metadata]`
  if (metadata.type !== "object") errors.push(FieldError.invalid(`${at}.type`, metadata.type ?? "", "must be object"))
  const { description: _, properties = {}, type: _type, default: _default, ...rest } = metadata
  if (level === "root" && (Object.keys(rest).length > 0 || Object.keys(properties).some((name) => !allowedMetadata.has(name)))) {
    errors.push(
      FieldError.forbidden(at, "must not specify anything other than name and generateName, but metadata is implicitly specified")
    )
  }
  return errors
}

const checkExtensions = (schema: JsonSchema, path: string): Errors => {
  if (schema["x-kubernetes-int-or-string"] !== true) return []
  return (["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const).flatMap((name) =>
    schema[name] === true ? [FieldError.invalid(`${path}.${name}`, true, "must be false if x-kubernetes-int-or-string is true")] : [])
}

const emptyWords: ReadonlyArray<readonly [keyof JsonSchema, string]> = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"]
]

const checkNested = (schema: JsonSchema, skipsAnyOf: boolean, path: string): Errors => {
  const items = itemsOf(schema)
  return [
    ...checkValidations(schema, skipsAnyOf, false, path),
    ...(items === undefined ? [] : checkNested(items, false, `${path}.items`)),
    ...propertiesOf(schema).flatMap(([name, property]) => checkNested(property, false, `${path}.properties[${name}]`)),
    ...emptyWords.flatMap(([word, text]) => {
      const value = schema[word]
      return value === undefined || value === "" || value === false || Array.isArray(value) && value.length === 0
        ? []
        : [FieldError.forbidden(`${path}.${word}`, text)]
    }),
    ...(propertyOf(schema, "metadata") === undefined
      ? []
      : [FieldError.forbidden(`${path}.properties[metadata]`, "must not be specified in a nested context")])
  ]
}

/** What is said about values besides their type. */
const checkValidations = (schema: JsonSchema, skipsAnyOf: boolean, skipsFirstAllOf: boolean, path: string): Errors => {
  const errors: Array<FieldError.FieldError> = []
  const { allOf = [], anyOf = [], not, oneOf = [], pattern } = schema
  if (!skipsAnyOf) errors.push(...anyOf.flatMap((one, index) => checkNested(one, false, `${path}.anyOf[${index}]`)))
  errors.push(...allOf.flatMap((one, index) => checkNested(one, skipsFirstAllOf && index === 0, `${path}.allOf[${index}]`)))
  errors.push(...oneOf.flatMap((one, index) => checkNested(one, false, `${path}.oneOf[${index}]`)))
  if (not !== undefined) errors.push(...checkNested(not, false, `${path}.not`))
  if (pattern !== undefined && pattern !== "") {
    const compiled = Patterns.compile(pattern)
    if (Either.isLeft(compiled)) {
      errors.push(FieldError.invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${compiled.left}`))
    }
  }
  return errors
}

const check = (schema: JsonSchema, level: Level, path: string): Errors => {
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const embedded = schema["x-kubernetes-embedded-resource"] === true
  const errors: Array<FieldError.FieldError> = []
  if (schema.type === "array" && items === undefined) errors.push(FieldError.required(`${path}.items`, "must be specified"))
  if (items !== undefined) errors.push(...check(items, "item", `${path}.items`))
  for (const [name, property] of propertiesOf(schema)) {
    // Metadata is known; what a schema says about it is checked below.
    const skips = name === "metadata" && (level === "root" || embedded)
    if (!skips) errors.push(...check(property, "field", `${path}.properties[${name}]`))
  }
  if (schema.additionalProperties !== undefined) {
    if (level === "root") errors.push(FieldError.forbidden(`${path}.additionalProperties`, "must not be used at the root"))
    if (typeof additional === "object") errors.push(...check(additional, "field", `${path}.additionalProperties`))
    if (embedded) {
      errors.push(FieldError.forbidden(`${path}.additionalProperties`, "must not be used if x-kubernetes-embedded-resource is set"))
    }
  }
  errors.push(
    ...checkExtensions(schema, path),
    ...checkValidations(schema, isIntOrString(schema.anyOf), isIntOrString(schema.allOf?.[0]?.anyOf), path),
    ...checkTypes(schema, level, path),
    ...checkMetadata(schema, level, path)
  )
  if (embedded && !preserves(schema) && propertiesOf(schema).length === 0) {
    const text = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
    errors.push(FieldError.required(`${path}.properties`, text))
  }
  return errors
}

/** What keeps a schema from being structural. `path` is where it stands. @category combinators */
export const validate = (schema: JsonSchema, path: string): Errors =>
  [...check(schema, "root", path)].sort((left, right) => FieldError.format(left) < FieldError.format(right) ? -1 : 1)
