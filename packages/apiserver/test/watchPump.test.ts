import { assert, describe, it } from "@effect/vitest"
import { type CacheEvent, WatchCache } from "@reddwarf/event-bus"
import { ObjectStore } from "@reddwarf/store"
import { Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import * as watchPump from "../src/internal/watchPump.js"

const layer = WatchCache.layer.pipe(Layer.provideMerge(ObjectStore.layerMemory))
const bytes = new TextEncoder().encode("{}")
const count = 200

const create = (n: number) =>
  Effect.flatMap(ObjectStore.ObjectStore, (store) => store.create(`/core/pods/default/p${n}`, () => ({ bytes, object: {} })))

describe("the pump of watches", () => {
  it.scopedLive("gives every event to every watcher in order, also to those that have to wait for their receiver", () =>
    Effect.gen(function*() {
      const cache = yield* WatchCache.WatchCache
      const received = Array.from({ length: 50 }, (): Array<number> => [])
      const all = yield* Deferred.make<void>()
      let left = received.length
      for (const [at, revisions] of received.entries()) {
        const watcher = yield* cache.watch({ prefix: "/core/pods/" })
        const send = (events: ReadonlyArray<CacheEvent.CacheEvent>) => {
          for (const { revision } of events) revisions.push(revision)
          if (revisions.length === count && --left === 0) Deferred.unsafeDone(all, Effect.void)
          return at % 2 === 0 ? undefined : Effect.yieldNow()
        }
        yield* Effect.forkScoped(watchPump.pump(watcher, send))
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
      const ending = yield* Effect.fork(watchPump.pump(closed, () => undefined))
      yield* Effect.yieldNow()
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(ending)))
      const slow = yield* cache.watch({ prefix: "/", capacity: 1 })
      const waiting = yield* Deferred.make<void>()
      const pumping = yield* Effect.fork(watchPump.pump(slow, () => Deferred.await(waiting)))
      const broken = yield* cache.watch({ prefix: "/" })
      const dying = yield* Effect.fork(watchPump.pump(broken, () => {
        throw new Error("a bug")
      }))
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
      const encoder = {
        event: (event: CacheEvent.CacheEvent) => {
          made++
          return new TextEncoder().encode(`${event.revision}\n`)
        },
        bookmark: () => bytes
      }
      const batch = watchPump.sharedBatch("/core/pods/", encoder)
      const pieces = watchers.map((watcher) => batch(watcher.takeNow()))
      assert.strictEqual(new TextDecoder().decode(pieces[0]), "1\n2\n3\n")
      assert.strictEqual(pieces[0], pieces[2])
      assert.strictEqual(made, 3)
    }).pipe(Effect.provide(layer)))
})
