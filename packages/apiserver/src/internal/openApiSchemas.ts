/** JSON schemas of API types, from the field tables. */
import { type Kind, Schema } from "@reddwarf/api-types"
import * as customOpenApi from "./customOpenApi.js"
import * as descriptions from "./descriptions.js"

/** A JSON schema, as data. */
export type JsonSchema = Readonly<Record<string, unknown>>

const time = "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
const microTime = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
const duration = "io.k8s.apimachinery.pkg.apis.meta.v1.Duration"
const quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity"
const intOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
const raw = "io.k8s.apimachinery.pkg.runtime.RawExtension"
const patch = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"

/** Definition of the body of a PATCH. */
export const patchDefinition = patch

/** Types that are written as text or a number although they have a name. */
const named: Readonly<Record<string, JsonSchema>> = {
  [time]: { type: "string", format: "date-time" },
  [microTime]: { type: "string", format: "date-time" },
  [duration]: { type: "string" },
  [quantity]: { oneOf: [{ type: "string" }, { type: "number" }] },
  [intOrString]: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  [raw]: { type: "object" },
  [patch]: { type: "object" }
}

const namedByType: Readonly<Record<string, string>> = {
  time,
  microTime,
  duration,
  quantity,
  intOrString,
  raw
}

const scalars: Readonly<Record<string, JsonSchema>> = {
  string: { type: "string" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" },
  bool: { type: "boolean" },
  bytes: { type: "string", format: "byte" }
}

/** Definition name of a type that has one. */
export const definitionOf = (type: string): string | undefined =>
  namedByType[type] ?? (Schema.tables[type] === undefined ? undefined : type)

/** A reference to a definition. */
export const reference = (definition: string): JsonSchema => ({ $ref: `#/components/schemas/${definition}` })

const typeSchema = (type: string): JsonSchema => {
  if (type.startsWith("[]")) return { type: "array", items: typeSchema(type.slice(2)) }
  if (type.startsWith("{}")) return { type: "object", additionalProperties: typeSchema(type.slice(2)) }
  const definition = definitionOf(type)
  return definition === undefined ? scalars[type] ?? { type: "object" } : reference(definition)
}

const extensionsOf = (field: Schema.Field): JsonSchema => ({
  ...(field.patch === undefined ? {} : { "x-kubernetes-patch-strategy": field.patch }),
  ...(field.mergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": field.mergeKey }),
  ...(field.listType === undefined ? {} : { "x-kubernetes-list-type": field.listType }),
  ...(field.listKeys === undefined ? {} : { "x-kubernetes-list-map-keys": field.listKeys }),
  ...(field.mapType === undefined ? {} : { "x-kubernetes-map-type": field.mapType })
})

const described = (description: string | undefined): JsonSchema => description === undefined ? {} : { description }

const fieldSchema = (field: Schema.Field, description: string | undefined): JsonSchema => {
  const schema = typeSchema(field.type)
  const enumeration = field.enum === undefined ? undefined : Schema.enums[field.enum]
  const extensions = {
    ...described(description),
    ...extensionsOf(field),
    ...(enumeration === undefined ? {} : { enum: enumeration })
  }
  if (Object.keys(extensions).length === 0) return schema
  // A reference may not have siblings.
  return "$ref" in schema ? { allOf: [schema], ...extensions } : { ...schema, ...extensions }
}

/** Its fields hold any JSON value, or one of several forms, which no schema of version 2 can say. */
const openFields = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
const openTypes = new Set(["raw", "schemaOrArray", "schemaOrBool", "schemaOrStrings"])

const isOpen = (definition: string, { type }: Schema.Field): boolean =>
  definition === openFields && openTypes.has(type.replace(/^(\[\]|\{\})/, ""))

const openSchema = ({ type }: Schema.Field, description: string | undefined): JsonSchema => ({
  ...described(description),
  ...(type.startsWith("[]") ? { type: "array", items: {} } : type.startsWith("{}") ? { type: "object", additionalProperties: {} } : {})
})

const messageSchema = (definition: string): JsonSchema => {
  const fields = [...Schema.fieldsOf(definition)]
  const required = fields.filter(([, field]) => field.required === true).map(([name]) => name)
  const mapType = Schema.tables[definition]?.mapType
  return {
    ...described(descriptions.ofType(definition)),
    type: "object",
    properties: Object.fromEntries(
      fields.map(([name, field]) => {
        const description = descriptions.ofField(definition, name)
        return [name, isOpen(definition, field) ? openSchema(field, description) : fieldSchema(field, description)]
      })
    ),
    ...(required.length === 0 ? {} : { required }),
    ...(mapType === undefined ? {} : { "x-kubernetes-map-type": mapType })
  }
}

/** Definition names that a definition refers to. */
const referred = (definition: string): ReadonlyArray<string> =>
  [...Schema.fieldsOf(definition).values()].flatMap((field) => {
    const name = definitionOf(Schema.itemType(field))
    return name === undefined ? [] : [name]
  })

const groupVersionKind = (kind: Kind.Kind, name: string) => [{ group: kind.group, kind: name, version: kind.version }]

/** Definition name of the list of a kind. */
export const listDefinition = (kind: Kind.Kind): string => `${kind.schema}List`

/** All definitions that these kinds and the given further roots need, in the order of their names. */
export const definitions = (
  kinds: ReadonlyArray<Kind.Kind>,
  roots: ReadonlyArray<string>
): Readonly<Record<string, JsonSchema>> => {
  const found = new Set<string>()
  const custom = kinds.flatMap((kind) => kind.custom === undefined ? [] : customOpenApi.definitionsOf(kind, kind.custom))
  const pending = [
    ...roots,
    ...(custom.length === 0 ? [] : customOpenApi.referred),
    ...kinds.flatMap((kind) => kind.custom === undefined ? [kind.schema, listDefinition(kind)] : [])
  ]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (found.has(name) || named[name] === undefined && Schema.tables[name] === undefined) continue
    found.add(name)
    pending.push(...referred(name))
  }
  const kindOf = new Map(
    kinds.flatMap((kind) => [
      [kind.schema, groupVersionKind(kind, kind.kind)] as const,
      [listDefinition(kind), groupVersionKind(kind, kind.listKind)] as const
    ])
  )
  const builtIn = [...found].sort().map((name): readonly [string, JsonSchema] => {
    const gvk = kindOf.get(name)
    const schema = named[name] ?? messageSchema(name)
    return [name, gvk === undefined ? schema : { ...schema, "x-kubernetes-group-version-kind": gvk }]
  })
  return Object.fromEntries([...custom, ...builtIn])
}
