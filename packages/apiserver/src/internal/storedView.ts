/**
 * Store and cache as seen through a kind whose objects are stored as those of another one, such as an older version of a
 * group: handlers work with the kind they were asked for, and everything they read or write is converted on the way.
 */
import type { Kind, KubeObject } from "@reddwarf/api-types"
import type { CacheEvent, WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type ApiContext, objectOf } from "./apiContext.js"

type Cache = Context.Tag.Service<WatchCache.WatchCache>
type Store = Context.Tag.Service<ObjectStore.ObjectStore>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const line = (object: unknown): Uint8Array => encoder.encode(`${JSON.stringify(object)}\n`)

/** A version whose object and bytes are those of the view. Made lazily: most readers ask for one of them only. */
class Converted implements ObjectStore.Committed {
  readonly key: string
  readonly revision: number
  readonly createRevision: number
  readonly #storage: Kind.Storage
  readonly #stored: ObjectStore.Committed
  #object: KubeObject.KubeObject | undefined
  #bytes: Uint8Array | undefined

  constructor(storage: Kind.Storage, stored: ObjectStore.Committed) {
    this.key = stored.key
    this.revision = stored.revision
    this.createRevision = stored.createRevision
    this.#storage = storage
    this.#stored = stored
  }

  get object(): KubeObject.KubeObject {
    const { bytes, key, object = JSON.parse(decoder.decode(bytes)) } = this.#stored
    return this.#object ??= this.#storage.fromStored(objectOf({ key, object }))
  }

  get bytes(): Uint8Array {
    // A view that shows the object as it is stored shows its bytes too.
    return this.#bytes ??= this.object === this.#stored.object ? this.#stored.bytes : line(this.object)
  }
}

/** Remembers what was made for a key as long as the key lives. */
const memo = <K extends WeakKey, V>(make: (key: K) => V): (key: K) => V => {
  const known = new WeakMap<K, V>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const made = make(key)
    known.set(key, made)
    return made
  }
}

let made = 0

const cacheOf = (storage: Kind.Storage, cache: Cache): Cache => {
  const name = `view ${String(made++)}`
  // Neither is remembered: what they convert would stay as long as what is stored does. Encodings are kept beside those of the stored event, in its bounds.
  const entryOf = (entry: CacheEvent.CacheEntry): CacheEvent.CacheEntry => new Converted(storage, entry)
  const eventOf = (event: CacheEvent.CacheEvent): CacheEvent.CacheEvent => ({
    type: event.type,
    key: event.key,
    revision: event.revision,
    entry: entryOf(event.entry),
    previous: event.previous === undefined ? undefined : entryOf(event.previous),
    encoded: (kind, make) => event.encoded(`${name} ${kind}`, make)
  })
  return {
    ...cache,
    get: (key) => {
      const entry = cache.get(key)
      return entry === undefined ? undefined : entryOf(entry)
    },
    list: (under) => cache.list(under).map(entryOf),
    watch: ({ filter, ...options }) =>
      Effect.map(
        cache.watch(filter === undefined ? options : { ...options, filter: (event) => filter(eventOf(event)) }),
        (watcher) => ({
          ...watcher,
          takeAll: Effect.map(watcher.takeAll, (events) => events.map(eventOf)),
          takeNow: (limit) => watcher.takeNow(limit).map(eventOf),
          waiting: () => watcher.waiting().map(eventOf)
        })
      )
  }
}

const storeOf = (storage: Kind.Storage, store: Store): Store => {
  const converted = (version: ObjectStore.Committed): ObjectStore.Committed => new Converted(storage, version)
  const storedBy = (encode: ObjectStore.Encode): ObjectStore.Encode => (revision) => {
    const { bytes, object = JSON.parse(decoder.decode(bytes)) } = encode(revision)
    const stored = storage.toStored(objectOf({ key: "of a write", object }))
    return { bytes: line(stored), object: stored }
  }
  return {
    ...store,
    get: (key) => Effect.map(store.get(key), Option.map(converted)),
    range: (options) => Effect.map(store.range(options), (page) => ({ ...page, items: page.items.map(converted) })),
    create: (key, encode, options) => Effect.map(store.create(key, storedBy(encode), options), converted),
    update: (key, revision, encode, options) => Effect.map(store.update(key, revision, storedBy(encode), options), converted),
    delete: (key, revision, encode, options) => Effect.map(store.delete(key, revision, storedBy(encode), options), converted)
  }
}

const views = memo((context: ApiContext) =>
  memo((storage: Kind.Storage): ApiContext => ({
    ...context,
    cache: cacheOf(storage, context.cache),
    store: storeOf(storage, context.store)
  }))
)

/** What the handlers of a kind work with: the context itself, or its view for a kind that is stored as another. */
export const contextFor = (context: ApiContext, { storage }: Kind.Kind): ApiContext =>
  storage === undefined ? context : views(context)(storage)
