import { assert, describe, it } from "@effect/vitest"
import { type CacheEvent, WatchCache } from "@reddwarf/event-bus"
import { ObjectStore } from "@reddwarf/store"
import { Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import * as watchPieces from "../src/internal/watchPieces.js"
import * as watchPump from "../src/internal/watchPump.js"

const layer = WatchCache.layer.pipe(Layer.provideMerge(ObjectStore.layerMemory))
const bytes = new TextEncoder().encode("{}")
const count = 200

const create = (n: number) =>
  Effect.flatMap(ObjectStore.ObjectStore, (store) => store.create(`/core/pods/default/p${n}`, () => ({ bytes, object: {} })))

/** Writes each event as its revision; `made` is told of every one. */
const numbers = (made: () => void = () => {}) => ({
  event: ({ revision }: CacheEvent.CacheEvent) => {
    made()
    return new TextEncoder().encode(`${revision}\n`)
  },
  bookmark: () => bytes
})

const next = watchPieces.own(() => bytes)
const always = { write: () => true, drained: Effect.void }
const whenDrained = (listener: () => void) => {
  const handle = setImmediate(listener)
  return () => clearImmediate(handle)
}

describe("the pump of watches", () => {
  it.scopedLive("gives every event to every watcher in order, also to those that have to wait for their receiver", () =>
    Effect.gen(function*() {
      const cache = yield* WatchCache.WatchCache
      const received = Array.from({ length: 50 }, (): Array<number> => [])
      const all = yield* Deferred.make<void>()
      let left = received.length
      for (const [at, revisions] of received.entries()) {
        const watcher = yield* cache.watch({ prefix: "/core/pods/" })
        const sink = {
          write: (piece: Uint8Array) => {
            for (const line of new TextDecoder().decode(piece).trim().split("\n")) revisions.push(Number(line))
            if (revisions.length === count && --left === 0) Deferred.unsafeDone(all, Effect.void)
            return at % 3 === 0
          },
          drained: Effect.yieldNow(),
          ...(at % 3 === 1 ? { whenDrained } : {})
        }
        yield* Effect.forkScoped(watchPump.pump(watcher, watchPieces.shared("/core/pods/", numbers()), sink))
      }
      for (let n = 0; n < count; n++) yield* create(n)
      yield* Deferred.await(all)
      const expected = Array.from({ length: count }, (_, n) => n + 1)
      for (const revisions of received) assert.deepStrictEqual(revisions, expected)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("ends as the watcher does, or with the defect of who sends", () =>
    Effect.gen(function*() {
      const cache = yield* WatchCache.WatchCache
      const scope = yield* Scope.make()
      const closed = yield* Scope.extend(cache.watch({ prefix: "/" }), scope)
      const ending = yield* Effect.fork(watchPump.pump(closed, next, always))
      yield* Effect.yieldNow()
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(ending)))
      const slow = yield* cache.watch({ prefix: "/", capacity: 1 })
      const waiting = yield* Deferred.make<void>()
      const pumping = yield* Effect.fork(watchPump.pump(slow, next, { write: () => false, drained: Deferred.await(waiting) }))
      const broken = yield* cache.watch({ prefix: "/" })
      const dying = yield* Effect.fork(watchPump.pump(broken, () => {
        throw new Error("a bug")
      }, always))
      yield* Effect.yieldNow()
      for (let n = 0; n < 4; n++) yield* create(n)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(dying)))
      yield* Deferred.succeed(waiting, undefined)
      assert.strictEqual((yield* Effect.flip(Fiber.join(pumping)))._tag, "WatchExpired")
    }).pipe(Effect.provide(layer)))

  it.scoped("makes the piece for a batch once for all who see the same", () =>
    Effect.gen(function*() {
      const cache = yield* WatchCache.WatchCache
      const watchers = yield* Effect.replicateEffect(cache.watch({ prefix: "/core/pods/" }), 3)
      for (let n = 0; n < 3; n++) yield* create(n)
      let made = 0
      const piece = watchPieces.shared("/core/pods/", numbers(() => made++))
      const pieces = watchers.map(piece)
      assert.strictEqual(new TextDecoder().decode(pieces[0]), "1\n2\n3\n")
      assert.strictEqual(pieces[0], pieces[2])
      assert.strictEqual(made, 3)
    }).pipe(Effect.provide(layer)))
  it.scoped("keeps those together who stand at the same place, whatever happens while they are served", () =>
    Effect.gen(function*() {
      const cache = yield* WatchCache.WatchCache
      const watchers = yield* Effect.replicateEffect(cache.watch({ prefix: "/core/pods/" }), 3)
      const piece = watchPieces.shared("/core/pods/", numbers())
      for (let n = 0; n < 3; n++) yield* create(n)
      const rounds: Array<Array<Uint8Array | undefined>> = []
      for (let round = 0; round < 4; round++) {
        const pieces: Array<Uint8Array | undefined> = []
        for (const [at, watcher] of watchers.entries()) {
          pieces.push(piece(watcher))
          yield* create(10 + round * 3 + at)
        }
        rounds.push(pieces)
      }
      for (const [first, ...others] of rounds) for (const other of others) assert.strictEqual(other, first)
      assert.deepStrictEqual(rounds.map(([first]) => new TextDecoder().decode(first)), ["1\n2\n3\n", "4\n5\n6\n", "7\n8\n9\n", "10\n11\n12\n"])
    }).pipe(Effect.provide(layer)))

  it.scoped("ends a piece where it is full, and takes nothing that is not in it", () =>
    Effect.gen(function*() {
      const cache = yield* WatchCache.WatchCache
      const watcher = yield* cache.watch({ prefix: "/core/pods/" })
      for (let n = 0; n < 5; n++) yield* create(n)
      const piece = watchPieces.own(({ revision }) => revision === 4 ? undefined : new Uint8Array(30_000).fill(revision))
      const lengths = [piece(watcher), piece(watcher), piece(watcher)].map((bytes) => bytes?.length)
      assert.deepStrictEqual(lengths, [90_000, 30_000, undefined])
    }).pipe(Effect.provide(layer)))
})
