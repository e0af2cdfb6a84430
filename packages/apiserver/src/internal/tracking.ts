/** Field ownership for the writes of a request. */
import { Kind, type KubeObject } from "@reddwarf/api-types"
import * as Request from "../ApiRequest.js"
import * as FieldManager from "../fields/FieldManager.js"
import * as TableSchema from "../fields/TableSchema.js"
import * as Writer from "../fields/Writer.js"
import type { ResourceRequest } from "./apiContext.js"

/** The entries of an object. */
export type Entries = KubeObject.KubeObject["metadata"]["managedFields"]

/** Who writes by a request. */
export const writerOf = ({ context, info, kind, request }: ResourceRequest): Writer.Writer => ({
  manager: info.query.get("fieldManager") || Writer.fromUserAgent(Request.header(request, "user-agent") ?? ""),
  apiVersion: Kind.apiVersion(kind),
  subresource: info.subresource,
  hasStatus: kind.subresources.some(({ name }) => name === "status"),
  now: context.now()
})

/** The object with these entries instead of its own. */
export const withEntries = (object: KubeObject.KubeObject, managedFields: Entries): KubeObject.KubeObject => {
  if (managedFields === object.metadata.managedFields) return object
  // A copy without one of many properties costs the engine several times what a whole one does.
  if (managedFields !== undefined) return { ...object, metadata: { ...object.metadata, managedFields } }
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** The entries of a new object. `sent` is what the client sent, which may bring entries along. */
export const ofCreate = (call: ResourceRequest, object: KubeObject.KubeObject, sent: KubeObject.KubeObject): Entries =>
  FieldManager.afterCreate(TableSchema.ofKind(call.kind), withEntries(object, sent.metadata.managedFields), writerOf(call))

/** The entries of an object after an update that is no apply. */
export const ofUpdate = (call: ResourceRequest, old: KubeObject.KubeObject, sent: KubeObject.KubeObject): Entries =>
  FieldManager.afterUpdate(TableSchema.ofKind(call.kind), old, sent, writerOf(call))
