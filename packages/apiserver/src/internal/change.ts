/** The change of an existing object: what a client may change, and what the server keeps. */
import { type ApiError, type Kind, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Admission from "../admission/Admission.js"
import * as ManagedFields from "../fields/ManagedFields.js"
import { objectOf, type ResourceRequest } from "./apiContext.js"
import * as commit from "./commit.js"
import * as eager from "./eager.js"
import { equals, equalsExcept, get, type JsonObject, sharesExcept, sharing } from "./jsonValue.js"
import { keyOf } from "./keys.js"
import { originOf } from "./origin.js"
import * as tracking from "./tracking.js"

/** The stored object that a change starts from. */
export interface Current {
  readonly object: KubeObject.KubeObject
  readonly revision: number
  readonly bytes: Uint8Array
}

/** Metadata that only the server writes. */
const keepServerFields = (next: KubeObject.KubeObject, old: KubeObject.KubeObject): KubeObject.KubeObject => {
  const { managedFields: _, selfLink: __, ...given } = next.metadata
  const { creationTimestamp, deletionGracePeriodSeconds, deletionTimestamp, generation, name, namespace, resourceVersion, uid } =
    old.metadata
  const metadata = {
    ...given,
    name,
    namespace,
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds
  }
  return { ...next, apiVersion: old.apiVersion, kind: old.kind, metadata: defined(metadata) }
}

// Absent properties must be absent, not undefined: validation and encoding look at keys.
const defined = (metadata: JsonObject): KubeObject.KubeObject["metadata"] => {
  const kept: Record<string, unknown> = {}
  for (const key in metadata) if (metadata[key] !== undefined) kept[key] = metadata[key]
  return kept
}

/**
 * Whether a change leaves all that defaults depend on as it is stored, so that they need not be filled in again. They look at the content
 * and at names and labels, never at the rest of the metadata. What a patch does not touch is the very same.
 */
const isDefaulted = (sent: KubeObject.KubeObject, old: KubeObject.KubeObject): boolean =>
  sharesExcept("metadata", sent, old) && sent.metadata.labels === old.metadata.labels

const counted = (kind: Kind.Kind, object: KubeObject.KubeObject): unknown =>
  kind.generationContent === undefined ? get(object, "spec") : kind.generationContent(object)

const countGeneration = (kind: Kind.Kind, next: KubeObject.KubeObject, old: KubeObject.KubeObject): KubeObject.KubeObject =>
  !kind.tracksGeneration || equals(counted(kind, next), counted(kind, old))
    ? next
    : { ...next, metadata: { ...next.metadata, generation: (old.metadata.generation ?? 0) + 1 } }

/** How a kind combines what a client sent with what is stored, for the main resource and for `status`. */
const combine = (
  kind: Kind.Kind,
  subresource: string | undefined,
  sent: KubeObject.KubeObject,
  old: KubeObject.KubeObject
): KubeObject.KubeObject => {
  if (subresource === "status") {
    return keepServerFields(kind.prepareForStatusUpdate(sent, old), old)
  }
  const other = subresource === undefined ? undefined : kind.subresourceUpdates?.[subresource]
  if (other !== undefined) return keepServerFields(other.prepare(sent, old), old)
  return keepServerFields(kind.prepareForUpdate(sent, old), old)
}

const precondition = (kind: Kind.Kind, name: string, sent: KubeObject.KubeObject, old: KubeObject.KubeObject) => {
  const { uid } = sent.metadata
  return uid === undefined || uid === "" || uid === old.metadata.uid
    ? undefined
    : Status.conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid ?? ""}`
    )
}

/** The stored object that is going to be changed, or nothing. */
export const currentOf = ({ context, info, kind }: ResourceRequest, name: string): Current | undefined => {
  const entry = context.cache.get(keyOf(kind, info.namespace, name))
  entry?.remember?.()
  return entry === undefined
    ? undefined
    : { object: objectOf(entry), revision: entry.revision, bytes: entry.bytes }
}

const attributes = (
  call: ResourceRequest,
  name: string,
  old: KubeObject.KubeObject,
  dryRun: boolean
): Admission.Attributes => ({
  operation: "UPDATE",
  kind: call.kind,
  subresource: call.info.subresource,
  namespace: call.info.namespace,
  name,
  user: call.user,
  dryRun,
  old,
  onSettled: call.onSettled,
  warn: call.warn
})

// That a manager says again what it said before is no change, so it leaves no new time.
const isSame = (next: KubeObject.KubeObject, old: KubeObject.KubeObject): boolean => {
  if (!equalsExcept("metadata", next, old)) return false
  if (!equalsExcept("managedFields", next.metadata, old.metadata)) return false
  return ManagedFields.equalsExceptTimes(next.metadata.managedFields, old.metadata.managedFields)
}

const writeNext = (
  call: ResourceRequest,
  current: Current,
  next: KubeObject.KubeObject,
  dryRun: boolean
): Effect.Effect<commit.Written, commit.Raced | commit.Refused> => {
  const { context, info, kind } = call
  if (isSame(next, current.object)) return Effect.succeed({ bytes: current.bytes, object: current.object })
  if (dryRun) return Effect.succeed(commit.pretend(next))
  const key = keyOf(kind, info.namespace, next.metadata.name ?? "")
  return commit.isReleased(next)
    ? commit.remove(context, kind, key, current.revision, next, originOf(call, next))
    : commit.update(context, kind, key, current.revision, next, originOf(call, next))
}

/**
 * Replaces `current` by what a client sent, by all rules of the kind: defaults, fields that only the server writes,
 * admission, validation. A change without an effect writes nothing.
 *
 * @param applied The owners of the fields when the change is an apply; any other change is recorded as an update.
 */
export const apply = (
  call: ResourceRequest,
  current: Current,
  sent: KubeObject.KubeObject,
  dryRun: boolean,
  applied?: { readonly managedFields: tracking.Entries }
): Effect.Effect<commit.Written, commit.Raced | commit.Refused> => {
  const { context, kind } = call
  const old = current.object
  const name = old.metadata.name ?? ""
  const stale = precondition(kind, name, sent, old)
  if (stale !== undefined) return Effect.fail(commit.refused(stale))
  const about = attributes(call, name, old, dryRun)
  const isStatus = call.info.subresource === "status"
  const filled = isStatus ? sent : sharing(isDefaulted(sent, old) ? sent : kind.defaults(sent), old)
  const managedFields = applied === undefined ? tracking.ofUpdate(call, old, filled) : applied.managedFields
  const kept = combine(kind, call.info.subresource, filled, old)
  const combined = tracking.withEntries(isStatus ? sharing(kept, old) : kept, managedFields)
  const checked = eager.flatMap(Admission.mutate(context.plugins, combined, about, context.view), (mutated) => {
    // Whatever a status write may change is no change of what is asked for.
    const next = isStatus ? mutated : countGeneration(kind, mutated, old)
    return eager.map(Admission.validate(context.plugins, next, about, context.view), () => next)
  })
  const refused = ({ status }: ApiError.ApiError) => commit.refused(status)
  return eager.flatMap(eager.mapError(checked, refused), (next) => {
    const rules = kind.subresourceUpdates?.[call.info.subresource ?? ""]
    const problems = rules === undefined ? kind.validateUpdate(next, old) : rules.validate(next, old)
    if (problems.length > 0) return Effect.fail(commit.refused(Status.invalid(kind, name, problems)))
    const reviewed = Admission.review(context.plugins, next, about, context.view)
    return eager.flatMap(eager.mapError(reviewed, refused), () => writeNext(call, current, next, dryRun))
  })
}
