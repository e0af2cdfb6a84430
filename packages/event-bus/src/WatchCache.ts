/**
 * The current objects in memory, a bounded history of what changed, and watchers that follow from any kept revision.
 * Fed synchronously by the commits of an `ObjectStore`: whoever was answered a write finds it here.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import { ObjectStore, StoreError } from "@reddwarf/store"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { CacheEntry, CacheEvent } from "./CacheEvent.js"
import * as EventBusMetrics from "./EventBusMetrics.js"
import type { Cache } from "./internal/cache.js"
import * as CacheState from "./internal/cache.js"
import type { Opening } from "./internal/subscriptions.js"
import * as Subscriptions from "./internal/subscriptions.js"
import { RevisionTooLarge, WatchExpired } from "./WatchExpired.js"

export type { CacheEntry, CacheEvent, CacheEventType } from "./CacheEvent.js"

/**
 * What to watch, and from where.
 *
 * @category models
 */
export interface WatchOptions {
  /** Only keys under this prefix. It is "/" or begins and ends with one: `/apps/deployments/default/`. */
  readonly prefix: string
  /** Events with a greater revision; absent is from now on. */
  readonly after?: number
  /** Begin with the current entries, as ADDED in the order of their keys; `after` is then only a lower bound for the state. */
  readonly initial?: boolean
  /** How many events may wait to be taken before the watcher is ended. Default 1024. */
  readonly capacity?: number
  /**
   * Drops events that this watcher does not want before they take up its capacity. Runs inside the commit: it must be
   * quick and pure. When it throws, the watcher ends with that defect.
   */
  readonly filter?: (event: CacheEvent) => boolean
}

/**
 * One open watch. Ends with its scope.
 *
 * @category models
 */
export interface Watcher {
  /** The revision that this watch goes on from: that of the initial entries, or the given `after`, or that of its start. */
  readonly startRevision: number
  /**
   * All events that are waiting, oldest first; waits until there is one. With `initial`, the first take answers at once
   * with exactly the initial entries (perhaps none). Fails with `WatchExpired` once this watcher was too slow, after it
   * has given out what was queued before.
   */
  readonly takeAll: Effect.Effect<ReadonlyArray<CacheEvent>, WatchExpired>
  /** The same without waiting, as a plain function: no events when none are there, and `limit` of them at most. */
  readonly takeNow: (limit?: number) => ReadonlyArray<CacheEvent>
  /** What `takeNow` would give, without taking it. Good until the next event or take: do not keep or modify it. */
  readonly waiting: () => ReadonlyArray<CacheEvent>
  /**
   * Calls `listener` once: as soon as there is something to take, or this watcher has ended. Perhaps at once, else inside the
   * commit, so it must be quick. The result forgets the listener; a further one takes its place.
   */
  readonly whenReady: (listener: () => void) => () => void
  /** How this watcher ended, once it has and all its events were taken. */
  readonly ended: () => Exit.Exit<never, WatchExpired> | undefined
  /**
   * The newest revision that may be bookmarked: whoever has handled everything taken so far has missed nothing up to it.
   * Plain and cheap.
   */
  readonly bookmark: () => number
}

/**
 * The watch cache. `revision`, `get` and `list` are plain functions because they are on the path of every read.
 *
 * @category services
 */
export class WatchCache extends Context.Tag("@reddwarf/event-bus/WatchCache")<WatchCache, {
  /** Revision of the last change that this cache has seen. */
  readonly revision: () => number
  /** The oldest revision that a watch can start after. */
  readonly oldestRevision: () => number
  /** The current entry under a key. */
  readonly get: (key: string) => CacheEntry | undefined
  /** The current entries under a prefix, ordered by key. The cost is that of the result, whatever else is stored. */
  readonly list: (prefix: string) => ReadonlyArray<CacheEntry>
  /** How many current entries there are under a prefix. */
  readonly count: (prefix: string) => number
  /** Opens a watch. Fails when history does not reach back to `after`, or `after` lies in the future. */
  readonly watch: (options: WatchOptions) => Effect.Effect<Watcher, WatchExpired | RevisionTooLarge, Scope.Scope>
  /** Waits until the cache has seen `revision`; fails after `timeout` (default 3 seconds). */
  readonly waitFor: (revision: number, timeout?: Duration.DurationInput) => Effect.Effect<void, RevisionTooLarge>
}>() {}

/**
 * Bounds of the cache.
 *
 * @category models
 */
export interface CacheOptions {
  /** How many events are kept for watches that start in the past. Default 32768. */
  readonly historyEvents?: number
  /** How many bytes the kept events may take: their objects and the encodings attached to them. Default 64 MiB. */
  readonly historyBytes?: number
}

/** How many objects or changes are read at a time while the cache is filled. */
const loadStep = 1024

// A turn of the event loop: who asks whether the server is ready gets an answer while the cache is being filled.
const turn = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/**
 * A cache with the state that the kept history begins with, led through that history to the present. So watches can go on
 * across a restart of the process.
 */
