/**
 * Renewals: PUTs that say of a lease what the one before said, but for the time. They are most writes of a quiet cluster, and what
 * such a write leaves follows from what the one before has left: nothing is decoded, filled in, compared field by field or validated
 * again. Who may renew, and what admission says to it, is found out as for every write.
 */
import { JsonText, type KubeObject, Kinds, Status, Timestamp } from "@reddwarf/api-types"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Admission from "../admission/Admission.js"
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import * as ManagedFields from "../fields/ManagedFields.js"
import { bodyFormat } from "../Negotiation.js"
import type { ResourceRequest } from "./apiContext.js"
import * as body from "./body.js"
import * as commit from "./commit.js"
import * as eager from "./eager.js"
import { get, isArray, isObject } from "./jsonValue.js"
import { keyOf } from "./keys.js"

/** What the last renewal of a lease said, and what it left. */
interface Last {
  readonly form: string
  readonly agent: string | undefined
  readonly object: KubeObject.KubeObject
}

/** The last renewals, by the keys of their leases. */
export type Renewals = Map<string, Last>

/** So many leases are known; of more, those that were noted first are forgotten. */
const capacity = 8192

/** No renewals yet. */
export const make = (): Renewals => new Map()

/** A body without what changes from one renewal to the next, and that by itself. */
interface Sent {
  readonly form: string
  readonly resourceVersion: string
  readonly renewTime: string
  /** When its only owner last wrote the lease, if the body repeats the owners of its fields. */
  readonly time: string | undefined
}

const changing = /"(resourceVersion|renewTime|time)":"([^"]*)"/g

/** What `bytes` say; undefined when that cannot be a renewal, or not one of the `expected` form. */
const sentIn = (bytes: Uint8Array, expected?: string): Sent | undefined => {
  const text = Either.getOrUndefined(body.textOf(bytes))
  // Without escapes a name in quotes before a colon is the name of a field, and each value ends at the next quote.
  if (text === undefined || text.includes("\\")) return undefined
  const values = new Map<string, string>()
  let found = 0
  const form = text.replaceAll(changing, (_, name: string, value: string) => {
    found++
    values.set(name, value)
    return `"${name}":""`
  })
  const renewTime = values.get("renewTime")
  const resourceVersion = values.get("resourceVersion")
  if (renewTime === undefined || resourceVersion === undefined || found !== values.size) return undefined
  if (expected !== undefined && form !== expected) return undefined
  // A field of the same name may stand elsewhere, and the one that is meant be written another way.
  const object = Either.getOrUndefined(JsonText.parse(text))
  const metadata = get(object, "metadata")
  const managedFields = get(metadata, "managedFields")
  const time = isArray(managedFields) ? get(managedFields[0], "time") : undefined
  return get(get(object, "spec"), "renewTime") === renewTime && get(metadata, "resourceVersion") === resourceVersion && time === values.get("time")
    ? { form, resourceVersion, renewTime, time: values.get("time") }
    : undefined
}

// The form in which times are kept, so that it is kept as it came.
const isKeptAsSent = (time: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(time) && Timestamp.parse(time) !== undefined

/** The bytes of the body, if they are here and are to become the lease by the usual rules. */
const bytesOf = (call: ResourceRequest): Uint8Array | undefined => {
  const { info, kind, request } = call
  if (kind !== Kinds.lease || info.subresource !== undefined || info.query.size > 0) return undefined
  if (bodyFormat(Request.header(request, "content-type")) !== "json") return undefined
  return eager.hasSucceeded(request.body) ? request.body.value : undefined
}

const agentOf = ({ request }: ResourceRequest): string | undefined => Request.header(request, "user-agent")

/** The one who owns all fields of a lease, the time of its renewal among them. */
const onlyOwner = ({ metadata: { managedFields } }: KubeObject.KubeObject) => {
  const [only, ...others] = managedFields ?? []
  if (only === undefined || others.length > 0 || only.operation !== "Update" || only.subresource !== undefined) return undefined
  return get(get(only.fieldsV1, "f:spec"), "f:renewTime") === undefined ? undefined : only
}

/** Notes what a PUT has left, so that the next one may be found to be a renewal. `sent` is what it was decoded to. */
export const note = (call: ResourceRequest, sent: KubeObject.KubeObject, { object }: commit.Written): void => {
  const bytes = bytesOf(call)
  if (bytes === undefined) return
  const { renewals } = call.context
  const key = keyOf(call.kind, call.info.namespace, object.metadata.name ?? "")
  renewals.delete(key)
  const read = sentIn(bytes)
  const { managedFields } = sent.metadata
  if (read === undefined || onlyOwner(object) === undefined || object.metadata.deletionTimestamp !== undefined) return
  if (get(get(object, "spec"), "renewTime") !== read.renewTime) return
  // Owners that a body brings along count instead of those that are known.
  if (managedFields !== undefined && !ManagedFields.equalsExceptTimes(managedFields, object.metadata.managedFields)) return
  renewals.set(key, { form: read.form, agent: agentOf(call), object })
  if (renewals.size <= capacity) return
  for (const oldest of renewals.keys()) {
    renewals.delete(oldest)
    return
  }
}

/** The lease as a renewal leaves it, in the order in which it stands: its only owner has written again a field that it owns. */
const renewed = (object: KubeObject.KubeObject, renewTime: string, time: string): KubeObject.KubeObject => {
  const spec = get(object, "spec")
  const next = {
    ...object,
    metadata: { ...object.metadata, managedFields: (object.metadata.managedFields ?? []).map((entry) => ({ ...entry, time })) },
    spec: { ...(isObject(spec) ? spec : undefined), renewTime }
  }
  return next
}

/** Answers a PUT of a lease if it is a renewal; undefined: it has to go the whole way. Call it when the request is to be answered. */
export const renew = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> | undefined => {
  const bytes = bytesOf(call)
  if (bytes === undefined) return undefined
  const { context, info, kind, user } = call
  const key = keyOf(kind, info.namespace, name)
  const last = context.renewals.get(key)
  if (last === undefined || last.agent !== agentOf(call)) return undefined
  const old = last.object
  const { resourceVersion } = old.metadata
  const revision = context.cache.get(key)?.revision
  if (revision === undefined || String(revision) !== resourceVersion) return undefined
  const sent = sentIn(bytes, last.form)
  if (sent === undefined) return undefined
  if (sent.resourceVersion !== resourceVersion || (sent.time !== undefined && sent.time !== onlyOwner(old)?.time)) return undefined
  if (!isKeptAsSent(sent.renewTime) || sent.renewTime === get(get(old, "spec"), "renewTime")) return undefined
  const next = renewed(old, sent.renewTime, Timestamp.secondsFromMillis(context.now()))
  const about: Admission.Attributes = {
    operation: "UPDATE",
    kind,
    subresource: undefined,
    namespace: info.namespace,
    name,
    user,
    dryRun: false,
    old,
    onSettled: call.onSettled,
    warn: call.warn
  }
  const { plugins, view } = context
  const mutated = Admission.mutate(plugins, next, about, view)
  if (!eager.hasSucceeded(mutated) || mutated.value !== next) return undefined
  const checked = eager.flatMap(Admission.validate(plugins, next, about, view), () => Admission.review(plugins, next, about, view))
  const written = eager.flatMap(eager.mapError(checked, ({ status }) => commit.refused(status)), () =>
    commit.update(context, kind, key, revision, next))
  return eager.map(commit.retrying(context, 1, written, () => Status.conflict(kind, name)), (result) => {
    context.renewals.set(key, { ...last, object: result.object })
    return commit.respond(call, 200, result, [])
  })
}
