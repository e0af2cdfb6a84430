/** Composes a controller from informers and a reconcile function: changes become keys, keys become passes. */
import { type ApiClient, type Informer, LeaderElection, type WorkQueue } from "@reddwarf/client"
import type { KubeObject } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Reconciler from "./Reconciler.js"

/**
 * Where the keys of a controller come from.
 *
 * @category models
 */
export interface Source<K extends string> {
  /** Waits until absence in the source means absence in the cluster. */
  readonly hasSynced: Effect.Effect<void>
  /** Calls `add` with the keys of everything that is there, and then of everything that changes. Gives a function that ends the calls. */
  readonly subscribe: (add: (key: K) => void) => () => void
  /** The keys that a resync visits. */
  readonly keys: () => Iterable<K>
}

const follow = <A extends KubeObject.KubeObject, K extends string>(
  informer: Informer.Informer<A>,
  keysOf: (object: A) => ReadonlyArray<K>,
  existing: boolean
): Source<K>["subscribe"] =>
(add) =>
  informer.onChange((event) => {
    for (const key of keysOf(event.object)) add(key)
    // What depended on the old state has to let go of it.
    if (event.type === "updated") for (const key of keysOf(event.old)) add(key)
  }, { existing })

/**
 * The keys of an informer's objects. `keysOf` names what has to be looked at when an object changes: itself, or what depends on it.
 * Resyncs go over all objects: for many that only depend on what is reconciled there is `dependents`.
 *
 * @category constructors
 */
export const source = <A extends KubeObject.KubeObject, K extends string>(
  informer: Informer.Informer<A>,
  keysOf: (object: A) => ReadonlyArray<K>
): Source<K> => ({
  hasSynced: informer.hasSynced,
  subscribe: follow(informer, keysOf, true),
  keys: () => informer.list().flatMap((object) => keysOf(object))
})

/**
 * The keys of what depends on an informer's objects, when one of them changes. Neither the start nor a resync goes over these objects,
 * of which a cluster may have a hundred thousand: they visit `keys`, for what no other source names.
 *
 * @category constructors
 */
export const dependents = <A extends KubeObject.KubeObject, K extends string>(
  informer: Informer.Informer<A>,
  keysOf: (object: A) => ReadonlyArray<K>,
  keys: () => Iterable<K> = () => []
): Source<K> => ({
  hasSynced: informer.hasSynced,
  subscribe: (add) => {
    for (const key of keys()) add(key)
    return follow(informer, keysOf, false)(add)
  },
  keys
})

/**
 * Those of a reconciler, with the sources of its keys.
 *
 * @category models
 */
export interface Options<K extends string, E, R> extends Omit<Reconciler.Options<K, E, R>, "keys"> {
  readonly sources: ReadonlyArray<Source<K>>
}

/**
 * Starts a controller in the current scope, once all its sources have synced. Its resync visits the keys of all sources.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*<K extends string, E, R>(
  options: Options<K, E, R>
): Effect.fn.Return<WorkQueue.WorkQueue<K>, never, R | Scope.Scope> {
  const { sources, ...rest } = options
  yield* Effect.forEach(sources, (source) => source.hasSynced, { concurrency: "unbounded", discard: true })
  const keys = () => new Set(sources.flatMap((source) => [...source.keys()]))
  const queue = yield* Reconciler.run<K, E, R>({ ...rest, keys })
  // All at once: what changes after a pass has read it must not go unheard.
  yield* Effect.acquireRelease(
    Effect.sync(() => sources.map((source) => source.subscribe(queue.unsafeAdd))),
    (endings) => Effect.sync(() => endings.forEach((end) => end()))
  )
  return queue
})

/**
 * Runs `work` for ever whenever this process leads, and waits to lead again when it has lost the lease. `work` gets a scope of its own
 * each time, so whatever it started ends with the leadership.
 *
 * @category combinators
 */
export const whileLeading = <E, R>(
  election: LeaderElection.Options,
  work: Effect.Effect<void, E, R>
): Effect.Effect<never, E, Exclude<R, Scope.Scope> | ApiClient.ApiClient> =>
  Effect.scoped(Effect.zipRight(work, Effect.never)).pipe(
    LeaderElection.run(election),
    Effect.catchIf(
      (error): error is LeaderElection.LeadershipLost => error instanceof LeaderElection.LeadershipLost,
      (lost) => Effect.zipRight(Effect.logWarning("controllers stopped", lost), whileLeading(election, work))
    )
  )
