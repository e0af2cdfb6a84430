/** Checks a value against its OpenAPI schema, with the messages of Kubernetes. What an update leaves as it was is not complained about. */
import { FieldError } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import * as Formats from "./Formats.js"
import { additionalOf, child, equals, get, isArray, isObject, itemsOf, type JsonObject, type JsonSchema, propertyOf } from "./JsonSchema.js"
import * as Patterns from "./Patterns.js"

type Errors = ReadonlyArray<FieldError.FieldError>

/** Stands for "there is no old value to compare with". */
const none = Symbol("no old value")

/** As many problems are reported; a body could hold millions. */
const maximumErrors = 1000

const typeName = (value: unknown): string => {
  if (value === null || value === undefined) return "null"
  if (isArray(value)) return "array"
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number"
  return typeof value === "boolean" || typeof value === "string" ? typeof value : "object"
}

const wanted = (schema: JsonSchema): ReadonlyArray<string> =>
  schema["x-kubernetes-int-or-string"] === true
    ? ["integer", "string"]
    : schema.type === undefined || schema.type === ""
    ? []
    : [schema.type]

const where = (path: string): string => path === "" ? "in body" : `${path} in body`

const rule = (path: string, value: unknown, text: string): FieldError.FieldError => FieldError.invalid(path, value, `${where(path)} ${text}`)

const typeProblem = (path: string, type: string, value: unknown): FieldError.FieldError => ({
  path,
  reason: "FieldValueTypeInvalid",
  message: `Invalid value: ${JSON.stringify(value)}: ${where(path)} must be of type ${type}: ${JSON.stringify(value)}`
})

const checkType = (value: unknown, schema: JsonSchema, path: string): Errors => {
  const types = wanted(schema)
  const actual = typeName(value)
  if (types.length === 0 || types.includes(actual) || actual === "integer" && types.includes("number")) return []
  if (value === null && schema.nullable === true) return []
  return [typeProblem(path, types.join(","), actual)]
}

const checkString = (value: string, schema: JsonSchema, path: string): Errors => {
  const errors: Array<FieldError.FieldError> = []
  const { format, maxLength, minLength, pattern } = schema
  const length = maxLength === undefined && minLength === undefined ? 0 : Array.from(value).length
  if (maxLength !== undefined && length > maxLength) errors.push(FieldError.tooLong(path, maxLength))
  if (minLength !== undefined && length < minLength) errors.push(rule(path, value, `should be at least ${minLength} chars long`))
  if (pattern !== undefined && pattern !== "") {
    const compiled = Patterns.compile(pattern)
    if (Either.isLeft(compiled) || !compiled.right.test(value)) errors.push(rule(path, value, `should match '${pattern}'`))
  }
  if (format !== undefined && Formats.isKnown(format, schema.type ?? "") && !Formats.matches(format, value)) {
    errors.push(typeProblem(path, format, value))
  }
  return errors
}

/** But for what decimal fractions lose in binary: 0.3 is a multiple of 0.1. */
const isMultiple = (value: number, of: number): boolean => {
  const quotient = of < 1 ? 1 / of * value : value / of
  return of > 0 && Number.isFinite(quotient) && Math.abs(quotient - Math.round(quotient)) < 1e-9
}

const checkNumber = (value: number, schema: JsonSchema, path: string): Errors => {
  const errors: Array<FieldError.FieldError> = []
  const { exclusiveMaximum, exclusiveMinimum, maximum, minimum, multipleOf } = schema
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) errors.push(rule(path, value, `should be a multiple of ${multipleOf}`))
  if (maximum !== undefined) {
    if (exclusiveMaximum === true) {
      if (value >= maximum) errors.push(rule(path, value, `should be less than ${maximum}`))
    } else if (value > maximum) errors.push(rule(path, value, `should be less than or equal to ${maximum}`))
  }
  if (minimum !== undefined) {
    if (exclusiveMinimum === true) {
      if (value <= minimum) errors.push(rule(path, value, `should be greater than ${minimum}`))
    } else if (value < minimum) errors.push(rule(path, value, `should be greater than or equal to ${minimum}`))
  }
  if (schema.format === "int32" && Number.isInteger(value) && (value > 2_147_483_647 || value < -2_147_483_648)) {
    errors.push(rule(path, value, "Checked value must be of type integer with format int32"))
  }
  return errors
}

const enumProblem = (value: unknown, schema: JsonSchema, path: string): Errors => {
  if (schema.enum === undefined || schema.enum.some((known) => equals(known, value))) return []
  if (value === null && schema.nullable === true) return []
  return [FieldError.notSupported(path, value, schema.enum.map((known) => typeof known === "string" ? known : JSON.stringify(known)))]
}

/** The items of an old list by their keys. Only items that have keys are known again; others come and go with their list. */
const correlated = (schema: JsonSchema, old: unknown): (item: unknown) => unknown => {
  if (!isArray(old) || schema["x-kubernetes-list-type"] !== "map") return () => none
  const keys = schema["x-kubernetes-list-map-keys"] ?? []
  const keyOf = (item: unknown): string => JSON.stringify(keys.map((key) => get(item, key) ?? null))
  const known = new Map(old.toReversed().map((item) => [keyOf(item), item]))
  return (item) => known.get(keyOf(item)) ?? none
}

