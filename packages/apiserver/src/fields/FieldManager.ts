/**
 * Keeps track of who owns which fields of an object, and applies configurations by that.
 *
 * A write that is no apply records the fields that it changed under its manager, and takes them from everybody else. An apply
 * owns the fields of its configuration, may only change those that nobody else owns, and removes those that it had applied
 * before and gives up now.
 */
import { type KubeObject, type Status, Timestamp } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { equals, get, isObject, type JsonObject } from "../internal/jsonValue.js"
import * as AppliedFields from "./AppliedFields.js"
import * as Comparison from "./Comparison.js"
import * as CreatedFields from "./CreatedFields.js"
import * as FieldConflict from "./FieldConflict.js"
import * as FieldSet from "./FieldSet.js"
import * as LastApplied from "./LastApplied.js"
import * as ManagedFields from "./ManagedFields.js"
import * as Merge from "./Merge.js"
import * as Pruning from "./Pruning.js"
import type * as TypedSchema from "./TypedSchema.js"
import type { Writer } from "./Writer.js"

type Entries = KubeObject.KubeObject["metadata"]["managedFields"]

const leaf = FieldSet.empty

// Fields that belong to the server, or name the object.
const untracked: FieldSet.FieldSet = {
  "f:apiVersion": leaf,
  "f:kind": leaf,
  "f:metadata": {
    ".": leaf,
    "f:name": leaf,
    "f:namespace": leaf,
    "f:creationTimestamp": leaf,
    "f:selfLink": leaf,
    "f:uid": leaf,
    "f:clusterName": leaf,
    "f:generation": leaf,
    "f:managedFields": leaf,
    "f:resourceVersion": leaf
  }
}

const status: FieldSet.FieldSet = { "f:status": leaf }

/** Leaves out what the endpoint does not write. */
const writable = (set: FieldSet.FieldSet, { hasStatus, subresource }: Writer): FieldSet.FieldSet => {
  if (subresource !== "status") return hasStatus ? FieldSet.without(set, status) : set
  const kept: FieldSet.Builder = {}
  for (const element of ["f:metadata", "f:status"]) {
    const node = set[element]
    if (node !== undefined) kept[element] = node
  }
  return kept
}

const managerOf = (writer: Writer, operation: ManagedFields.Manager["operation"]): ManagedFields.Manager => ({
  name: writer.manager === "" ? "unknown" : writer.manager,
  operation,
  apiVersion: writer.apiVersion,
  subresource: writer.subresource ?? ""
})

const timeOf = ({ now }: Writer): string => Timestamp.secondsFromMillis(now)

const tracked = (set: FieldSet.FieldSet): FieldSet.FieldSet => FieldSet.sorted(FieldSet.difference(set, untracked))

/** What remains to each owner after a write that took `changed` and removed `removed`; owners of nothing go. */
const takeFrom = (
  owners: ManagedFields.Owners,
  { changed, removed }: Comparison.Comparison,
  except: string | undefined
): Map<string, ManagedFields.Ownership> => {
  const result = new Map<string, ManagedFields.Ownership>()
  for (const [key, ownership] of owners) {
    const fields = key === except
      ? ownership.fields
      : FieldSet.difference(FieldSet.difference(ownership.fields, changed), removed)
    if (!FieldSet.isEmpty(fields)) result.set(key, fields === ownership.fields ? ownership : { ...ownership, fields })
  }
  return result
}

/**
 * What the writer itself keeps of its fields beside those that it takes: all but what is gone, and what of the change nobody owns. What it
 * takes anew stays in it, so that a set that does not change need not be taken apart and joined again.
 */
const keptByWriter = (fields: FieldSet.FieldSet, { changed, removed }: Comparison.Comparison): FieldSet.FieldSet => {
  const ownedByNobody = changed["f:metadata"] ?? changed["f:kind"] ?? changed["f:apiVersion"]
  const kept = ownedByNobody === undefined ? fields : FieldSet.difference(fields, FieldSet.intersection(untracked, changed))
  return FieldSet.difference(kept, removed)
}

/** What a write of the status can change: the rest need not be compared. */
const reported = (object: unknown): JsonObject => {
  const parts: Record<string, unknown> = {}
  for (const name of ["metadata", "status"]) {
    const part = get(object, name)
    if (part !== undefined) parts[name] = part
  }
  return parts
}

const afterChange = (
  schema: TypedSchema.KindSchema,
  old: unknown,
  next: unknown,
  owners: ManagedFields.Owners,
  writer: Writer
): ManagedFields.Owners => {
  const compared = writer.subresource === "status"
    ? Comparison.compare(schema.root, reported(old), reported(next))
    : Comparison.compare(schema.root, old, next)
  const changed = writable(compared.changed, writer)
  const removed = writable(compared.removed, writer)
  if (FieldSet.isEmpty(changed) && FieldSet.isEmpty(removed)) return owners
  const manager = managerOf(writer, "Update")
  const key = ManagedFields.keyOf(manager)
  const result = takeFrom(owners, { changed, removed }, key)
  const before = owners.get(key)
  const own = keptByWriter(before?.fields ?? FieldSet.empty, { changed, removed })
  const taken = FieldSet.difference(changed, untracked)
  const all = FieldSet.union(own, taken)
  // Whoever writes again what it owns already, as most do, keeps the very same set, which is in order.
  const fields = all === before?.fields ? all : FieldSet.sorted(all)
  if (FieldSet.isEmpty(fields)) result.delete(key)
  else if (!FieldSet.isEmpty(taken)) result.set(key, { manager, time: timeOf(writer), fields })
  else if (before !== undefined && fields !== before.fields) result.set(key, { ...before, fields })
  return ManagedFields.capped(result)
}

