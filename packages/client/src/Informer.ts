/**
 * A local copy of all objects that a list selects, kept current by a watch.
 *
 * It lists in pages, then watches from the list's resource version. When the server no longer knows the changes (410 `Expired`) it lists
 * again and works out what changed meanwhile, deletions included. On any other end it watches on from the last event. Failures are
 * retried for ever, with back-off. What readers see is never a half-finished list.
 */
import type { Kind, KubeObject } from "@reddwarf/api-types"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { ApiClient } from "./ApiClient.js"
import { type ClientError, isExpired } from "./ClientError.js"
import * as ClientMetrics from "./ClientMetrics.js"
import { type Held, type IndexedStore, make as makeStore } from "./internal/indexedStore.js"
import { type HeldEvent, ofMetadata, ofObjects, type Reads } from "./internal/informerReads.js"
import * as slices from "./internal/slices.js"

/**
 * One change of the local copy. `old` is the object it replaces. `told` says that the server reported the deletion of this object; it is
 * false for one that was merely missing when everything was listed again.
 *
 * @category models
 */
export type InformerEvent<A> =
  | { readonly type: "added"; readonly object: A }
  | { readonly type: "updated"; readonly object: A; readonly old: A }
  | { readonly type: "deleted"; readonly object: A; readonly told: boolean }

/**
 * The values under which an object is found in an index; none leaves it out.
 *
 * @category models
 */
export type Indexer<A> = (object: A) => ReadonlyArray<string>

/**
 * A local copy of objects. Reads are plain function calls: they never wait and never fail.
 *
 * @category models
 */
export interface Informer<A extends KubeObject.KubeObject> {
  /** The object under a key (`namespace/name`, or `name` for a cluster-scoped kind). */
  readonly get: (key: string) => A | undefined
  /** All objects, in no particular order. */
  readonly list: () => ReadonlyArray<A>
  /** The keys of all objects. */
  readonly keys: () => ReadonlyArray<string>
  /** Objects that an indexer put under `value`. An index that was not defined is empty. */
  readonly byIndex: (name: string, value: string) => ReadonlyArray<A>
  /** The values under which an index has objects: to look at few of many objects, without looking at all. */
  readonly indexValues: (name: string) => ReadonlyArray<string>
  /** Waits until the first complete list is in place. */
  readonly hasSynced: Effect.Effect<void>
  /** Whether the first complete list is in place. */
  readonly isSynced: () => boolean
  /** The resource version up to which this copy is current; empty before the first list. */
  readonly resourceVersion: () => string
  /**
   * Calls `handler` for every change, in order and before the next change is read, beginning with `added` for each object that is there
   * already, unless `existing` is false. It must be quick: usually it adds a key to a work queue. A handler that throws is reported in
   * the log and called again for the next change. Gives a function that ends the calls.
   */
  readonly onChange: (handler: (event: InformerEvent<A>) => void, options?: { readonly existing?: boolean }) => () => void
}

/**
 * What to copy, and how to find it again.
 *
 * @category models
 */
export interface Options<A extends KubeObject.KubeObject> {
  readonly kind: Kind.Kind<A>
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Indexes by name. */
  readonly indexers?: Readonly<Record<string, Indexer<A>>>
  /** Objects per page of a list: 500 unless given. */
  readonly pageSize?: number
  /** Changes every object before it is stored, for instance to drop what is not needed and save memory. */
  readonly transform?: (object: A) => A
}

const backoff = Schedule.exponential("800 millis").pipe(Schedule.either(Schedule.spaced("30 seconds")), Schedule.jittered)

/** A watch that lasts this long, in milliseconds, or brings an event shows that the server is well: the next one follows without delay. */
const healthyMillis = 5_000

/**
 * Starts an informer that runs as long as the scope. It gives the informer at once: wait for `hasSynced` before relying on absence.
 *
 * @category constructors
 */
export const make = <A extends KubeObject.KubeObject>(options: Options<A>): Effect.Effect<Informer<A>, never, ApiClient | Scope.Scope> =>
  Effect.flatMap(ApiClient, (client) => makeWith<A>(ofObjects(client, options.kind, options.transform ?? identity), options))

/**
 * The same for the metadata of objects: for those who look at many kinds and need to know who owns what, or what is there at all.
 *
 * @category constructors
 */
export const makeMetadata = (
  options: Options<KubeObject.KubeObject>
): Effect.Effect<Informer<KubeObject.KubeObject>, never, ApiClient | Scope.Scope> =>
  Effect.flatMap(ApiClient, (client) => makeWith(ofMetadata(client, options.kind, options.transform ?? identity), options))

const identity = <A>(value: A): A => value

