/**
 * The annotation in which kubectl keeps what it applied when it merged by itself, for the change over to server-side apply: what
 * the annotation says is no conflict for kubectl, and applying keeps the annotation up to date.
 */
import type { KubeObject } from "@reddwarf/api-types"
import { get, isObject } from "../internal/jsonValue.js"
import * as AppliedFields from "./AppliedFields.js"
import * as Comparison from "./Comparison.js"
import * as FieldSet from "./FieldSet.js"
import type { Ownership } from "./ManagedFields.js"
import type * as TypedSchema from "./TypedSchema.js"
import type { Writer } from "./Writer.js"

/** @category models */
export const annotation = "kubectl.kubernetes.io/last-applied-configuration"

// Only kubectl by its own name takes part; any other name opts out.
const kubectl = "kubectl"

const annotationOf = (object: unknown): string => {
  const value = get(get(get(object, "metadata"), "annotations"), annotation)
  return typeof value === "string" ? value : ""
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The fields that kubectl applied last and that still are as it applied them. */
const allowed = (schema: TypedSchema.KindSchema, live: KubeObject.KubeObject, apiVersion: string): FieldSet.FieldSet => {
  const applied = parsed(annotationOf(live))
  if (!isObject(applied) || applied["apiVersion"] !== apiVersion) return FieldSet.empty
  if (AppliedFields.problemOf(schema.root, applied) !== undefined) return FieldSet.empty
  const { changed, removed } = Comparison.compare(schema.root, applied, live)
  const fields = AppliedFields.ofConfiguration(schema.root, applied)
  return FieldSet.difference(FieldSet.difference(fields, changed), removed)
}

/** The conflicts of an apply without those that the annotation resolves. @category combinators */
export const withoutAllowed = (
  schema: TypedSchema.KindSchema,
  live: KubeObject.KubeObject | undefined,
  writer: Writer,
  conflicts: ReadonlyArray<Ownership>
): ReadonlyArray<Ownership> => {
  if (writer.manager !== kubectl || live === undefined) return conflicts
  const fields = allowed(schema, live, writer.apiVersion)
  if (FieldSet.isEmpty(fields)) return conflicts
  return conflicts.flatMap((conflict) => {
    const left = FieldSet.difference(conflict.fields, fields)
    return FieldSet.isEmpty(left) ? [] : [{ ...conflict, fields: left }]
  })
}

const sortedKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortedKeys(value[key])]))
}

const textOf = (configuration: unknown): string => {
  const metadata = get(configuration, "metadata")
  const annotations = get(metadata, "annotations")
  if (!isObject(configuration) || !isObject(metadata) || !isObject(annotations)) return JSON.stringify(sortedKeys(configuration))
  const { [annotation]: _, ...rest } = annotations
  return JSON.stringify(sortedKeys({ ...configuration, metadata: { ...metadata, annotations: rest } }))
}

/** The merged object with its annotation brought up to date, when it has one and kubectl applies. @category combinators */
export const updated = (object: unknown, configuration: unknown, { manager }: Writer): unknown => {
  const metadata = get(object, "metadata")
  if (manager !== kubectl || annotationOf(object) === "" || !isObject(object) || !isObject(metadata)) return object
  const annotations = get(metadata, "annotations")
  const text = `${textOf(configuration)}\n`
  return { ...object, metadata: { ...metadata, annotations: { ...(isObject(annotations) ? annotations : {}), [annotation]: text } } }
}
