/** Typed access to the objects of an API server: one method per verb, generic over the kind. */
import type { Kind, KubeObject } from "@reddwarf/api-types"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { ClientError } from "./ClientError.js"
import * as client from "./internal/client.js"
import type { ObjectRef } from "./ObjectRef.js"
import type { EmitStored, StoredAnswer, Transport } from "./Transport.js"
import type { WatchEvent } from "./Watch.js"

/**
 * An object as a caller writes it: the client fills `apiVersion` and `kind` from the kind.
 *
 * @category models
 */
export type Draft<A extends KubeObject.KubeObject> = Omit<A, "apiVersion" | "kind"> & {
  readonly apiVersion?: string
  readonly kind?: string
}

/**
 * Which objects to list. Without `namespace`: those of all namespaces.
 *
 * @category models
 */
export interface ListOptions {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Largest number of items in one page. */
  readonly limit?: number | undefined
  /** Token of the previous page. */
  readonly continue?: string | undefined
  /** Absent: the most recent state. `"0"`: any state the server has at hand. */
  readonly resourceVersion?: string | undefined
}

/**
 * One page of objects. `continue` is present when more follow.
 *
 * @category models
 */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly resourceVersion: string
  readonly continue?: string
}

/**
 * How to apply a patch: `merge` is RFC 7386 (the default), `json` RFC 6902, `strategic` merges lists by their keys (built-in kinds only).
 *
 * @category models
 */
export interface PatchOptions {
  readonly type?: "merge" | "json" | "strategic"
  readonly subresource?: string
}

/**
 * How to delete. Absent values leave the choice to the server.
 *
 * @category models
 */
export interface DeleteOptions {
  /** Seconds the object may take to stop; 0 removes it at once. */
  readonly gracePeriodSeconds?: number
  /** The delete is refused with a conflict unless the stored object has these values. */
  readonly preconditions?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan"
}

/**
 * What to watch, and from which resource version on (that of a list or of the last event seen).
 *
 * @category models
 */
export interface WatchOptions {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly resourceVersion: string
  /** Asks for BOOKMARK events, which advance the resource version while nothing else happens. */
  readonly allowBookmarks?: boolean | undefined
  /** The server ends the stream normally after this time. */
  readonly timeoutSeconds?: number | undefined
}

/**
 * Reads of a server in this process, whose objects are shared rather than copied.
 *
 * @category models
 */
export interface StoredReads {
  readonly list: (
    kind: Kind.Kind,
    options: ListOptions
  ) => Effect.Effect<Extract<StoredAnswer, { readonly _tag: "List" }>, ClientError>
  /** Calls `emit` for every batch of changes until the server ends the watch. */
  readonly watch: (
    kind: Kind.Kind,
    options: WatchOptions,
    emit: EmitStored
  ) => Effect.Effect<void, ClientError>
}

/**
 * The operations of an API server. Requests that the server asks to repeat (429 or 5xx with `Retry-After`) are repeated up to ten times.
 *
 * Objects are handed over as the server sent them, unknown fields included; only `apiVersion`, `kind` and the metadata are checked.
 *
 * @category models
 */