const load = (store: Context.Tag.Service<ObjectStore.ObjectStore>, bounds: Required<CacheOptions>) =>
  Effect.gen(function*() {
    const current = yield* store.revision
    const base = Math.max(yield* store.compactedRevision, current - bounds.historyEvents)
    const read = (startAfter: string) => store.range({ prefix: "", revision: base, coalesced: true, limit: loadStep, startAfter })
    let page = yield* read("")
    const cache = CacheState.make(page, bounds)
    while (page.more) {
      yield* turn
      page = yield* read(page.items.at(-1)?.key ?? "")
      cache.fill(page.items)
    }
    while (cache.revision() < current) {
      const changes = yield* store.changesAfter(cache.revision(), loadStep)
      if (changes.length === 0) break
      cache.apply(changes)
      if (changes.length === loadStep) yield* turn
    }
    // The store may be further than its last change: it has used up revisions that it did not keep.
    cache.advance(current)
    return cache
  }).pipe(
    // A compaction came between: what is kept now begins later.
    Effect.retry({ times: 3, while: (error) => error._tag === "Compacted" }),
    Effect.catchTags({
      FutureRevision: Effect.die,
      Compacted: (cause) =>
        new StoreError.StoreError({ operation: "load", reason: "InputOutput", detail: cause.message, cause })
    })
  )

/** Where a watch begins and what it is given first. Runs with nothing in between it and the subscription. */
const openingOf = (
  cache: Cache,
  /** The oldest revision from which everything under a prefix is known. */
  knownSince: (prefix: string) => number,
  options: WatchOptions
): Effect.Effect<Opening, WatchExpired | RevisionTooLarge> => {
  const liveAfter = cache.revision()
  const { after, prefix, filter = () => true } = options
  if (after !== undefined && after > liveAfter) {
    return Effect.fail(new RevisionTooLarge({ requested: after, current: liveAfter }))
  }
  if (options.initial === true) {
    const backlog = cache.entries.list(prefix).map((entry) => cache.makeEvent("ADDED", entry)).filter(filter)
    return Effect.succeed({ startRevision: liveAfter, bookmark: after ?? 0, backlog, liveAfter })
  }
  if (after === undefined) {
    return Effect.succeed({ startRevision: liveAfter, bookmark: liveAfter, backlog: undefined, liveAfter })
  }
  const oldest = Math.max(cache.history.oldest(), knownSince(prefix))
  if (after < oldest) {
    EventBusMetrics.expired.unsafeUpdate(1, [])
    return Effect.fail(new WatchExpired({ requested: after, oldest, reason: "History" }))
  }
  const missed = cache.history.after(after, prefix).filter(filter)
  return Effect.succeed({ startRevision: after, bookmark: after, backlog: missed.length === 0 ? undefined : missed, liveAfter })
}

const toService = (cache: Cache, knownSince: (prefix: string) => number): Context.Tag.Service<WatchCache> => {
  const subscribe = Effect.fnUntraced(function*(options: WatchOptions) {
    const { prefix } = options
    if (!prefix.endsWith("/")) return yield* Effect.dieMessage(`a watch prefix must end with "/": ${prefix}`)
    return yield* Effect.acquireRelease(
      Effect.suspend(() =>
        Effect.map(openingOf(cache, knownSince, options), (opening) => {
          const subscription = Subscriptions.make(options.capacity ?? 1024, options.filter, cache.revision, opening)
          cache.subscriptions.add(prefix, subscription)
          return subscription
        })
      ),
      (subscription) =>
        Effect.sync(() => {
          cache.subscriptions.remove(prefix, subscription)
          subscription.close()
        })
    )
  })

  return {
    revision: cache.revision,
    oldestRevision: cache.history.oldest,
    get: cache.entries.get,
    list: cache.entries.list,
    count: cache.entries.count,
    watch: subscribe,
    waitFor: (revision, timeout = "3 seconds") =>
      Effect.suspend(() =>
        revision <= cache.revision()
          ? Effect.void
          : Effect.timeoutFail(cache.reach(revision), {
            duration: timeout,
            onTimeout: () => new RevisionTooLarge({ requested: revision, current: cache.revision() })
          })
      )
  }
}

/**
 * A cache with chosen bounds. Reads the state of the store and its recent history once; from then on the commits keep it.
 *
 * @category layers
 */
export const layerWith = (options: CacheOptions): Layer.Layer<WatchCache, StoreError.StoreError, ObjectStore.ObjectStore> =>
  Layer.scoped(
    WatchCache,
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const bounds = { historyEvents: options.historyEvents ?? 32_768, historyBytes: options.historyBytes ?? 64 * 1024 * 1024 }
      // Commits that happen while the state is being read.
      const meanwhile: Array<ReadonlyArray<ObjectStore.Change>> = []
      let cache: Cache | undefined
      yield* store.subscribe((changes) => {
        if (cache === undefined) meanwhile.push(changes)
        else cache.apply(changes)
      })
      const loaded = yield* load(store, bounds)
      // What is written behind cannot be followed from before this process.
      const floor = loaded.revision()
      for (const group of meanwhile) loaded.apply(group)
      cache = loaded
      return toService(loaded, (prefix) => store.isWrittenBehind(prefix) ? floor : 0)
    })
  )

/**
 * A cache with the default bounds.
 *
 * @category layers
 */
export const layer: Layer.Layer<WatchCache, StoreError.StoreError, ObjectStore.ObjectStore> = layerWith({})
