/** What NodeMetrics and PodMetrics have in common: how they are read, described and shown. */
import * as Either from "effect/Either"
import type * as MetaV1 from "../generated/MetaV1.js"
import type { Column, CustomContent } from "../Kind.js"
import type { ResourceUsage } from "../MetricsV1beta1.js"
import * as ObjectCodec from "../ObjectCodec.js"
import * as Quantity from "../Quantity.js"
import * as Status from "../Status.js"

type JsonObject = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value)

/** The group that the kinds belong to. */
export const group = "metrics.k8s.io"
/** Its only version. */
export const version = "v1beta1"

/** Reads amounts by resource; undefined when one of them is no quantity. */
export const usageOf = (json: unknown): ResourceUsage | undefined => {
  if (!isObject(json)) return undefined
  const usage: Record<string, string> = {}
  for (const [resource, amount] of Object.entries(json)) {
    if (typeof amount !== "string" || Either.isLeft(Quantity.parse(amount))) return undefined
    usage[resource] = amount
  }
  return usage
}

/** The head that both kinds share, and the rest as `read` gives it. */
export const decoderOf = (
  kind: string,
  read: (json: JsonObject) => JsonObject | undefined
): CustomContent["decode"] => {
  const refuse = (why: string): Either.Either<never, MetaV1.Status> =>
    Either.left(Status.badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`))
  return (json) => {
    if (!isObject(json)) return refuse("it is no object")
    const { metadata, timestamp, window } = json
    const rest = read(json)
    if (typeof timestamp !== "string" || typeof window !== "string" || rest === undefined) {
      return refuse("timestamp, window or an amount is missing or malformed")
    }
    const decoded = ObjectCodec.decodeMetadata(metadata)
    if (Either.isLeft(decoded)) return refuse(decoded.left)
    return Either.right({
      object: { kind, apiVersion: `${group}/${version}`, metadata: decoded.right.object, timestamp, window, ...rest },
      unknownFields: decoded.right.unknownFields
    })
  }
}

const quantities = {
  type: "object",
  additionalProperties: { type: "string", description: "An amount as a quantity." },
  description: "Amounts by resource, such as cpu in cores and memory in bytes."
}

/** Schema of a `usage` field. */
export const usageSchema: JsonObject = quantities

/** OpenAPI schema of a kind with these further properties. */
export const openApiOf = (kind: string, description: string, properties: JsonObject): JsonObject => ({
  description,
  type: "object",
  required: ["timestamp", "window", ...Object.keys(properties)],
  properties: {
    apiVersion: { type: "string", description: "Group and version of the schema that this object is written in." },
    kind: { type: "string", description: "Name of the kind of this object." },
    metadata: { allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }], default: {} },
    timestamp: { type: "string", format: "date-time", description: "End of the time that was measured over." },
    window: { type: "string", description: "Length of the time that was measured over." },
    ...properties
  },
  "x-kubernetes-group-version-kind": [{ group, kind, version }]
})

/** The columns of both tables. */
export const columns: ReadonlyArray<Column> = [
  { name: "Name", type: "string", format: "name", description: "Name of the resource", priority: 0 },
  { name: "cpu", type: "string", format: "quantity", description: "", priority: 0 },
  { name: "memory", type: "string", format: "quantity", description: "", priority: 0 },
  { name: "Window", type: "string", format: "duration", description: "", priority: 0 }
]

const sum = (usages: ReadonlyArray<ResourceUsage>, resource: string): string =>
  Quantity.toCanonical(usages.map((usage) => Quantity.fromText(usage[resource])).reduce(Quantity.add, Quantity.zero))

/** One row: the usages added up. */
export const cells = (name: string, usages: ReadonlyArray<ResourceUsage>, window: string): ReadonlyArray<string> => [
  name,
  ...["cpu", "memory"].map((resource) => usages.length === 1 ? usages[0]?.[resource] ?? "0" : sum(usages, resource)),
  window
]