export interface Service {
  /** Reads one object. */
  readonly get: <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, ref: ObjectRef) => Effect.Effect<A, ClientError>
  /** Reads one page of objects; without `limit` all of them. */
  readonly list: <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, options?: ListOptions) => Effect.Effect<Page<A>, ClientError>
  /** Creates an object and gives it as stored. Name and namespace are taken from its metadata. */
  readonly create: <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, object: Draft<A>) => Effect.Effect<A, ClientError>
  /** Replaces an object, except for its status. With a resource version in its metadata a stale write is refused with a conflict. */
  readonly update: <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, object: Draft<A>) => Effect.Effect<A, ClientError>
  /** Replaces the status of an object and nothing else. */
  readonly updateStatus: <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, object: Draft<A>) => Effect.Effect<A, ClientError>
  /** Replaces an object through a subresource such as `finalize`. */
  readonly updateSubresource: <A extends KubeObject.KubeObject>(
    kind: Kind.Kind<A>,
    subresource: string,
    object: Draft<A>
  ) => Effect.Effect<A, ClientError>
  /** Changes parts of an object and gives it as stored. */
  readonly patch: <A extends KubeObject.KubeObject>(
    kind: Kind.Kind<A>,
    ref: ObjectRef,
    patch: unknown,
    options?: PatchOptions
  ) => Effect.Effect<A, ClientError>
  /** Asks for the deletion of an object; it may go later, when its grace period ends or its finalizers are gone. */
  readonly delete: <A extends KubeObject.KubeObject>(
    kind: Kind.Kind<A>,
    ref: ObjectRef,
    options?: DeleteOptions
  ) => Effect.Effect<void, ClientError>
  /** Asks for the deletion of every object that the options select. */
  readonly deleteCollection: <A extends KubeObject.KubeObject>(
    kind: Kind.Kind<A>,
    select: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
    options?: DeleteOptions
  ) => Effect.Effect<void, ClientError>
  /** Places a pod on a node. A conflict means that it has one already. */
  readonly bind: (pod: ObjectRef, node: string) => Effect.Effect<void, ClientError>
  /** Posts to a subresource such as `eviction` or `token` and gives the answer's JSON as it came. */
  readonly createSubresource: <A extends KubeObject.KubeObject>(
    kind: Kind.Kind<A>,
    ref: ObjectRef,
    subresource: string,
    body: unknown
  ) => Effect.Effect<unknown, ClientError>
  /** Reads a subresource whose answer is no object of the kind, such as `scale`, and gives its JSON as it came. */
  readonly getSubresource: <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, ref: ObjectRef, subresource: string) => Effect.Effect<unknown, ClientError>
  /** Replaces what such a subresource shows and gives the answer's JSON as it came. */
  readonly putSubresource: <A extends KubeObject.KubeObject>(
    kind: Kind.Kind<A>,
    ref: ObjectRef,
    subresource: string,
    body: unknown
  ) => Effect.Effect<unknown, ClientError>
  /**
   * Every change from a resource version on, until the server ends the stream, which it does from time to time. Fails with an expired
   * `ApiError` when the changes are no longer known; then list again.
   */
  readonly watch: <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, options: WatchOptions) => Stream.Stream<WatchEvent<A>, ClientError>
  /**
   * Every kind that the server serves now, custom ones included, in the order of its discovery: of several versions of a resource the
   * first one is preferred. These kinds know their names, verbs and subresources; they neither default nor validate.
   */
  readonly discover: Effect.Effect<ReadonlyArray<Kind.Kind>, ClientError>
  /** Reads the metadata of one object. It has the `apiVersion` and `kind` of its kind, and nothing besides. */
  readonly getMetadata: (kind: Kind.Kind, ref: ObjectRef) => Effect.Effect<KubeObject.KubeObject, ClientError>
  /** Reads one page of the metadata of objects. */
  readonly listMetadata: (kind: Kind.Kind, options?: ListOptions) => Effect.Effect<Page<KubeObject.KubeObject>, ClientError>
  /** Present where the server is in this process. */
  readonly stored?: StoredReads
  /** `watch` for the metadata of objects. */
  readonly watchMetadata: (kind: Kind.Kind, options: WatchOptions) => Stream.Stream<WatchEvent<KubeObject.KubeObject>, ClientError>
}

/**
 * A client for one API server.
 *
 * @category services
 */
export class ApiClient extends Context.Tag("@reddwarf/client/ApiClient")<ApiClient, Service>() {}

/**
 * A client over any transport.
 *
 * @category layers
 */
export const layer: Layer.Layer<ApiClient, never, Transport> = Layer.effect(ApiClient, client.make)
