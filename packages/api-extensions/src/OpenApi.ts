/** The schema of a custom resource as OpenAPI documents publish it. */
import type { Kind } from "@reddwarf/api-types"
import { isArray, isObject, type JsonObject, type JsonSchema } from "./JsonSchema.js"

/** Definition name of the metadata of every object. @category models */
export const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

const reversed = (group: string): string => group.split(".").toReversed().join(".")

/** Definition name of a custom resource: `io.example.v1.Foo` of the group `example.io`. @category constructors */
export const definitionName = ({ group, kind, version }: Pick<Kind.Kind, "group" | "kind" | "version">): string =>
  `${reversed(group)}.${version}.${kind}`

const publish = (value: unknown): unknown => {
  if (isArray(value)) return value.map(publish)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, publish(member)]))
}

const typeDescriptions: JsonObject = {
  apiVersion: { type: "string", description: "Group and version of the schema that this object is written in." },
  kind: { type: "string", description: "Name of the kind of this object." }
}

/** The published schema: what was defined, with the fields that every object has. @category constructors */
export const schemaOf = (
  schema: JsonSchema | undefined,
  { group, kind, version }: Pick<Kind.Kind, "group" | "kind" | "version">
): JsonObject => {
  const published = publish(schema ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true })
  const base = isObject(published) ? published : {}
  const properties = isObject(base["properties"]) ? base["properties"] : {}
  return {
    ...base,
    properties: {
      ...properties,
      ...typeDescriptions,
      metadata: { allOf: [{ $ref: `#/components/schemas/${objectMeta}` }], default: {} }
    },
    "x-kubernetes-group-version-kind": [{ group, kind, version }]
  }
}