const makeWith = Effect.fnUntraced(function*<A extends KubeObject.KubeObject>(
  reads: Reads<A>,
  options: Options<A>
): Effect.fn.Return<Informer<A>, never, Scope.Scope> {
  const clock = yield* Effect.clock
  const synced = yield* Deferred.make<void>()
  const handlers = new Set<(event: InformerEvent<A>) => void>()
  const store: IndexedStore<A> = makeStore(options.indexers ?? {})
  const lists = Metric.tagged(ClientMetrics.informerLists, "kind", options.kind.kind)
  const watches = Metric.tagged(ClientMetrics.informerWatches, "kind", options.kind.kind)
  const { fieldSelector, kind, labelSelector, namespace } = options
  const selection = { namespace, labelSelector, fieldSelector }
  let resourceVersion = ""
  let mustList = true
  let isSynced = false
  let broken: Array<unknown> = []

  const notify = (event: InformerEvent<A> | undefined): void => {
    if (event === undefined) return
    for (const handler of handlers) call(handler, event)
  }
  const call = (handler: (event: InformerEvent<A>) => void, event: InformerEvent<A>): void => {
    try {
      handler(event)
    } catch (defect) {
      broken.push(defect)
    }
  }
  const reportBroken = Effect.suspend(() => {
    if (broken.length === 0) return Effect.void
    const defects = broken
    broken = []
    return Effect.forEach(defects, (defect) => Effect.logError("an informer handler threw", defect), { discard: true })
  })

  const listPages = (token: string | undefined, fromCache: boolean, items: Array<Held<A>>): Effect.Effect<string, ClientError> =>
    Effect.flatMap(
      reads.list({
        ...selection,
        limit: options.pageSize ?? 500,
        ...(token === undefined ? (fromCache ? { resourceVersion: "0" } : {}) : { continue: token })
      }),
      (page) =>
        Effect.zipRight(
          slices.forEach(page.items, (item) => {
            items.push(item)
            // Until the first list is complete nobody relies on what is not there yet, and each object is looked into once.
            if (!isSynced) notify(store.put(item))
          }),
          page.continue === undefined ? Effect.succeed(page.resourceVersion) : Effect.suspend(() => listPages(page.continue, fromCache, items))
        )
    )

  const list = Effect.suspend(() => {
    const items: Array<Held<A>> = []
    lists.unsafeUpdate(1, [])
    // The first list may come from the server's cache; after an expiry only the most recent state cannot be too old again.
    return Effect.flatMap(listPages(undefined, !isSynced, items), (version) => {
      for (const event of isSynced ? store.replace(items) : store.retain(items)) notify(event)
      resourceVersion = version
      mustList = false
      isSynced = true
      return Effect.zipRight(reportBroken, Deferred.succeed(synced, undefined))
    })
  })

  const apply = (event: HeldEvent<A>): void => {
    if (event.type !== "BOOKMARK") notify(event.type === "DELETED" ? store.remove(event.held) : store.put(event.held))
    if (event.resourceVersion !== "") resourceVersion = event.resourceVersion
  }

  const watch = Effect.gen(function*() {
    watches.unsafeUpdate(1, [])
    // Spread over 5 to 10 minutes, so that the watches of many clients do not end together.
    const timeoutSeconds = yield* Random.nextIntBetween(300, 600)
    yield* reads.watch({ ...selection, resourceVersion, allowBookmarks: true, timeoutSeconds }, (events) => {
      for (const event of events) apply(event)
      progress = true
      // Nothing to run for a caller that can tell.
      return broken.length === 0 ? Effect.void : reportBroken
    })
  })
  let progress = false

  const retry = yield* Schedule.driver(backoff)
  const step = Effect.suspend(() => {
    const startedAt = clock.unsafeCurrentTimeMillis()
    progress = false
    return (mustList ? Effect.zipRight(list, Effect.suspend(() => watch)) : watch).pipe(
      Effect.matchEffect({
        onSuccess: () =>
          progress || clock.unsafeCurrentTimeMillis() - startedAt >= healthyMillis ? retry.reset : Effect.ignore(retry.next(undefined)),
        onFailure: (error) => {
          const healthy = progress || clock.unsafeCurrentTimeMillis() - startedAt >= healthyMillis
          if (isExpired(error)) mustList = true
          return Effect.logDebug("informer lost its watch", error).pipe(
            Effect.zipRight(healthy ? retry.reset : Effect.void),
            Effect.zipRight(Effect.ignore(retry.next(undefined)))
          )
        }
      }),
      // An indexer or a transform that throws must not end the informer unnoticed.
      Effect.catchAllDefect((defect) => {
        mustList = true
        return Effect.zipRight(Effect.logError("informer died and starts again", defect), Effect.ignore(retry.next(undefined)))
      })
    )
  })

  yield* Effect.forever(step).pipe(
    Effect.annotateLogs({ kind: kind.kind, ...(namespace === undefined ? {} : { namespace }) }),
    Effect.interruptible,
    Effect.forkScoped
  )

  return {
    get: store.get,
    list: store.list,
    keys: store.keys,
    byIndex: store.byIndex,
    indexValues: store.indexValues,
    hasSynced: Deferred.await(synced),
    isSynced: () => isSynced,
    resourceVersion: () => resourceVersion,
    onChange: (handler, { existing = true } = {}) => {
      if (existing) for (const object of store.values()) call(handler, { type: "added", object })
      handlers.add(handler)
      return () => void handlers.delete(handler)
    }
  }
})
