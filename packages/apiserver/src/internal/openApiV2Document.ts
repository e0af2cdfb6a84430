/** The OpenAPI v2 (Swagger) form of the v3 documents, for clients that know only that. */
import { withoutAlternatives } from "./customOpenApi.js"
import { get, isArray, isObject, type JsonObject } from "./jsonValue.js"

/** v2 has no alternatives: types that are text or a number are text there. */
const alternatives = (schema: JsonObject): JsonObject => {
  const { oneOf: _, ...rest } = schema
  return { ...rest, type: "string" }
}

const refOf = (text: unknown): string => String(text).replace("#/components/schemas/", "#/definitions/")

const mapValues = (object: unknown, change: (value: JsonObject) => JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(isObject(object) ? object : {}).map(([key, value]) => [key, isObject(value) ? change(value) : {}])
  )

/** A schema in the words of v2. References may have siblings there. */
export const schemaOf = (schema: JsonObject): JsonObject => {
  if (schema["oneOf"] !== undefined) return alternatives(schema)
  const { $ref, additionalProperties, allOf, enum: _, items, properties, ...rest } = schema
  const only: unknown = isArray(allOf) ? allOf[0] : undefined
  return {
    ...rest,
    ...(only === undefined ? {} : { $ref: refOf(get(only, "$ref")) }),
    ...($ref === undefined ? {} : { $ref: refOf($ref) }),
    ...(isObject(items) ? { items: schemaOf(items) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: schemaOf(additionalProperties) } : {}),
    ...(properties === undefined ? {} : { properties: mapValues(properties, schemaOf) })
  }
}

const firstSchema = (content: unknown): JsonObject | undefined => {
  const [media] = Object.values(isObject(content) ? content : {})
  const schema = get(media, "schema")
  return isObject(schema) ? schemaOf(schema) : undefined
}

const parameterOf = (parameter: unknown): JsonObject => {
  if (!isObject(parameter)) return {}
  const { schema, ...rest } = parameter
  return { ...rest, ...(isObject(schema) ? schema : {}) }
}

const parametersOf = (parameters: unknown): ReadonlyArray<JsonObject> => isArray(parameters) ? parameters.map(parameterOf) : []

const responseOf = (response: JsonObject): JsonObject => {
  const schema = firstSchema(response["content"])
  return { description: response["description"], ...(schema === undefined ? {} : { schema }) }
}

const operationOf = (operation: JsonObject): JsonObject => {
  const { parameters, requestBody, responses, ...rest } = operation
  const schema = firstSchema(get(requestBody, "content"))
  const required = get(requestBody, "required") === true
  const body = schema === undefined ? [] : [{ name: "body", in: "body", ...(required ? { required } : {}), schema }]
  return {
    ...rest,
    ...(schema === undefined ? {} : { consumes: Object.keys(get(requestBody, "content") ?? {}) }),
    produces: ["application/json", "application/yaml"],
    parameters: [...body, ...parametersOf(parameters)],
    responses: mapValues(responses, responseOf)
  }
}

const methods = new Set(["get", "put", "post", "delete", "patch"])

const pathItemOf = (item: JsonObject): JsonObject => ({
  ...Object.fromEntries(
    Object.entries(item).filter(([key]) => methods.has(key)).map(([key, value]) => [key, isObject(value) ? operationOf(value) : {}])
  ),
  parameters: parametersOf(item["parameters"])
})

// Only a schema that belongs to a whole type and has fields of its own can hold alternatives besides them.
const definitionOf = (schema: JsonObject): JsonObject =>
  schemaOf(schema["oneOf"] !== undefined && schema["properties"] === undefined ? schema : withoutAlternatives(schema))

/** The part of a v2 document that one v3 document stands for. */
export interface Fragment {
  readonly paths: JsonObject
  readonly definitions: JsonObject
}

/** The part for one v3 document. */
export const fragmentOf = (document: object): Fragment => ({
  paths: mapValues(get(document, "paths"), pathItemOf),
  definitions: mapValues(get(get(document, "components"), "schemas"), definitionOf)
})

/** One v2 document from all parts. */
export const make = (info: object, fragments: ReadonlyArray<Fragment>): JsonObject => ({
  swagger: "2.0",
  info,
  paths: Object.assign({}, ...fragments.map(({ paths }) => paths)),
  definitions: Object.assign({}, ...fragments.map(({ definitions }) => definitions))
})
