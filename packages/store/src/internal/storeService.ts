import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Key from "../Key.js"
import type { Change, HistoricVersion, ObjectStore, StoreOptions, Version, WriteOptions } from "../ObjectStore.js"
import { Compacted, FutureRevision, KeyExists, KeyNotFound, RevisionConflict, StoreError } from "../StoreError.js"
import * as StoreMetrics from "../StoreMetrics.js"
import type { Backend, Recovered } from "./backend.js"
import * as GroupCommit from "./groupCommit.js"
import type { Former, HistoryTable } from "./historyTable.js"
import * as Origins from "./origins.js"
import type { VersionRecord } from "./versionIndex.js"
import * as VersionIndex from "./versionIndex.js"
import * as WriteBehind from "./writeBehind.js"
import type { Intent } from "./writeQueue.js"

/** How many changes one transaction of a compaction goes through at most. */
const compactionStep = 512

/** How many steps of trimming follow one compaction at most: the next one goes on. */
const tidySteps = 256

/** How many revisions are set aside at a time for writes that are not written at once. */
const reservation = 16_384

/** Former versions of keys that are written behind: as many are kept for lists that are being paged through. */
const formerBehind = 4096

/** Versions that are still kept, of one object, that its history shows. */
const shownFromIndex = 64

const mebibyte = 1024 * 1024

type Service = Context.Tag.Service<ObjectStore>

/** What the layers differ in. */
export interface Parts {
  readonly backend: Backend
  readonly history: HistoryTable
  readonly recovered: Recovered
  /** Where versions go that are written behind; absent when nothing survives. */
  readonly sink: WriteBehind.Sink | undefined
  readonly defer: (run: () => void) => void
}

const attempt = <A>(operation: string, body: () => A): Effect.Effect<A, StoreError> =>
  Effect.try({ try: body, catch: (fault) => GroupCommit.toStoreError(operation, fault) })

const mustBe = (key: string, expected: number) => (current: { readonly revision: number } | undefined) =>
  current === undefined
    ? new KeyNotFound({ key })
    : current.revision === expected
    ? undefined
    : new RevisionConflict({ key, expected, actual: current.revision })

/** A version of the history; its bytes are unpacked when somebody asks for them. */
class Historic implements HistoricVersion {
  readonly key: string
  readonly revision: number
  readonly createRevision: number
  readonly type: HistoricVersion["type"]
  readonly origin: HistoricVersion["origin"]
  readonly #former: Former

  constructor(key: string, former: Former) {
    this.key = key
    this.revision = former.revision
    this.createRevision = former.createRevision
    this.type = former.type
    this.origin = former.origin
    this.#former = former
  }

  get bytes(): Uint8Array {
    return this.#former.bytes
  }
}

