/** The API object of a zone: the only way in which plans are shown. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { InstanceConflict, InstanceGone, InstanceUnreachable } from "./PlanError.js"
import type { Status, ZoneInstance } from "./ZoneInstance.js"

/** @category errors */
export type WriteError = InstanceConflict | InstanceGone | InstanceUnreachable

/**
 * Reads and writes ZoneInstances. Reading may be from a cache, if the cache has the writes made through this service.
 *
 * @category services
 */
export class InstanceWriter extends Context.Tag("@reddwarf/plans/InstanceWriter")<InstanceWriter, {
  /** The object; none when it does not exist. */
  readonly read: (key: string) => Effect.Effect<Option.Option<ZoneInstance>, InstanceUnreachable>
  /** Adds the finalizer. Only called where it is missing. Gives the object as stored. */
  readonly ensureFinalizer: (instance: ZoneInstance) => Effect.Effect<ZoneInstance, WriteError>
  /** Removes the finalizer. That it is gone already is success. */
  readonly removeFinalizer: (instance: ZoneInstance) => Effect.Effect<void, WriteError>
  /** Removes annotations that were acted on. */
  readonly removeAnnotations: (instance: ZoneInstance, names: ReadonlyArray<string>) => Effect.Effect<ZoneInstance, WriteError>
  /** Makes `status` the status, if the object still has the resource version of `instance`. Gives the object as stored. */
  readonly patchStatus: (instance: ZoneInstance, status: Status) => Effect.Effect<ZoneInstance, WriteError>
}>() {}
