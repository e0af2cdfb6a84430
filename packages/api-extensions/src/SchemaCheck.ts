/** Everything that must be true of the schema of a custom resource before it is served. */
import { FieldError } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import * as EmbeddedResources from "./EmbeddedResources.js"
import * as FieldPath from "./FieldPath.js"
import { additionalOf, itemsOf, type JsonSchema, preserves, propertiesOf, propertyOf, typeFields } from "./JsonSchema.js"
import { pruneValue } from "./Pruning.js"
import * as Rules from "./Rules.js"
import * as StructuralSchema from "./StructuralSchema.js"
import * as ValueCheck from "./ValueCheck.js"

type Errors = ReadonlyArray<FieldError.FieldError>

const types: ReadonlyArray<string> = ["array", "boolean", "integer", "number", "object", "string"]

const unsupported = (schema: JsonSchema, path: string): Errors => {
  const errors: Array<FieldError.FieldError> = []
  const notSupported = (word: keyof JsonSchema): void => {
    if (schema[word] !== undefined) errors.push(FieldError.forbidden(`${path}.${word}`, `${word} is not supported`))
  }
  if (schema.type !== undefined && schema.type !== "" && !types.includes(schema.type)) {
    errors.push(
      schema.type === "null"
        ? FieldError.forbidden(`${path}.type`, "type cannot be set to null, use nullable as an alternative")
        : FieldError.notSupported(`${path}.type`, schema.type, types)
    )
  }
  for (const word of ["definitions", "dependencies", "patternProperties", "additionalItems", "id"] as const) notSupported(word)
  if (schema.$ref !== undefined) errors.push(FieldError.forbidden(`${path}.$ref`, "$ref is not supported"))
  if (schema.uniqueItems === true) {
    errors.push(FieldError.forbidden(`${path}.uniqueItems`, "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"))
  }
  if (Array.isArray(schema.items)) {
    errors.push(FieldError.forbidden(`${path}.items`, "items must be a schema object and not an array"))
  }
  if (propertiesOf(schema).length > 0 && schema.additionalProperties !== undefined && schema.additionalProperties !== true) {
    errors.push(FieldError.forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"))
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    errors.push(FieldError.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"))
  }
  return errors
}

const needsType = (schema: JsonSchema, type: string, word: string, path: string): Errors => {
  if (schema.type === type) return []
  const text = `must be ${type} if ${word} is specified`
  return [schema.type === undefined || schema.type === "" ? FieldError.required(`${path}.type`, text) : FieldError.invalid(`${path}.type`, schema.type, text)]
}

const checkMapKeys = (schema: JsonSchema, keys: ReadonlyArray<string>, path: string): Errors => {
  const at = `${path}.x-kubernetes-list-map-keys`
  const items = itemsOf(schema)
  const errors: Array<FieldError.FieldError> = []
  if (keys.length === 0) errors.push(FieldError.required(at, "must not be empty if x-kubernetes-list-type is map"))
  if (items === undefined) return [...errors, FieldError.required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map")]
  if (items.type !== "object") {
    return [...errors, FieldError.invalid(`${path}.items.type`, items.type ?? "", "must be object if parent array's x-kubernetes-list-type is map")]
  }
  for (const [index, key] of keys.entries()) {
    const property = propertyOf(items, key)
    if (keys.indexOf(key) !== index) errors.push(FieldError.invalid(at, keys, "must not contain duplicate entries"))
    if (property === undefined) {
      errors.push(FieldError.invalid(at, keys, "entries must all be names of item properties"))
      continue
    }
    const place = `${path}.items.properties[${key}]`
    if (property.type === "array" || property.type === "object") {
      errors.push(FieldError.invalid(`${place}.type`, items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map"))
    }
    if (property.nullable === true) {
      errors.push(FieldError.forbidden(`${place}.nullable`, "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"))
    }
    if (property.default === undefined && items.required?.includes(key) !== true) {
      const text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
      errors.push(FieldError.required(`${place}.default`, text))
    }
  }
  return errors
}

const checkListType = (schema: JsonSchema, path: string): Errors => {
  const type = schema["x-kubernetes-list-type"]
  const keys = schema["x-kubernetes-list-map-keys"] ?? []
  const at = `${path}.x-kubernetes-list-type`
  const errors: Array<FieldError.FieldError> = []
  if (keys.length > 0 && type !== "map") {
    const text = "must be map if x-kubernetes-list-map-keys is non-empty"
    errors.push(type === undefined ? FieldError.required(at, text) : FieldError.invalid(at, type, text))
  }
  if (type === undefined) return errors
  errors.push(...needsType(schema, "array", "x-kubernetes-list-type", path))
  if (!["atomic", "set", "map"].includes(type)) errors.push(FieldError.notSupported(at, type, ["atomic", "set", "map"]))
  const items = itemsOf(schema)
  if (type === "map") errors.push(...checkMapKeys(schema, keys, path))
  if (type === "set" && items?.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
    const text = "must be atomic as item of a list with x-kubernetes-list-type=set"
    errors.push(FieldError.invalid(`${path}.items.x-kubernetes-map-type`, items["x-kubernetes-map-type"] ?? null, text))
  }
  const inner = items?.type === "array" ? items["x-kubernetes-list-type"] ?? "atomic" : "atomic"
  if (type === "set" && inner !== "atomic") {
    const text = "must be atomic as item of a list with x-kubernetes-list-type=set"
    errors.push(FieldError.invalid(`${path}.items.x-kubernetes-list-type`, inner, text))
  }
  if ((type === "map" || type === "set") && items?.nullable === true) {
    errors.push(FieldError.forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`))
  }
  return errors
}

const checkMapType = (schema: JsonSchema, path: string): Errors => {
  const type = schema["x-kubernetes-map-type"]
  if (type === undefined) return []
  const known = type === "atomic" || type === "granular"
    ? []
    : [FieldError.notSupported(`${path}.x-kubernetes-map-type`, type, ["atomic", "granular"])]
  return [...needsType(schema, "object", "x-kubernetes-map-type", path), ...known]
}

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"]

const lineBreak = /[\n\r]/

const checkFieldPath = (schema: JsonSchema, fieldPath: string, path: string): Errors => {
  if (fieldPath === "") return []
  return [
    ...(fieldPath.trim() === "" ? [FieldError.invalid(path, fieldPath, "must be non-empty if specified")] : []),
    ...(lineBreak.test(fieldPath) ? [FieldError.invalid(path, fieldPath, "must not contain line breaks")] : []),
    ...(Either.isLeft(FieldPath.find(fieldPath, schema, true)) ? [FieldError.invalid(path, fieldPath, "must be a valid path")] : [])
  ]
}

const checkRuleTexts = (schema: JsonSchema, path: string): Errors =>
  (schema["x-kubernetes-validations"] ?? []).flatMap(({ fieldPath = "", message = "", messageExpression = "", reason, rule }, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`
    const errors: Array<FieldError.FieldError> = []
    if (rule.trim() === "") errors.push(FieldError.required(`${at}.rule`, "rule is not specified"))
    else if (message !== "" && message.trim() === "") errors.push(FieldError.invalid(`${at}.message`, message, "must be non-empty if specified"))
    else if (lineBreak.test(message.trim())) errors.push(FieldError.invalid(`${at}.message`, message, "must not contain line breaks"))
    else if (lineBreak.test(rule.trim()) && message.trim() === "") {
      errors.push(FieldError.required(`${at}.message`, "message must be specified if rule contains line breaks"))
    }
    if (messageExpression !== "" && messageExpression.trim() === "") {
      errors.push(FieldError.required(`${at}.messageExpression`, "messageExpression must be non-empty if specified"))
    }
    if (reason !== undefined && !reasons.includes(reason)) errors.push(FieldError.notSupported(`${at}.reason`, reason, reasons))
    errors.push(...checkFieldPath(schema, fieldPath, `${at}.fieldPath`))
    return errors
  })

/** Schemas below one, with their paths; alternatives too. */
const below = (schema: JsonSchema, path: string): ReadonlyArray<readonly [JsonSchema, string]> => {
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const listed = (word: "allOf" | "anyOf" | "oneOf") => (schema[word] ?? []).map((one, index) => [one, `${path}.${word}[${index}]`] as const)
  return [
    ...(typeof additional === "object" ? [[additional, `${path}.additionalProperties`] as const] : []),
    ...propertiesOf(schema).map(([name, property]) => [property, `${path}.properties[${name}]`] as const),
    ...(schema.not === undefined ? [] : [[schema.not, `${path}.not`] as const]),
    ...listed("allOf"),
    ...listed("oneOf"),
    ...listed("anyOf"),
    ...(items === undefined ? [] : [[items, `${path}.items`] as const])
  ]
}

/** What the place of a schema forbids. */
interface Place {
  /** Why no default may stand here. */
  readonly noDefault: string | undefined
  /** Inside of the type or the metadata of a resource. */
  readonly inMeta: boolean
}

const checkPlace = (schema: JsonSchema, path: string, { inMeta, noDefault }: Place): Errors => [
  ...(schema.default !== undefined && noDefault !== undefined ? [FieldError.forbidden(`${path}.default`, `must not be set ${noDefault}`)] : []),
  ...(inMeta && schema["x-kubernetes-embedded-resource"] === true
    ? [FieldError.forbidden(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta")]
    : [])
]

const placeOf = (parent: JsonSchema, child: JsonSchema, place: Place, isRoot: boolean): Place => {
  if (child === parent.additionalProperties) {
    return place.inMeta ? { ...place, noDefault: "inside additionalProperties applying to object metadata" } : place
  }
  if (!isRoot && parent["x-kubernetes-embedded-resource"] !== true) return place
  const name = [...typeFields].find((key) => propertyOf(parent, key) === child)
  if (name === undefined) return place
  return { inMeta: true, noDefault: isRoot ? `in top-level ${name}` : place.noDefault }
}

const checkAll = (schema: JsonSchema, path: string, place: Place = { noDefault: undefined, inMeta: false }, isRoot = true): Errors => [
  ...checkPlace(schema, path, place),
  ...unsupported(schema, path),
  ...checkMapType(schema, path),
  ...checkListType(schema, path),
  ...checkRuleTexts(schema, path),
  ...below(schema, path).flatMap(([one, at]) => checkAll(one, at, placeOf(schema, one, place, isRoot), false))
]

/** Problems of a default as a value of its schema. */
const checkDefault = (schema: JsonSchema, at: string): Errors => {
  const embedded = EmbeddedResources.validate(schema.default, schema, at)
  const problems = embedded.length > 0 ? embedded : ValueCheck.validate(schema.default, schema, at)
  if (problems.length > 0) return problems
  const tree = Rules.compile(schema)
  if (tree === undefined) return []
  // It may be put into a new object, and into one that had it already.
  const broken = Rules.validate(tree, schema.default, at)
  return broken.length > 0 ? broken : Rules.validateUpdate(tree, schema.default, schema.default, at)
}

const checkDefaults = (schema: JsonSchema, path: string): Errors => {
  const errors: Array<FieldError.FieldError> = []
  if (schema.default !== undefined) {
    const at = `${path}.default`
    const { removed } = preserves(schema) ? { removed: [] } : pruneValue(schema.default, schema)
    if (removed.length > 0) errors.push(FieldError.invalid(at, schema.default, "must not have unknown fields"))
    errors.push(...checkDefault(schema, at))
  }
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  if (items !== undefined) errors.push(...checkDefaults(items, `${path}.items`))
  if (typeof additional === "object") errors.push(...checkDefaults(additional, `${path}.additionalProperties`))
  for (const [name, property] of propertiesOf(schema)) errors.push(...checkDefaults(property, `${path}.properties[${name}]`))
  return errors
}

/** Rules about old values where there is no knowing which old value a new one replaces, and rules that want one and do not use it. */
const checkOldSelf = ({ rules, schema, usesOldSelf }: Rules.RuleTree, at: (index: number, field: string) => string, uncorrelated: string | undefined): Errors => {
  const all = schema["x-kubernetes-validations"] ?? []
  return rules.flatMap(({ rule }) => {
    const index = all.indexOf(rule)
    if (!usesOldSelf.includes(index)) {
      return rule.optionalOldSelf === undefined
        ? []
        : [FieldError.invalid(at(index, "optionalOldSelf"), rule.optionalOldSelf, "may not be set if oldSelf is not used in rule")]
    }
    return uncorrelated === undefined
      ? []
      : [FieldError.invalid(at(index, "rule"), rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`)]
  })
}

const checkRules = (tree: Rules.RuleTree, path: string, uncorrelated: string | undefined): Errors => {
  const { schema } = tree
  const at = (index: number, field: string): string => `${path}.x-kubernetes-validations[${index}].${field}`
  const items = tree.items
  const lists = schema["x-kubernetes-list-type"] === "map" ? uncorrelated : uncorrelated ?? path
  const fields = schema["x-kubernetes-map-type"] === "atomic" ? uncorrelated ?? path : uncorrelated
  return [
    ...tree.problems.map(({ detail, field, index, rule }) => FieldError.invalid(at(index, field), rule, detail)),
    ...checkOldSelf(tree, at, uncorrelated),
    ...(items === undefined ? [] : checkRules(items, `${path}.items`, lists)),
    ...(tree.additional === undefined ? [] : checkRules(tree.additional, `${path}.additionalProperties`, uncorrelated)),
    ...[...tree.properties].flatMap(([name, one]) => checkRules(one, `${path}.properties[${name}]`, fields))
  ]
}

/** Words that may stand at the root when the status has a subresource of its own; in the order in which messages name them. */
const rootWords: ReadonlyMap<string, string> = new Map([
  "Description", "Type", "Format", "Title", "Maximum", "ExclusiveMaximum", "Minimum", "ExclusiveMinimum", "MaxLength", "MinLength", "Pattern",
  "MaxItems", "MinItems", "UniqueItems", "MultipleOf", "Required", "Items", "Properties", "ExternalDocs", "Example"
].map((name) => [name.charAt(0).toLowerCase() + name.slice(1), name] as const).concat([
  ["x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields"],
  ["x-kubernetes-validations", "XValidations"]
]))

/** The status is checked by itself, so the root must say nothing about it that would be lost then. */
const checkRoot = (schema: JsonSchema, path: string): Errors => {
  if (schema.type !== "object") {
    const text = "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled"
    return [FieldError.invalid(`${path}.type`, schema.type ?? "", text)]
  }
  const isSet = ([word, value]: readonly [string, unknown]): boolean =>
    value !== undefined && value !== "" && value !== false || word === "additionalProperties" && value === false
  const isForbidden = Object.entries(schema).some((entry) => isSet(entry) && !rootWords.has(entry[0]))
  const text = `only [${[...rootWords.values()].join(" ")}] fields are allowed at the root of the schema if the status subresource is enabled`
  return isForbidden ? [FieldError.invalid(path, schema, text)] : []
}

/** How deep a schema may be: deeper ones only serve to exhaust the server. */
const maximumDepth = 256

const isTooDeep = (schema: JsonSchema, depth: number): boolean =>
  depth > maximumDepth || below(schema, "").some(([one]) => isTooDeep(one, depth + 1))

/** Problems of a schema that stands at `path`. `hasStatus`: the status has a subresource. @category combinators */
export const validate = (schema: JsonSchema, path: string, hasStatus = false): Errors => {
  if (isTooDeep(schema, 0)) return [FieldError.forbidden(path, `the schema is nested deeper than ${maximumDepth} levels`)]
  const nullable = schema.nullable === true ? [FieldError.forbidden(`${path}.nullable`, "nullable cannot be true at the root")] : []
  const structural = StructuralSchema.validate(schema, path)
  const defaults = structural.length > 0 ? [] : checkDefaults(schema, path)
  const errors = [...(hasStatus ? checkRoot(schema, path) : []), ...nullable, ...structural, ...defaults, ...checkAll(schema, path)]
  if (errors.length > 0) return errors
  // A rule can only be compiled for a schema that is right.
  const tree = Rules.compile(schema)
  return tree === undefined ? [] : checkRules(tree, path, undefined)
}
