/** `metadata.managedFields`: who owns which fields, as entries on the wire and by manager. */
import { type KubeObject, Timestamp } from "@reddwarf/api-types"
import { equals, get, isArray, isObject } from "../internal/jsonValue.js"
import * as FieldSet from "./FieldSet.js"

/** What an entry is about: one manager's writes of one sort. @category models */
export interface Manager {
  readonly name: string
  readonly operation: "Apply" | "Update"
  readonly apiVersion: string
  /** Empty for the main resource. */
  readonly subresource: string
}

/** One manager with its fields. @category models */
export interface Ownership {
  readonly manager: Manager
  /** RFC 3339; undefined when no write of this manager ever changed the object. */
  readonly time: string | undefined
  readonly fields: FieldSet.FieldSet
}

/** The owners of an object's fields, by `keyOf` their managers. @category models */
export type Owners = ReadonlyMap<string, Ownership>

type Entries = NonNullable<KubeObject.KubeObject["metadata"]["managedFields"]>

/** @category constructors */
export const none: Owners = new Map()

/**
 * Tells managers apart. An applier is the same in all versions of a kind.
 *
 * @category combinators
 */
export const keyOf = ({ apiVersion, name, operation, subresource }: Manager): string =>
  JSON.stringify([operation, operation === "Apply" ? "" : apiVersion, subresource, name])

const text = (entry: unknown, name: string): string => {
  const value = get(entry, name)
  return typeof value === "string" ? value : ""
}

const ownershipOf = (
  entry: unknown,
  read: (fields: unknown) => FieldSet.FieldSet | undefined
): Ownership | undefined => {
  const operation = text(entry, "operation")
  const apiVersion = text(entry, "apiVersion")
  if ((operation !== "Apply" && operation !== "Update") || apiVersion === "" || text(entry, "fieldsType") !== "FieldsV1") {
    return undefined
  }
  const fields = read(get(entry, "fieldsV1") ?? {})
  if (fields === undefined) return undefined
  const manager: Manager = { name: text(entry, "manager"), operation, apiVersion, subresource: text(entry, "subresource") }
  return { manager, time: text(entry, "time") || undefined, fields }
}

const decode = (
  entries: unknown,
  read: (fields: unknown) => FieldSet.FieldSet | undefined
): Owners | undefined => {
  if (!isArray(entries) || entries.length === 0) return none
  const owners = new Map<string, Ownership>()
  for (const entry of entries) {
    const ownership = ownershipOf(entry, read)
    if (ownership === undefined) return undefined
    owners.set(keyOf(ownership.manager), ownership)
  }
  return owners
}

/** The owners that a stored object names. @category constructors */
export const ofStored = (object: KubeObject.KubeObject): Owners =>
  decode(object.metadata.managedFields, FieldSet.trusted) ?? none

const orderedFields = (fields: unknown): FieldSet.FieldSet | undefined => {
  const set = FieldSet.fromFieldsV1(fields)
  return set === undefined ? undefined : FieldSet.sorted(set)
}

/** The owners that a client wrote into an object; undefined when what it wrote makes no sense. @category constructors */
export const ofClient = (object: KubeObject.KubeObject): Owners | undefined => decode(object.metadata.managedFields, orderedFields)

/** Whether a client asks to forget all owners: by an empty list, or one empty entry. @category combinators */
export const isReset = (managedFields: unknown): boolean => {
  if (!isArray(managedFields)) return false
  const [only] = managedFields
  return managedFields.length === 0 || (managedFields.length === 1 && isObject(only) && Object.keys(only).length === 0)
}

const seconds = (time: string | undefined): number => (time === undefined ? undefined : Timestamp.parse(time)?.seconds) ?? 0

const compareText = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

/** The order of entries: appliers first, then by time, then by name. @category combinators */
export const compare = (a: Ownership, b: Ownership): number =>
  compareText(a.manager.operation, b.manager.operation) ||
  seconds(a.time) - seconds(b.time) ||
  compareText(a.manager.name, b.manager.name) ||
  compareText(a.manager.apiVersion, b.manager.apiVersion) ||
  compareText(a.manager.subresource, b.manager.subresource)

const entryOf = ({ fields, manager, time }: Ownership): Entries[number] => ({
  ...(manager.name === "" ? {} : { manager: manager.name }),
  operation: manager.operation,
  apiVersion: manager.apiVersion,
  ...(time === undefined ? {} : { time }),
  fieldsType: "FieldsV1",
  fieldsV1: fields,
  ...(manager.subresource === "" ? {} : { subresource: manager.subresource })
})

/** The entries of these owners. @category combinators */
export const entriesOf = (owners: ReadonlyArray<Ownership>): Entries => owners.toSorted(compare).map(entryOf)

/** The entries of an object; undefined when nobody owns anything. @category combinators */
export const encode = (owners: Owners): Entries | undefined => owners.size === 0 ? undefined : entriesOf([...owners.values()])

const timeless = (managedFields: unknown): ReadonlyArray<unknown> =>
  isArray(managedFields) ? managedFields.map((entry) => isObject(entry) ? { ...entry, time: undefined } : entry) : []

/** Whether two lists of entries say the same, whenever it was written. @category combinators */
export const equalsExceptTimes = (a: unknown, b: unknown): boolean => a === b || equals(timeless(a), timeless(b))

/** As many entries of updates are kept apart; older ones are joined. @category models */
export const maxUpdaters = 10

/** Joins the oldest updates of each version into one, until few enough are left. @category combinators */
export const capped = (owners: Owners): Owners => {
  const updaters = [...owners].filter(([, { manager }]) => manager.operation === "Update")
  if (updaters.length <= maxUpdaters) return owners
  updaters.sort(([a, x], [b, y]) => seconds(x.time) - seconds(y.time) || compareText(a, b))
  const result = new Map(owners)
  const oldest = new Map<string, string>()
  let left = updaters.length
  for (const [key, { fields, manager: { apiVersion }, time }] of updaters) {
    if (left <= maxUpdaters) break
    const first = oldest.get(apiVersion)
    if (first === undefined) {
      oldest.set(apiVersion, key)
      continue
    }
    const manager: Manager = { name: "ancient-changes", operation: "Update", apiVersion, subresource: "" }
    const bucket = keyOf(manager)
    const before = result.get(bucket) ?? result.get(first)
    if (!result.has(bucket)) result.delete(first)
    if (key !== bucket) result.delete(key)
    result.set(bucket, { manager, time, fields: FieldSet.sorted(FieldSet.union(fields, before?.fields ?? FieldSet.empty)) })
    left--
  }
  return result
}
