/** A watch cache on a store in memory, and what tests of it share. */
import { it } from "@effect/vitest"
import { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore, type StoreError } from "@reddwarf/store"
import { type Context, Effect, Layer, type Scope } from "effect"

export const encoder = new TextEncoder()

/** An object that holds its name and its revision. */
export const json = (name: string): ObjectStore.Encode => (revision) => ({
  bytes: encoder.encode(JSON.stringify({ name, resourceVersion: String(revision) }))
})

type Services = ObjectStore.ObjectStore | WatchCache.WatchCache

export const layer = (options: WatchCache.CacheOptions = {}): Layer.Layer<Services, StoreError.StoreError> =>
  WatchCache.layerWith(options).pipe(Layer.provideMerge(ObjectStore.layerMemory))

/** A test with a cache of its own. */
export const effect = <E>(
  name: string,
  test: Effect.Effect<void, E, Services | Scope.Scope>,
  options: WatchCache.CacheOptions = {}
) => it.scoped(name, () => Effect.provide(test, layer(options)))

export const services: Effect.Effect<
  { readonly store: Context.Tag.Service<ObjectStore.ObjectStore>; readonly cache: Context.Tag.Service<WatchCache.WatchCache> },
  never,
  Services
> = Effect.all({ store: ObjectStore.ObjectStore, cache: WatchCache.WatchCache })

/** Events in a line each. */
export const shown = (events: ReadonlyArray<WatchCache.CacheEvent>) => events.map((event) => `${event.type} ${event.key} ${event.revision}`)

export const keysOf = (entries: ReadonlyArray<WatchCache.CacheEntry>) => entries.map((entry) => entry.key)

/** The key of a pod. */
export const pod = (name: string, namespace = "default") => `/core/pods/${namespace}/${name}`
