/** Tables and metadata-only forms of objects. */
import { type Kind, type KubeObject, Tables } from "@reddwarf/api-types"
import type { Accepted } from "../Negotiation.js"

/** What a table row carries of its object. */
export type Include = "None" | "Metadata" | "Object"

/** Reads `includeObject`; anything unknown is the default. */
export const includeOf = (query: URLSearchParams): Include => {
  const text = query.size === 0 ? null : query.get("includeObject")
  return text === "None" || text === "Object" ? text : "Metadata"
}

/** Only the metadata of an object. */
export const partial = (
  object: KubeObject.KubeObject,
  metaVersion: Accepted["metaVersion"]
): KubeObject.KubeObject => ({
  kind: "PartialObjectMetadata",
  apiVersion: `meta.k8s.io/${metaVersion}`,
  metadata: object.metadata
})

/** One row of a table. */
export const row = (
  kind: Kind.Kind,
  object: KubeObject.KubeObject,
  now: number,
  include: Include,
  metaVersion: Accepted["metaVersion"]
) => {
  const { cells, conditions } = Tables.row(kind, object, now)
  const shown = include === "Object" ? object : include === "None" ? null : partial(object, metaVersion)
  return conditions.length === 0 ? { cells, object: shown } : { cells, conditions, object: shown }
}

const columns = new WeakMap<Kind.Kind, ReadonlyArray<Tables.ColumnDefinition>>()

/** The column definitions of a kind. */
const columnsOf = (kind: Kind.Kind): ReadonlyArray<Tables.ColumnDefinition> => {
  const known = columns.get(kind)
  if (known !== undefined) return known
  const made = Tables.columnDefinitions(kind)
  columns.set(kind, made)
  return made
}

/** A table with these rows; without columns when a watcher has been given them before. */
export const table = (
  kind: Kind.Kind,
  metadata: object,
  rows: ReadonlyArray<unknown>,
  metaVersion: Accepted["metaVersion"],
  withColumns = true
) => ({
  kind: "Table",
  apiVersion: `meta.k8s.io/${metaVersion}`,
  metadata,
  columnDefinitions: withColumns ? columnsOf(kind) : null,
  rows
})
