/** The change of an existing object: what a client may change, and what the server keeps. */
import { type Kind, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Admission from "../Admission.js"
import { objectOf, type ResourceRequest } from "./apiContext.js"
import * as commit from "./commit.js"
import { equals, get } from "./jsonValue.js"
import { keyOf } from "./keys.js"

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
  for (const key of ["namespace", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"] as const) {
    if (metadata[key] === undefined) delete metadata[key]
  }
  return { ...next, apiVersion: old.apiVersion, kind: old.kind, metadata: defined(metadata) }
}

// Absent properties must be absent, not undefined: validation and encoding look at keys.
const defined = (metadata: object): KubeObject.KubeObject["metadata"] =>
  Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined))

const countGeneration = (kind: Kind.Kind, next: KubeObject.KubeObject, old: KubeObject.KubeObject): KubeObject.KubeObject =>
  !kind.tracksGeneration || equals(get(next, "spec"), get(old, "spec"))
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
  return keepServerFields(kind.prepareForUpdate(kind.defaults(sent), old), old)
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

/** The stored object, or nothing. */
export const currentOf = ({ context, info, kind }: ResourceRequest, name: string): Current | undefined => {
  const entry = context.cache.get(keyOf(kind, info.namespace, name))
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
  old
})

const writeNext = (
  call: ResourceRequest,
  current: Current,
  next: KubeObject.KubeObject,
  dryRun: boolean
): Effect.Effect<commit.Written, commit.Raced | commit.Refused> => {
  const { context, info, kind } = call
  if (equals(next, current.object)) return Effect.succeed({ bytes: current.bytes, object: current.object })
  if (dryRun) return Effect.succeed(commit.pretend(next))
  const key = keyOf(kind, info.namespace, next.metadata.name ?? "")
  return commit.isReleased(next)
    ? commit.remove(context, kind, key, current.revision, next)
    : commit.update(context, kind, key, current.revision, next)
}

/**
 * Replaces `current` by what a client sent, by all rules of the kind: defaults, fields that only the server writes,
 * admission, validation. A change without an effect writes nothing.
 */
export const apply = (
  call: ResourceRequest,
  current: Current,
  sent: KubeObject.KubeObject,
  dryRun: boolean
): Effect.Effect<commit.Written, commit.Raced | commit.Refused> => {
  const { context, kind, user: _ } = call
  const old = current.object
  const name = old.metadata.name ?? ""
  const stale = precondition(kind, name, sent, old)
  if (stale !== undefined) return Effect.fail(commit.refused(stale))
  const about = attributes(call, name, old, dryRun)
  const combined = combine(kind, call.info.subresource, sent, old)
  return Admission.mutate(context.plugins, combined, about, context.view).pipe(
    Effect.map((mutated) => countGeneration(kind, mutated, old)),
    Effect.tap((next) => Admission.validate(context.plugins, next, about, context.view)),
    Effect.mapError(({ status }) => commit.refused(status)),
    Effect.flatMap((next) => {
      const problems = kind.validateUpdate(next, old)
      return problems.length > 0
        ? Effect.fail(commit.refused(Status.invalid(kind, name, problems)))
        : writeNext(call, current, next, dryRun)
    })
  )
}