/** Gives the event loop a turn. */
const turn = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/** The service on top of a backend. */
export const make = Effect.fnUntraced(function*(parts: Parts, options: StoreOptions) {
  const { backend, history, recovered } = parts
  const clock = yield* Effect.clock
  const index = VersionIndex.make(recovered.records, recovered.compacted)
  const state: GroupCommit.State = { index, revision: recovered.revision, compacted: recovered.compacted, failure: undefined }
  const subscriptions = new Set<GroupCommit.Subscription>()
  const compacting = yield* Effect.makeSemaphore(1)
  const prefixes = options.writeBehind?.prefixes ?? []
  StoreMetrics.revision.unsafeUpdate(state.revision, [])
  StoreMetrics.objects.unsafeUpdate(index.size(), [])
  StoreMetrics.failed.unsafeUpdate(0, [])

  // Of keys that are written behind, everything is known from here on.
  let known = state.revision
  const former: Array<VersionRecord> = []
  let reserved = state.revision

  const behind = parts.sink === undefined || options.writeBehind === undefined ? undefined : WriteBehind.make(index, parts.sink, {
    prefixes,
    intervalMillis: Duration.toMillis(options.writeBehind.interval ?? "10 seconds"),
    pending: options.writeBehind.pending ?? 4096
  })
  if (behind !== undefined) {
    yield* Effect.addFinalizer(() =>
      state.failure === undefined
        ? Effect.catchAll(
          attempt("close", () => behind.close(state.revision)),
          (error) => Effect.logError("the last heartbeats and events were not written", error)
        )
        : Effect.void
    )
  }

  const committer = yield* GroupCommit.make(backend, state, subscriptions, {
    queueCapacity: options.queueCapacity ?? 4096,
    groupSize: options.groupSize ?? 512,
    groupBytes: options.groupBytes ?? 8 * mebibyte,
    maxObjectBytes: options.maxObjectBytes ?? 1.5 * mebibyte,
    defer: parts.defer,
    inMemory: parts.sink === undefined
  })

  if (behind !== undefined) {
    const interval = options.writeBehind?.interval ?? "10 seconds"
    yield* Effect.raceFirst(Effect.sleep(interval), behind.full).pipe(
      Effect.zipRight(behind.flush),
      Effect.catchAllDefect((fault) =>
        Effect.zipRight(
          Effect.sync(() => committer.stopAfter(fault)),
          // What passes (a full disk) is tried again with the next turn.
          Effect.zipRight(Effect.logError("heartbeats and events were not written", fault), Effect.sleep(interval))
        )
      ),
      Effect.forever,
      Effect.forkScoped
    )
  }

  /** Runs before a write that is not written at once gets its revision. */
  const reserve = (): void => {
    if (behind === undefined || state.revision < reserved) return
    backend.reserve(state.revision + reservation)
    reserved = state.revision + reservation
  }

  const noteBehind = (record: VersionRecord): void => {
    behind?.note(record)
    if (record.older === undefined) return
    former.push(record)
    if (former.length <= formerBehind * 2) return
    for (const old of former.splice(0, formerBehind)) {
      index.dropOlder(old)
      known = Math.max(known, old.revision)
    }
  }

  const write = <E>(intent: Omit<Intent<E>, "origin">, { origin }: WriteOptions = {}) => {
    const problem = Key.problem(intent.key)
    if (problem !== undefined) {
      return Effect.fail(new StoreError({ operation: intent.type, reason: "InvalidKey", detail: problem }))
    }
    return prefixes.length > 0 && WriteBehind.isBehind(prefixes, intent.key)
      ? committer.immediate({ ...intent, origin: undefined }, reserve, noteBehind)
      : committer.submit({ ...intent, origin })
  }

  const toVersion = (record: VersionRecord): Version => ({
    key: record.key,
    revision: record.revision,
    createRevision: record.createRevision,
    bytes: backend.content(record).bytes
  })

  const toChange = (record: VersionRecord): Change => {
    const { bytes, origin } = backend.content(record)
    const { createRevision, key, previousRevision, revision, type } = record
    return {
      type,
      key,
      revision,
      createRevision,
      bytes,
      ...(previousRevision === undefined ? {} : { previousRevision }),
      ...(origin === undefined ? {} : { origin })
    }
  }

  /** What is still kept of a key with an origin, oldest first; of a run of reports only the last. */
  const recent = (key: string): ReadonlyArray<HistoricVersion> => {
    const found: Array<HistoricVersion> = []
    for (
      let record = index.newest(key);
      record !== undefined && !record.dropped && found.length < shownFromIndex;
      record = record.older
    ) {
      const { bytes, origin } = backend.content(record)
      if (origin === undefined || Origins.isRun(origin, found.at(-1)?.origin)) continue
      const { createRevision, revision, type } = record
      found.push({ key, revision, createRevision, type, origin, bytes })
    }
    return found.toReversed()
  }

  const keptAt = (key: string, revision: number): { readonly bytes: Uint8Array } | undefined => {
    let record = index.newest(key)
    while (record !== undefined && record.revision > revision) record = record.older
    return record?.revision === revision && !record.dropped ? backend.content(record) : undefined
  }

  const compactStep = (target: number) =>
    Effect.suspend(() => {
      if (state.failure !== undefined) return Effect.fail(GroupCommit.failedBefore(state.failure)("compact"))
      const records = index.compactable(target, compactionStep)
      try {
        const done = records.length === 0 ? 0 : backend.compact(records, clock.unsafeCurrentTimeMillis())
        const last = records[done - 1]?.revision ?? target
        const dropped = index.compacted(done)
        state.compacted = done === records.length && records.length < compactionStep ? target : last
        StoreMetrics.compactedVersions.unsafeUpdate(dropped, [])
        return Effect.succeed(dropped)
      } catch (fault) {
        committer.stopAfter(fault)
        return Effect.fail(GroupCommit.toStoreError("compact", fault))
      }
    })

  const tidy = Effect.suspend(() => {
    let steps = 0
    let more = true
    return Effect.whileLoop({
      while: () => more && steps++ < tidySteps && state.failure === undefined,
      body: () =>
        Effect.zipLeft(
          Effect.try({
            try: () => backend.tidy(clock.unsafeCurrentTimeMillis()),
            catch: (fault) => {
              committer.stopAfter(fault)
              return GroupCommit.toStoreError("compact", fault)
            }
          }),
          turn
        ),
      step: (result) => {
        more = result
      }
    })
  })

  const service: Service = {
    revision: Effect.sync(() => state.revision),
    compactedRevision: Effect.sync(() => state.compacted),

    get: (key) =>
      attempt("get", () => {
        const record = index.current(key)
        return record === undefined ? Option.none() : Option.some(toVersion(record))
      }),

    range: Effect.fnUntraced(function*({ coalesced, limit, prefix, revision, startAfter }) {
      const at = revision ?? state.revision
      if (at > state.revision) return yield* new FutureRevision({ requested: at, current: state.revision })
      const oldest = coalesced === true || !WriteBehind.overlaps(prefixes, prefix) ? state.compacted : Math.max(state.compacted, known)
      if (at < oldest) return yield* new Compacted({ requested: at, compacted: oldest })
      const query = { prefix, startAfter: startAfter ?? "", revision: at, limit: limit ?? Infinity }
      return yield* attempt("range", () => {
        const { items, remaining } = index.range(query)
        return { items: items.map(toVersion), revision: at, more: remaining > 0, remaining }
      })
    }),

    create: (key, encode, options) =>
      write({
        type: "create",
        key,
        encode,
        check: (current) => current === undefined ? undefined : new KeyExists({ key, revision: current.revision })
      }, options),
    update: (key, expected, encode, options) => write({ type: "update", key, encode, check: mustBe(key, expected) }, options),
    delete: (key, expected, encode, options) => write({ type: "delete", key, encode, check: mustBe(key, expected) }, options),

    subscribe: (listener) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => {
          const subscription = { listener }
          subscriptions.add(subscription)
          return subscription
        }),
        (subscription) => Effect.sync(() => subscriptions.delete(subscription))
      )),

    changesAfter: Effect.fnUntraced(function*(revision, limit) {
      if (revision < state.compacted) return yield* new Compacted({ requested: revision, compacted: state.compacted })
      return yield* attempt("changesAfter", () => index.changes(revision, state.revision, limit ?? Infinity).map(toChange))
    }),

    compact: (revision) =>
      compacting.withPermits(1)(Effect.suspend(() => {
        const target = Math.min(revision, state.revision)
        let dropped = 0
        return Effect.whileLoop({
          while: () => state.compacted < target,
          body: () => Effect.zipLeft(compactStep(target), turn),
          step: (count) => {
            dropped += count
          }
        }).pipe(Effect.zipRight(tidy), Effect.map(() => dropped))
      })),

    history: (key) =>
      attempt("history", () => {
        const shown = recent(key)
        const first = shown[0]?.revision ?? Infinity
        const kept = history.of(key, (revision) => keptAt(key, revision), clock.unsafeCurrentTimeMillis()).filter(({ revision }) => revision < first)
        return [...kept.map((version) => new Historic(key, version)), ...shown]
      }),

    historyKeys: (prefix, startAfter, limit) =>
      attempt("historyKeys", () => {
        const found = new Set(history.keys(prefix, startAfter, limit))
        let more = limit
        for (const record of index.under(prefix, startAfter)) {
          if (more <= 0) break
          if (WriteBehind.isBehind(prefixes, record.key) || (record.type !== "delete" && record.older === undefined)) continue
          found.add(record.key)
          more--
        }
        return [...found].sort(Key.compare).slice(0, limit)
      }),

    isWrittenBehind: (prefix) => WriteBehind.overlaps(prefixes, prefix)
  }
  return service
})
