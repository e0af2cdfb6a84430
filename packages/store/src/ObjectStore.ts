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
import { isBehind } from "./internal/writeBehind.js"
import * as HistoryTable from "./internal/historyTable.js"
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

/**
 * Who made a version, and how. A version that has an origin goes into the history of its object when it is replaced.
 *
 * @category models
 */
export interface Origin {
  /** When, in milliseconds since the epoch. */
  readonly at: number
  readonly user: string
  /** What was asked for: `create`, `update`, `patch`, ... */
  readonly verb: string
  /** The field manager. */
  readonly manager?: string
  readonly subresource?: string
  /** The object is one that a controller makes for another object, and would make again. */
  readonly derived?: boolean
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
  readonly origin?: Origin
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
  /**
   * Keys that are written behind are taken at the oldest version that is known of them, where `revision` is older than what is
   * known. For whoever goes on with `changesAfter` and only needs to end at the current state.
   */
  readonly coalesced?: boolean
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
 * What is kept beside a write.
 *
 * @category models
 */
export interface WriteOptions {
  /** Absent for what nobody will ask for: heartbeats, reports. Not kept for keys that are written behind. */
  readonly origin?: Origin
}

/**
 * A former or current version of an object, from its history.
 *
 * @category models
 */
export interface HistoricVersion extends Version {
  readonly type: ChangeType
  readonly origin: Origin
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
 * A write that is interrupted before its transaction began does not happen; afterwards it has happened. Those of a store itself are
 * `Direct`, so that plain code can run them without a fiber.
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
   * Works in bounded steps, between which writes go on. Answers how many versions were dropped. What had an origin stays in the
   * history of its object, which is trimmed to its bounds.
   */
  readonly compact: (revision: number) => Effect.Effect<number, StoreError>
  /**
   * The versions of an object that were made with an origin, oldest first: those that are no longer kept otherwise, as far as
   * the bounds of the history allow, and those that are, up to the current one or the deletion.
   */
  readonly history: (key: string) => Effect.Effect<ReadonlyArray<HistoricVersion>, StoreError>
  /** The keys under a prefix, after a key, that have more to their history than a current version, in their order. */
  readonly historyKeys: (prefix: string, startAfter: string, limit: number) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /**
   * Whether any key under a prefix is written behind. What such a key was at revisions before the start of this process is not
   * known, so nobody can follow it from there.
   */
  readonly isWrittenBehind: (prefix: string) => boolean
}>() {}

/**
 * How much history is kept besides what compaction leaves. Of one object the oldest version goes first; of all objects, the history of
 * deleted ones that a controller had made, then that of the one that has not changed for the longest.
 *
 * @category models
 */
export interface HistoryLimits {
  /** Former versions of one object; 0 keeps none. Default 10. */
  readonly versions?: number
  /** Bytes of the former versions of one object, as stored. Default 1 MiB. */
  readonly objectBytes?: number
  /** Bytes of all former versions, as stored. Default 256 MiB. */
  readonly bytes?: number
  /** How long a version is kept after it was replaced. Default 7 days. */
  readonly age?: Duration.DurationInput
  /**
   * How long the history of a deleted object is kept that a controller had made (`Origin.derived`), when that is less: each rollout
   * replaces them all, and nobody restores them. Default 1 day.
   */
  readonly derivedAge?: Duration.DurationInput
}

/**
 * Keys whose writes are answered from memory and written to disk later, together. A killed process loses what it had not
 * written; what it has shown is never shown differently, because no revision is used twice.
 *
 * @category models
 */
export interface WriteBehind {
  /** All keys that begin with one of these. */
  readonly prefixes: ReadonlyArray<string>
  /** How long a version may be in memory only. Default 10 seconds. */
  readonly interval?: Duration.DurationInput
  /** How many versions may be in memory only. Default 4096. */
  readonly pending?: number
}

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
  readonly history?: HistoryLimits
  /** Default none. */
  readonly writeBehind?: WriteBehind
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

const limitsOf = ({ history = {} }: StoreOptions): HistoryTable.Limits => ({
  versions: history.versions ?? 10,
  objectBytes: history.objectBytes ?? 1024 * 1024,
  bytes: history.bytes ?? 256 * 1024 * 1024,
  ageMillis: Duration.toMillis(history.age ?? "7 days"),
  derivedMillis: Math.min(Duration.toMillis(history.derivedAge ?? "1 day"), Duration.toMillis(history.age ?? "7 days"))
})

/**
 * A store in memory with chosen bounds: all of the semantics, nothing survives the scope.
 *
 * @category layers
 */
export const layerMemoryWith = (options: StoreOptions): Layer.Layer<ObjectStore> =>
  Layer.scoped(
    ObjectStore,
    Effect.gen(function*() {
      const { backend, history } = yield* Effect.acquireRelease(
        Effect.sync(() => MemoryBackend.make(limitsOf(options))),
        ({ close }) => Effect.sync(close)
      )
      const recovered = { records: [], revision: 0, compacted: 0 }
      return yield* StoreService.make({ backend, history, recovered, sink: undefined, defer: queueMicrotask }, options)
    })
  )

/**
 * A store in memory: all of the semantics, nothing survives the scope.
 *
 * @category layers
 */
export const layerMemory: Layer.Layer<ObjectStore> = layerMemoryWith({})

// Of the event loop: a large database takes seconds to read, and whoever asks what is going on gets an answer meanwhile.
const turn = Effect.async<void>((resume) => {
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
  const prefixes = options.writeBehind?.prefixes ?? []
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
      const recovering = SqliteBackend.recover(db, (key) => isBehind(prefixes, key))
      let step = yield* attempt(() => recovering.next())
      while (step.done !== true) {
        yield* turn
        step = yield* attempt(() => recovering.next())
      }
      const recovered = step.value
      const { backend, history } = yield* attempt(() => {
        const history = HistoryTable.make(db, limitsOf(options))
        return { backend: SqliteBackend.make(db, history), history }
      })
      // One turn of the event loop: all sockets that are readable get their requests up to the store, so that they share the
      // transaction that follows. A lone writer passes through it without waiting for anything.
      return yield* StoreService.make({ backend, history, recovered, sink: backend, defer: setImmediate }, options)
    })
  )
}
