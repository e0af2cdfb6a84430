/** The reads of an informer: over any transport, or sharing the objects of a server in this process. */
import type { Kind, KubeObject } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { ListOptions, Page, Service, StoredReads, WatchOptions } from "../ApiClient.js"
import type { ClientError } from "../ClientError.js"
import type { StoredObject } from "../Transport.js"
import type { ObjectDecoder, WatchEvent } from "../Watch.js"
import { decodeObject } from "./decode.js"
import { type Held, hold } from "./indexedStore.js"
import * as metadata from "./metadata.js"

/** A change of a held object, or a bookmark. */
export type HeldEvent<A> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly held: Held<A>; readonly resourceVersion: string }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string }

export interface HeldPage<A> {
  /** Perhaps made while they are taken. */
  readonly items: Iterable<Held<A>>
  readonly resourceVersion: string
  readonly continue?: string
}

/** How an informer reads. */
export interface Reads<A extends KubeObject.KubeObject> {
  readonly list: (options: ListOptions) => Effect.Effect<HeldPage<A>, ClientError>
  /** Calls `apply` for each batch of changes, and runs what it answers before the next one. */
  readonly watch: (
    options: WatchOptions,
    apply: (events: Iterable<HeldEvent<A>>) => Effect.Effect<void>
  ) => Effect.Effect<void, ClientError>
}

const overTransport = <A extends KubeObject.KubeObject>(
  list: (options: ListOptions) => Effect.Effect<Page<A>, ClientError>,
  watch: (options: WatchOptions) => Stream.Stream<WatchEvent<A>, ClientError>,
  transform: (object: A) => A
): Reads<A> => {
  const heldEvent = (event: WatchEvent<A>): HeldEvent<A> =>
    event.type === "BOOKMARK"
      ? event
      : {
        type: event.type,
        resourceVersion: event.object.metadata.resourceVersion ?? "",
        held: hold(event.type === "DELETED" ? event.object : transform(event.object))
      }
  return {
    list: (options) => Effect.map(list(options), (page) => ({ ...page, items: page.items.map((item) => hold(transform(item))) })),
    watch: (options, apply) =>
      watch(options).pipe(Stream.runForEachChunk((events) => apply((function*() {
        for (const event of events) yield heldEvent(event)
      })())))
  }
}

/** An object that stays with the server: decoded and transformed each time it is asked for. */
class Shared<A extends KubeObject.KubeObject> implements Held<A> {
  readonly #stored: StoredObject
  readonly #decode: (value: unknown) => A

  constructor(stored: StoredObject, decode: (value: unknown) => A) {
    this.#stored = stored
    this.#decode = decode
  }

  get key(): string {
    return this.#stored.key
  }

  get version(): string {
    return this.#stored.resourceVersion
  }

  get object(): A {
    return this.#decode(this.#stored.object)
  }
}

const sharing = <A extends KubeObject.KubeObject>(
  stored: StoredReads,
  kind: Kind.Kind,
  toHeld: (stored: StoredObject) => Held<A>
): Reads<A> => ({
  list: (options) =>
    Effect.map(stored.list(kind, options), (page) => ({
      ...page,
      items: {
        *[Symbol.iterator]() {
          for (const item of page.items) yield toHeld(item)
        }
      }
    })),
  watch: (options, apply) =>
    stored.watch(kind, options, (events) =>
      apply((function*() {
        for (const event of events) {
          if (event.type === "BOOKMARK") yield event
          else yield { type: event.type, held: toHeld(event.stored), resourceVersion: event.stored.resourceVersion }
        }
      })()))
})

const decoded = <A extends KubeObject.KubeObject>(decode: ObjectDecoder<A>, kind: Kind.Kind<A>) => (value: unknown): A =>
  Either.getOrThrowWith(decode(kind, value), (detail) => new TypeError(detail))

/** Whole objects. A server in this process keeps them, so they are in memory once, as bytes. */
export const ofObjects = <A extends KubeObject.KubeObject>(
  client: Service,
  kind: Kind.Kind<A>,
  transform: (object: A) => A
): Reads<A> => {
  if (client.stored === undefined) {
    return overTransport((options) => client.list(kind, options), (options) => client.watch(kind, options), transform)
  }
  const decode = decoded(decodeObject, kind)
  return sharing(client.stored, kind, (stored) => new Shared(stored, (value) => transform(decode(value))))
}

/** Metadata alone: little enough to be kept. */
export const ofMetadata = (
  client: Service,
  kind: Kind.Kind,
  transform: (object: KubeObject.KubeObject) => KubeObject.KubeObject
): Reads<KubeObject.KubeObject> => {
  if (client.stored === undefined) {
    return overTransport((options) => client.listMetadata(kind, options), (options) => client.watchMetadata(kind, options), transform)
  }
  const decode = decoded(metadata.decode, kind)
  return sharing(client.stored, kind, ({ key, object, resourceVersion }) => ({
    key,
    version: resourceVersion,
    object: transform(decode(object))
  }))
}
