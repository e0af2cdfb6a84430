/**
 * Objects with revisions. Every write is a compare-and-set, gets the next integer of one counter as its revision, is
 * durable before it is answered, and reaches the change feed in revision order.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as MemoryBackend from "./internal/memoryBackend.js"
import * as SqliteBackend from "./internal/sqliteBackend.js"
import * as SqliteFile from "./internal/sqliteFile.js"
import * as StoreService from "./internal/storeService.js"
import type { Compacted, FutureRevision, KeyExists, KeyNotFound, RevisionConflict, StoreError, StoreOpenError } from "./StoreError.js"

/**
 * What a write stores. `object` is an optional decoded form that is carried along to the change feed unchanged, so that
 * nobody has to parse what was just encoded. Both must not be modified after they were handed over.
 *
 * @category models
 */
export interface Encoded {
  readonly bytes: Uint8Array
  readonly object?: unknown
}

/**
 * One stored version of an object.
 *
 * @category models
 */
export interface Version {
  readonly key: string
  /** Revision of the write that made this version. */
  readonly revision: number
  /** Revision of the create that this object began with. */
  readonly createRevision: number
  readonly bytes: Uint8Array
}

/**
 * What a write committed: the stored version and the `object` that its `encode` returned.
 *
 * @category models
 */
export interface Committed extends Version {
  readonly object?: unknown
}

/** What a change did to its key. @category models */
export type ChangeType = "create" | "update" | "delete"

/**
 * One committed write. For a delete, `bytes` is the last state of the object as the deleting writer encoded it.
 *
 * @category models
 */
export interface Change extends Committed {
  readonly type: ChangeType
  /** Revision of the version that this change replaced; absent for a create. */
  readonly previousRevision?: number
}

/**
 * Which part of the key space to read.
 *
 * @category models
 */
export interface RangeOptions {
  /** Only keys that begin with this; "" is everything. */
  readonly prefix: string
  /** At most so many items; absent is all. */
  readonly limit?: number
  /** Only keys that come after this one: the last key of the page before. */
  readonly startAfter?: string
  /** The state at this revision; absent is the current state. */
  readonly revision?: number
}

/**
 * One page of a range, ordered by key (see `Key.compare`).
 *
 * @category models
 */
export interface Page {
  readonly items: ReadonlyArray<Version>
  /** Revision at which the page was read: give it as `revision` to read the next page of the same state. */
  readonly revision: number
  readonly more: boolean
  /** How many items follow this page. */
  readonly remaining: number
}

/**
 * Turns a write into bytes. Called with the revision that the write gets, inside the commit, exactly once for a committed
 * write. It must be quick. When it throws, only its own write fails, with the thrown value as defect, and takes no revision.
 *
 * @category models
 */
export type Encode = (revision: number) => Encoded

/**
 * How a write may be treated.
 *
 * @category models
 */
export interface WriteOptions {
  /**
   * How long this write may wait for others to share its transaction; absent is not at all. For frequent writes whose
   * author does not mind some milliseconds (leases, events). It is answered when it is durable, as any other.
   */
  readonly maxDelay?: Duration.DurationInput
}

/**
 * Receives the changes of one durable group, in revision order. It runs inside the commit: it must be quick and not throw.
 *
 * @category models
 */
export type ChangeListener = (changes: ReadonlyArray<Change>) => void

/**
 * The objects of one cluster.
 *
 * A write that is interrupted before its transaction began does not happen; afterwards it has happened.
 *
 * @category services
 */
