/** Writes to the store, and the answers to them. */
import { type Kind, type KubeObject, Status } from "@reddwarf/api-types"
import type { ObjectStore, StoreError } from "@reddwarf/store"
import * as Effect from "effect/Effect"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import { type ApiContext, objectOf, type ResourceRequest } from "./apiContext.js"
import * as eager from "./eager.js"
import { encoderOf } from "./encode.js"
import * as failures from "./failures.js"
import { get } from "./jsonValue.js"
import * as render from "./render.js"

/** What a write left: the bytes and the object that they stand for. */
export interface Written {
  readonly bytes: Uint8Array
  readonly object: KubeObject.KubeObject
}

/**
 * How often a write that does not name a resource version is tried while other writers are faster. Clients do not expect to lose such
 * a race, so there are more attempts than writers that one object has at a time.
 */
export const maxAttempts = 64

const writeOptions = (origin: ObjectStore.Origin | undefined): ObjectStore.WriteOptions | undefined =>
  origin === undefined ? undefined : { origin }

const written = (committed: ObjectStore.Committed): Written => ({
  bytes: committed.bytes,
  object: objectOf({ key: committed.key, object: committed.object })
})

const encoder = new TextEncoder()

/** What a dry run leaves: the object as it would have been stored. */
export const pretend = (object: KubeObject.KubeObject): Written => ({
  bytes: encoder.encode(`${JSON.stringify(object)}\n`),
  object
})

/** Another writer was faster. `revision` is where the object stands now, when it still exists. */
export interface Raced {
  readonly _tag: "Raced"
  readonly revision: number | undefined
}

const raced = (revision: number | undefined): Raced => ({ _tag: "Raced", revision })

/** A failure that has an answer. */
export interface Refused {
  readonly _tag: "Refused"
  readonly status: Status.Status
}

/** Wraps a Status, to tell it from a lost race. */
export const refused = (status: Status.Status): Refused => ({ _tag: "Refused", status })

/** Stores a new object; `origin` (see origin.ts) is what its history will say of this write. */
export const create = (
  context: ApiContext,
  kind: Kind.Kind,
  key: string,
  object: KubeObject.KubeObject,
  origin?: ObjectStore.Origin
): Effect.Effect<Written, Status.Status> =>
  eager.mapError(
    eager.map(context.store.create(key, encoderOf(object), writeOptions(origin)), written),
    (error) => error._tag === "KeyExists" ? Status.alreadyExists(kind, object.metadata.name ?? "") : failures.ofStore(error)
  )

const lost = (error: StoreError.KeyNotFound | StoreError.RevisionConflict | StoreError.StoreError): Raced | Refused => {
  if (error._tag === "StoreError") return refused(failures.ofStore(error))
  return raced(error._tag === "RevisionConflict" ? error.actual : undefined)
}

/** Replaces the version at `revision`. */
export const update = (
  context: ApiContext,
  kind: Kind.Kind,
  key: string,
  revision: number,
  object: KubeObject.KubeObject,
  origin?: ObjectStore.Origin
): Effect.Effect<Written, Raced | Refused> =>
  eager.mapError(eager.map(context.store.update(key, revision, encoderOf(object), writeOptions(origin)), written), lost)

/** Removes the version at `revision`; `object` is its last state. */
export const remove = (
  context: ApiContext,
  kind: Kind.Kind,
  key: string,
  revision: number,
  object: KubeObject.KubeObject,
  origin?: ObjectStore.Origin
): Effect.Effect<Written, Raced | Refused> =>
  eager.mapError(eager.map(context.store.delete(key, revision, encoderOf(object), writeOptions(origin)), written), lost)

/**
 * Runs a read-decide-write attempt again as long as another writer is faster. `attempt` reads the state anew each time.
 * `final` is the answer when it never wins, or must not try again.
 */
export const retrying = <A>(
  context: ApiContext,
  attempts: number,
  attempt: Effect.Effect<A, Raced | Refused>,
  final: () => Status.Status
): Effect.Effect<A, Status.Status> =>
  eager.catchAll(attempt, (failure) => {
    if (failure._tag === "Refused") return Effect.fail(failure.status)
    if (attempts <= 1) return Effect.fail(final())
    const seen = failure.revision === undefined ? Effect.void : failures.awaitRevision(context, failure.revision)
    return eager.flatMap(seen, () => retrying(context, attempts - 1, attempt, final))
  })

/**
 * Whether nothing keeps an object any longer: deletion was asked for, its grace is over, and no finalizer is left.
 */
export const isReleased = (object: KubeObject.KubeObject): boolean => {
  const { deletionGracePeriodSeconds, deletionTimestamp, finalizers } = object.metadata
  if (deletionTimestamp === undefined || (deletionGracePeriodSeconds ?? 0) > 0 || (finalizers?.length ?? 0) > 0) return false
  const own = object.kind === "Namespace" ? get(get(object, "spec"), "finalizers") : undefined
  return !Array.isArray(own) || own.length === 0
}

// Header values may not hold control characters, and must be ASCII to arrive unchanged.
const headerText = (text: string): string =>
  text.replaceAll(/[^\x20-\x7e]/g, "?").replaceAll("\\", "\\\\").replaceAll("\"", "\\\"")

/** Adds a Warning header for each text. */
export const warn = (response: ApiResponse, warnings: ReadonlyArray<string>): ApiResponse =>
  warnings.length === 0
    ? response
    : Response.withHeaders(response, {
      warning: [
        ...(Array.isArray(response.headers["warning"]) ? response.headers["warning"] : []),
        ...warnings.map((text) => `299 - "${headerText(text)}"`)
      ]
    })

/** The answer to a write. */
export const respond = (
  call: ResourceRequest,
  code: number,
  result: Written,
  warnings: ReadonlyArray<string>
): ApiResponse => warn(render.object(call, code, result.bytes, () => result.object), warnings)
