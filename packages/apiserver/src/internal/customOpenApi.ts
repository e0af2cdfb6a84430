/** Definitions of custom resources in OpenAPI documents. */
import type { Kind } from "@reddwarf/api-types"
import { get, isArray, isObject, type JsonObject } from "./jsonValue.js"

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
const listMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"

/** What the definitions of custom resources refer to. */
export const referred: ReadonlyArray<string> = [objectMeta, listMeta]

const reference = (definition: string) => ({ $ref: `#/components/schemas/${definition}` })

/** The definitions of a custom kind: its own and that of its list. */
export const definitionsOf = (kind: Kind.Kind, custom: Kind.CustomContent): ReadonlyArray<readonly [string, JsonObject]> => [
  [kind.schema, custom.openApi],
  [`${kind.schema}List`, {
    description: `${kind.listKind} is a list of ${kind.kind}`,
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { type: "string", description: "Group and version of the schema that this list is written in." },
      items: { type: "array", description: `The objects of kind ${kind.kind}.`, items: { allOf: [reference(kind.schema)], default: {} } },
      kind: { type: "string", description: "Name of the kind of this list." },
      metadata: { allOf: [reference(listMeta)], default: {}, description: "Standard metadata of a list." }
    },
    "x-kubernetes-group-version-kind": [{ group: kind.group, kind: kind.listKind, version: kind.version }]
  }]
]

const mapValues = (value: unknown, change: (member: JsonObject) => JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(isObject(value) ? value : {}).map(([key, member]) => [key, isObject(member) ? change(member) : {}]))

const dropped = new Set(["allOf", "anyOf", "oneOf", "not", "nullable", "x-kubernetes-validations"])

/**
 * A custom schema as version 2 of OpenAPI can say it. What that version cannot say is left open, so that old clients do not refuse
 * what the server would accept.
 */
export const withoutAlternatives = (schema: JsonObject): JsonObject => {
  const { allOf } = schema
  const [only] = isArray(allOf) ? allOf : []
  // A reference with siblings.
  if (get(only, "$ref") !== undefined) return schema
  const { items, properties, additionalProperties, type, ...rest } = Object.fromEntries(Object.entries(schema).filter(([key]) => !dropped.has(key)))
  const described = rest["description"] === undefined ? {} : { description: rest["description"] }
  if (schema["nullable"] === true) return described
  if (schema["x-kubernetes-int-or-string"] === true) return { ...described, "x-kubernetes-int-or-string": true }
  const typed = type === undefined ? rest : { ...rest, type }
  if (schema["x-kubernetes-preserve-unknown-fields"] === true && schema["x-kubernetes-group-version-kind"] === undefined) return typed
  return {
    ...typed,
    ...(isObject(items) ? { items: withoutAlternatives(items) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: withoutAlternatives(additionalProperties) } : {}),
    ...(properties === undefined ? {} : { properties: mapValues(properties, withoutAlternatives) })
  }
}