const checkArray = (value: ReadonlyArray<unknown>, old: unknown, schema: JsonSchema, path: string, depth: number): Errors => {
  const { maxItems, minItems } = schema
  if (maxItems !== undefined && value.length > maxItems) return [FieldError.tooMany(path, value.length, maxItems)]
  const errors: Array<FieldError.FieldError> = []
  if (minItems !== undefined && value.length < minItems) errors.push(rule(path, value.length, `should have at least ${minItems} items`))
  const items = itemsOf(schema)
  if (items === undefined) return errors
  const before = correlated(schema, old)
  for (const [index, item] of value.entries()) {
    if (errors.length >= maximumErrors) break
    errors.push(...check(item, before(item), items, `${path}[${index}]`, depth))
  }
  return errors
}

const checkObject = (value: JsonObject, old: unknown, schema: JsonSchema, path: string, depth: number): Errors => {
  const errors: Array<FieldError.FieldError> = []
  const names = Object.keys(value)
  const { maxProperties, minProperties } = schema
  if (maxProperties !== undefined && names.length > maxProperties) errors.push(FieldError.tooMany(path, names.length, maxProperties))
  if (minProperties !== undefined && names.length < minProperties) {
    errors.push(rule(path, names.length, `should have at least ${minProperties} properties`))
  }
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) errors.push(FieldError.required(child(path, name)))
  const additional = additionalOf(schema)
  for (const name of names) {
    if (errors.length >= maximumErrors) break
    const member = propertyOf(schema, name) ?? (typeof additional === "object" ? additional : undefined)
    if (member === undefined) continue
    const before = isObject(old) && Object.hasOwn(old, name) ? old[name] : none
    errors.push(...check(value[name], before, member, child(path, name), depth))
  }
  return errors
}

const composite = (path: string, text: string): FieldError.FieldError =>
  FieldError.invalid("<nil>", "", `${JSON.stringify(path)} ${text}`)

const shortest = (results: ReadonlyArray<Errors>): Errors =>
  results.reduce((best, errors) => errors.length < best.length ? errors : best, results[0] ?? [])

const checkComposites = (value: unknown, old: unknown, schema: JsonSchema, path: string, depth: number): Errors => {
  const errors: Array<FieldError.FieldError> = []
  const each = (schemas: ReadonlyArray<JsonSchema>): ReadonlyArray<Errors> => schemas.map((one) => check(value, old, one, path, depth + 1))
  if (schema.anyOf !== undefined && schema.anyOf.length > 0) {
    const results = each(schema.anyOf)
    if (results.every((problems) => problems.length > 0)) {
      errors.push(composite(path, "must validate at least one schema (anyOf)"), ...shortest(results))
    }
  }
  if (schema.oneOf !== undefined && schema.oneOf.length > 0) {
    const results = each(schema.oneOf)
    const valid = results.filter((problems) => problems.length === 0).length
    if (valid === 0) errors.push(composite(path, "must validate one and only one schema (oneOf). Found none valid"), ...shortest(results))
    else if (valid > 1) errors.push(composite(path, `must validate one and only one schema (oneOf). Found ${valid} valid alternatives`))
  }
  if (schema.allOf !== undefined && schema.allOf.length > 0) {
    const results = each(schema.allOf)
    const valid = results.filter((problems) => problems.length === 0).length
    if (valid < results.length) {
      errors.push(...results.flat(), composite(path, `must validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`))
    }
  }
  if (schema.not !== undefined && check(value, old, schema.not, path, depth + 1).length === 0) {
    errors.push(composite(path, "must not validate the schema (not)"))
  }
  return errors
}

/** Deeper alternatives than any real schema has would only cost time: their number can double with each level. */
const maximumDepth = 24

const check = (value: unknown, old: unknown, schema: JsonSchema, path: string, depth: number): Errors => {
  if (depth > maximumDepth || old !== none && equals(value, old)) return []
  const typeErrors = checkType(value, schema, path)
  const enumErrors = enumProblem(value, schema, path)
  const composites = checkComposites(value, old, schema, path, depth)
  const own = typeof value === "string"
    ? checkString(value, schema, path)
    : typeof value === "number"
    ? checkNumber(value, schema, path)
    : isArray(value)
    ? checkArray(value, old, schema, path, depth)
    : isObject(value)
    ? checkObject(value, old, schema, path, depth)
    : []
  return [...typeErrors, ...composites, ...own, ...enumErrors]
}

/** Problems of a new value. @category combinators */
export const validate = (value: unknown, schema: JsonSchema, path = ""): Errors => check(value, none, schema, path, 0)

/**
 * Problems of a value that replaces another one; parts that are as they were before are not checked again.
 *
 * @category combinators
 */
export const validateUpdate = (value: unknown, old: unknown, schema: JsonSchema, path = ""): Errors =>
  check(value, old === undefined ? none : old, schema, path, 0)