/** The entry of the only writer of a new object. */
const ofOnlyWriter = (schema: TypedSchema.KindSchema, object: KubeObject.KubeObject, writer: Writer): Entries => {
  const fields = CreatedFields.of(schema, object, writer.hasStatus, () => {
    const [only] = afterChange(schema, schema.empty, object, ManagedFields.none, writer).values()
    return only?.fields ?? FieldSet.empty
  })
  return FieldSet.isEmpty(fields) ? undefined : ManagedFields.entriesOf([{ manager: managerOf(writer, "Update"), time: timeOf(writer), fields }])
}

/** The entries of a new object that its writer gives the content of `object`. @category combinators */
export const afterCreate = (schema: TypedSchema.KindSchema, object: KubeObject.KubeObject, writer: Writer): Entries => {
  const { managedFields } = object.metadata
  if (managedFields === undefined && writer.subresource === undefined) return ofOnlyWriter(schema, object, writer)
  const given = managedFields === undefined || ManagedFields.isReset(managedFields)
    ? ManagedFields.none
    : ManagedFields.ofClient(object) ?? ManagedFields.none
  return ManagedFields.encode(afterChange(schema, schema.empty, object, given, writer))
}

/** The owners that an update starts from: those that it brings along, else those of the stored object. */
const startingOwners = (
  live: KubeObject.KubeObject,
  sent: KubeObject.KubeObject,
  { subresource }: Writer
): ManagedFields.Owners | undefined => {
  const given = sent.metadata.managedFields
  if (subresource !== undefined || given === undefined || equals(given, live.metadata.managedFields)) return undefined
  if (ManagedFields.isReset(given)) return ManagedFields.none
  const owners = ManagedFields.ofClient(sent)
  return owners === undefined || owners.size === 0 ? undefined : owners
}

/**
 * The entries of an object whose stored state `live` is replaced by `sent`. Objects without any are not tracked until something
 * is applied to them.
 *
 * @category combinators
 */
export const afterUpdate = (
  schema: TypedSchema.KindSchema,
  live: KubeObject.KubeObject,
  sent: KubeObject.KubeObject,
  writer: Writer
): Entries => {
  const given = startingOwners(live, sent, writer)
  const before = given ?? ManagedFields.ofStored(live)
  if (before.size === 0) return undefined
  const after = afterChange(schema, live, sent, before, writer)
  return given === undefined && after === before ? live.metadata.managedFields : ManagedFields.encode(after)
}

/** What an apply makes of an object. @category models */
export interface Applied {
  /** The object as merged, without `metadata.managedFields`. */
  readonly object: unknown
  readonly managedFields: Entries
}

const withoutEntries = (object: unknown): unknown => {
  const metadata = get(object, "metadata")
  if (!isObject(object) || !isObject(metadata)) return object
  const { managedFields: _, ...rest } = metadata
  return { ...object, metadata: rest }
}

/** What of the changes belongs to other managers. */
const conflictsOf = (
  owners: ManagedFields.Owners,
  changed: FieldSet.FieldSet,
  self: string
): ReadonlyArray<ManagedFields.Ownership> =>
  [...owners].flatMap(([key, ownership]) => {
    const fields = key === self ? FieldSet.empty : FieldSet.intersection(ownership.fields, changed)
    return FieldSet.isEmpty(fields) ? [] : [{ ...ownership, fields }]
  })

const ownedBy = (owners: ManagedFields.Owners): FieldSet.FieldSet =>
  [...owners.values()].reduce((all, { fields }) => FieldSet.union(all, fields), FieldSet.empty)

/**
 * Applies a configuration to an object.
 *
 * @param live The stored object, or the empty one of its kind when there is none.
 * @param force Take fields that other managers own.
 * @category combinators
 */
export const apply = (
  schema: TypedSchema.KindSchema,
  live: KubeObject.KubeObject | undefined,
  configuration: unknown,
  writer: Writer,
  force: boolean
): Either.Either<Applied, Status.Status> => {
  const { root } = schema
  const current = withoutEntries(live ?? schema.empty)
  const manager = managerOf(writer, "Apply")
  const self = ManagedFields.keyOf(manager)
  const stored = live === undefined ? ManagedFields.none : ManagedFields.ofStored(live)
  // What was there before the first apply belongs to nobody yet, and must not be taken without notice.
  const owners = stored.size > 0 || live === undefined
    ? stored
    : afterChange(schema, schema.empty, current, stored, { ...writer, manager: "before-first-apply" })
  const previous = owners.get(self)
  const given = writable(AppliedFields.ofConfiguration(root, configuration), writer)
  const merged = Merge.merge(root, current, configuration)
  const claimed = new Map(owners).set(self, { manager, time: previous?.time, fields: given })
  const next = previous === undefined ? merged : Pruning.prune(root, merged, previous.fields, ownedBy(claimed))
  const compared = Comparison.compare(root, current, next)
  const changes = { changed: writable(compared.changed, writer), removed: writable(compared.removed, writer) }
  const conflicts = force ? [] : conflictsOf(claimed, changes.changed, self)
  if (conflicts.length > 0) {
    const remaining = LastApplied.withoutAllowed(schema, live, writer, conflicts)
    if (remaining.length > 0) return Either.left(FieldConflict.status(remaining))
  }
  const result = takeFrom(claimed, changes, self)
  const fields = tracked(given)
  // The time of an entry is that of the last change.
  const time = equals(current, next) ? previous?.time : timeOf(writer)
  if (FieldSet.isEmpty(fields)) result.delete(self)
  else result.set(self, { manager, time, fields })
  return Either.right({
    object: LastApplied.updated(next, configuration, writer),
    managedFields: ManagedFields.encode(result)
  })
}
