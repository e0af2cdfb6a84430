/**
 * What the simulated host remembers of services. Only what differs from the services every host is delivered with is kept, so a host whose
 * services nobody touches has none of this in its state file.
 */
import * as Schema from "effect/Schema"

const mutableArray = <A, I>(item: Schema.Schema<A, I>) => Schema.mutable(Schema.Array(item))
const mutableRecord = <A, I>(value: Schema.Schema<A, I>) => Schema.mutable(Schema.Record({ key: Schema.String, value }))
const text = Schema.String

/** States of an instance at rest. @category schemas */
export const ServiceState = Schema.Literal("uninitialized", "disabled", "offline", "online", "degraded", "maintenance")
/** @category models */
export type ServiceState = typeof ServiceState.Type

/** A property with its values. @category schemas */
export const Property = Schema.Struct({ type: text, values: Schema.Array(text) })
/** @category models */
export type Property = typeof Property.Type

/** Something an instance needs. @category schemas */
export const Dependency = Schema.Struct({
  name: text,
  grouping: Schema.Literal("require_all", "require_any", "exclude_all", "optional_all"),
  restartOn: Schema.Literal("none", "error", "restart", "refresh"),
  type: text,
  on: Schema.Array(text)
})
/** @category models */
export type Dependency = typeof Dependency.Type

/** An instance of a service. @category schemas */
export const Instance = Schema.mutable(Schema.Struct({
  fmri: text,
  commonName: text,
  duration: Schema.Literal("contract", "child", "transient"),
  dependencies: Schema.Array(Dependency),
  /** Types of property groups, by name. */
  groups: mutableRecord(text),
  /** Properties by `group/name`, as they are in the repository. */
  properties: mutableRecord(Property),
  /** As the instance runs with them; absent when they are the same. */
  running: Schema.optional(mutableRecord(Property)),
  /** As the last manifest had them: what differs from it was changed by an administrator. */
  imported: mutableRecord(Property),
  enabled: Schema.Boolean,
  /** Overrides `enabled` until the next boot. */
  temporary: Schema.optional(Schema.Boolean),
  state: ServiceState,
  next: Schema.optional(ServiceState),
  /** Milliseconds since the epoch at which the step to `next` may end. */
  at: Schema.optional(Schema.Number),
  /** Milliseconds since the epoch. */
  since: Schema.Number,
  /** Contract of its processes; 0 when it has none. */
  contract: Schema.Number,
  /** Why it is in maintenance or degraded; empty otherwise. */
  reason: text,
  failures: Schema.Number,
  comment: text
}))
/** @category models */
export type Instance = typeof Instance.Type

/** What differs in one repository from the delivered services. @category schemas */
export const Changes = Schema.mutable(Schema.Struct({
  /** Which boot the states belong to. */
  boot: text,
  /** Which zone it is: another zone of the same name has another repository. */
  owner: text,
  nextContract: Schema.Number,
  instances: mutableArray(Instance),
  deleted: mutableArray(text)
}))
/** @category models */
export type Changes = typeof Changes.Type

/** Changed repositories by zone name; that of the host is called `global`. @category schemas */
export const Services = mutableRecord(Changes)
/** @category models */
export type Services = typeof Services.Type
