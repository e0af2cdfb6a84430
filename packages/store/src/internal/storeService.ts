import type * as Context from "effect/Context"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Key from "../Key.js"
import type { ObjectStore, StoreOptions, WriteOptions } from "../ObjectStore.js"
import { Compacted, FutureRevision, KeyExists, KeyNotFound, RevisionConflict, StoreError } from "../StoreError.js"
import * as StoreMetrics from "../StoreMetrics.js"
import type { Backend, IndexEntry, Recovered } from "./backend.js"
import * as GroupCommit from "./groupCommit.js"
import * as WriteQueue from "./writeQueue.js"

/** How many revisions one transaction of a compaction goes through: some milliseconds. */
const compactionStep = 512

const mebibyte = 1024 * 1024

type Service = Context.Tag.Service<ObjectStore>

const attempt = <A>(operation: string, body: () => A): Effect.Effect<A, StoreError> =>
  Effect.try({ try: body, catch: (fault) => GroupCommit.toStoreError(operation, fault) })

const mustBe = (key: string, expected: number) => (current: IndexEntry | undefined) =>
  current === undefined
    ? new KeyNotFound({ key })
    : current.revision === expected
    ? undefined
    : new RevisionConflict({ key, expected, actual: current.revision })

/** The service on top of a backend. `gather` lets all writers that are ready get in line before a group is formed. */
export const make = Effect.fnUntraced(function*(
  backend: Backend,
  recovered: Recovered,
  options: StoreOptions,
  gather: Effect.Effect<void>
) {
  const state = GroupCommit.initialState(recovered)
  const queue = WriteQueue.make(options.queueCapacity ?? 4096)
  const subscriptions = new Set<GroupCommit.Subscription>()
  const compacting = yield* Effect.makeSemaphore(1)
  StoreMetrics.revision.unsafeUpdate(state.revision, [])
  StoreMetrics.objects.unsafeUpdate(state.index.size, [])
  StoreMetrics.failed.unsafeUpdate(0, [])

  yield* GroupCommit.run(backend, state, queue, subscriptions, {
    groupSize: options.groupSize ?? 512,
    groupBytes: options.groupBytes ?? 8 * mebibyte,
    maxObjectBytes: options.maxObjectBytes ?? 1.5 * mebibyte,
    gather
  })

  const write = <E>(
    intent: Omit<WriteQueue.Intent<E>, "deadline">,
    options: WriteOptions | undefined
  ) => {
    const problem = Key.problem(intent.key)
    if (problem !== undefined) {
      return Effect.fail(new StoreError({ operation: intent.type, reason: "InvalidKey", detail: problem }))
    }
    if (options?.maxDelay === undefined) return queue.submit({ ...intent, deadline: 0 })
    const delay = Duration.toMillis(options.maxDelay)
    return Effect.flatMap(Clock.currentTimeMillis, (now) => queue.submit({ ...intent, deadline: now + delay }))
  }

  const compactStep = (target: number) =>
    Effect.suspend(() => {
      if (state.failure !== undefined) return Effect.fail(GroupCommit.failedBefore(state.failure)("compact"))
      const to = Math.min(target, state.compacted + compactionStep)
      try {
        const dropped = backend.compact(state.compacted, to)
        state.compacted = to
        StoreMetrics.compactedVersions.unsafeUpdate(dropped, [])
        return Effect.succeed(dropped)
      } catch (fault) {
        GroupCommit.stopAfter(state, queue, fault)
        return Effect.fail(GroupCommit.toStoreError("compact", fault))
      }
    })

  const service: Service = {
    revision: Effect.sync(() => state.revision),
    compactedRevision: Effect.sync(() => state.compacted),

    get: (key) =>
      attempt("get", () => {
        const entry = state.index.get(key)
        return entry === undefined ? Option.none() : Option.some({ key, ...entry, bytes: backend.bytes(entry.revision) })
      }),

    range: Effect.fnUntraced(function*({ prefix, limit, startAfter, revision }) {
      const at = revision ?? state.revision
      if (at > state.revision) return yield* new FutureRevision({ requested: at, current: state.revision })
      if (at < state.compacted) return yield* new Compacted({ requested: at, compacted: state.compacted })
      const query = { prefix, startAfter: startAfter ?? "", revision: at, limit: limit ?? Infinity }
      const { items, remaining } = yield* attempt("range", () => backend.range(query))
      return { items, revision: at, more: remaining > 0, remaining }
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
      return yield* attempt("changesAfter", () => backend.changes(revision, state.revision, limit ?? Infinity))
    }),

    compact: (revision) =>
      compacting.withPermits(1)(Effect.suspend(() => {
        const target = Math.min(revision, state.revision)
        let dropped = 0
        return Effect.map(
          Effect.whileLoop({
            while: () => state.compacted < target,
            body: () => Effect.zipLeft(compactStep(target), gather),
            step: (count) => {
              dropped += count
            }
          }),
          () => dropped
        )
      }))
  }
  return service
})