export class ObjectStore extends Context.Tag("@reddwarf/store/ObjectStore")<ObjectStore, {
  /** Revision of the last committed write; 0 for a store that was never written. */
  readonly revision: Effect.Effect<number>
  /** Oldest revision whose state can be read; 0 as long as nothing was compacted. */
  readonly compactedRevision: Effect.Effect<number>
  /** The current version under `key`. */
  readonly get: (key: string) => Effect.Effect<Option.Option<Version>, StoreError>
  /** The current or a past state of all keys under a prefix, ordered by key. */
  readonly range: (options: RangeOptions) => Effect.Effect<Page, Compacted | FutureRevision | StoreError>
  /** Stores a new object. */
  readonly create: (key: string, encode: Encode, options?: WriteOptions) => Effect.Effect<Committed, KeyExists | StoreError>
  /** Replaces the version `expectedRevision` of an object. */
  readonly update: (
    key: string,
    expectedRevision: number,
    encode: Encode,
    options?: WriteOptions
  ) => Effect.Effect<Committed, KeyNotFound | RevisionConflict | StoreError>
  /** Removes an object whose version is `expectedRevision`. `encode` gives its last state, which watchers are shown. */
  readonly delete: (
    key: string,
    expectedRevision: number,
    encode: Encode,
    options?: WriteOptions
  ) => Effect.Effect<Committed, KeyNotFound | RevisionConflict | StoreError>
  /** Calls `listener` after each durable group, in revision order, before any of its writers is answered. */
  readonly subscribe: (listener: ChangeListener) => Effect.Effect<void, never, Scope.Scope>
  /** The changes after `revision`, oldest first, at most `limit`; from kept history, so without their `object`. */
  readonly changesAfter: (revision: number, limit?: number) => Effect.Effect<ReadonlyArray<Change>, Compacted | StoreError>
  /**
   * Forgets all states before `revision` (at most the current one): superseded versions and deletions at or below it.
   * Works in bounded steps, between which writes go on. Answers how many versions were dropped.
   */
  readonly compact: (revision: number) => Effect.Effect<number, StoreError>
}>() {}

/**
 * Bounds that both layers share.
 *
 * @category models
 */
export interface StoreOptions {
  /** How many writes may wait for their transaction before further writers have to wait to get in line. Default 4096. */
  readonly queueCapacity?: number
  /** How many writes one transaction may hold. Default 512. */
  readonly groupSize?: number
  /** How many bytes a transaction may hold before it is closed. Default 8 MiB. */
  readonly groupBytes?: number
  /** The largest object that is accepted, in bytes. Default 1.5 MiB, as in etcd. */
  readonly maxObjectBytes?: number
}

/**
 * Where and how the database is kept.
 *
 * @category models
 */
export interface SqliteOptions extends StoreOptions {
  /** The database file; created with mode 0600 when it does not exist. Its directory must exist. */
  readonly path: string
  /** How long to wait at start for another process to let go of the file. Default 2 seconds. */
  readonly lockTimeout?: Duration.DurationInput
  /** The file may grow to this many bytes; a write beyond it fails with `NoSpace`. Absent is no limit. */
  readonly maxFileBytes?: number
}

/**
 * A store in memory with chosen bounds: all of the semantics, nothing survives the scope.
 *
 * @category layers
 */
export const layerMemoryWith = (options: StoreOptions): Layer.Layer<ObjectStore> =>
  Layer.scoped(
    ObjectStore,
    Effect.suspend(() =>
      StoreService.make(MemoryBackend.make(), { index: new Map(), revision: 0, compacted: 0 }, options, Effect.yieldNow())
    )
  )

/**
 * A store in memory: all of the semantics, nothing survives the scope.
 *
 * @category layers
 */
export const layerMemory: Layer.Layer<ObjectStore> = layerMemoryWith({})

// One turn of the event loop: all sockets that are readable get their requests up to the store, so that they share the
// transaction that follows. A lone writer passes through it without waiting for anything.
const turnOfEventLoop = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/**
 * A store in one SQLite file, held by this process alone. A write is answered after its transaction was synced to disk.
 * Fails without having changed the file when it cannot be used.
 *
 * @category layers
 */
export const layerSqlite = (options: SqliteOptions): Layer.Layer<ObjectStore, StoreOpenError> => {
  const attempt = <A>(body: () => A) =>
    Effect.try({ try: body, catch: (cause) => SqliteFile.toOpenError(options.path, cause) })
  return Layer.scoped(
    ObjectStore,
    Effect.gen(function*() {
      const db = yield* Effect.acquireRelease(
        attempt(() =>
          SqliteFile.open({
            path: options.path,
            lockTimeoutMillis: Duration.toMillis(options.lockTimeout ?? "2 seconds"),
            maxFileBytes: options.maxFileBytes
          })
        ),
        (db) => Effect.sync(() => db.close())
      )
      const recovered = yield* attempt(() => SqliteBackend.recover(db))
      return yield* StoreService.make(SqliteBackend.make(db), recovered, options, turnOfEventLoop)
    })
  )
}
