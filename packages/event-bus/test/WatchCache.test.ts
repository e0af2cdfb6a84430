import { assert, describe } from "@effect/vitest"
import { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore } from "@reddwarf/store"
import { Context, Effect, Fiber, Layer, TestClock } from "effect"
import { effect, encoder, json, keysOf, pod, services, shown } from "./support/cache.js"

describe("reads", () => {
  effect(
    "show a write to whoever was answered it",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      assert.strictEqual(cache.revision(), 0)
      const created = yield* store.create(pod("a"), json("a"))
      assert.strictEqual(cache.revision(), created.revision)
      assert.deepInclude(cache.get(pod("a")), { key: pod("a"), revision: 1, createRevision: 1 })
      assert.deepStrictEqual(cache.get(pod("a"))?.object, { name: "a", resourceVersion: "1" })
      const updated = yield* store.update(pod("a"), created.revision, json("a"))
      assert.deepInclude(cache.get(pod("a")), { revision: 2, createRevision: 1 })
      yield* store.delete(pod("a"), updated.revision, json("a"))
      assert.isUndefined(cache.get(pod("a")))
      assert.deepStrictEqual(cache.list("/"), [])
    })
  )

  effect(
    "hand on the object of the writer, and parse at most once without one",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const object = { name: "a" }
      yield* store.create(pod("a"), () => ({ bytes: encoder.encode("not read"), object }))
      assert.strictEqual(cache.get(pod("a"))?.object, object)
      yield* store.create(pod("b"), json("b"))
      const b = cache.get(pod("b"))
      assert.strictEqual(b?.object, b?.object)
    })
  )

  effect(
    "forget parsed objects that were not asked for lately, and parse them again",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      yield* store.create(pod("first"), json("first"))
      const before = cache.get(pod("first"))?.object
      for (let i = 0; i < 2_100; i++) {
        yield* store.create(pod(`${i}`), json("x"))
        assert.deepStrictEqual(cache.get(pod(`${i}`))?.object, { name: "x", resourceVersion: String(i + 2) })
      }
      const after = cache.get(pod("first"))?.object
      assert.notStrictEqual(after, before)
      assert.deepStrictEqual(after, before)
    })
  )

  effect(
    "list a namespace, a resource or all, in the order of keys",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const keys = [pod("z", "a"), pod("y", "a-b"), pod("x", "a"), "/core/nodes/n1", "/apps/deployments/a/d", pod("w", "b")]
      for (const key of keys) yield* store.create(key, json("x"))
      assert.deepStrictEqual(keysOf(cache.list("/core/pods/a/")), [pod("x", "a"), pod("z", "a")])
      assert.deepStrictEqual(keysOf(cache.list("/core/pods/")), [pod("y", "a-b"), pod("x", "a"), pod("z", "a"), pod("w", "b")])
      assert.deepStrictEqual(keysOf(cache.list("/core/nodes/")), ["/core/nodes/n1"])
      assert.strictEqual(cache.count("/"), keys.length)
      assert.deepStrictEqual(
        keysOf(cache.list("/")),
        (yield* store.range({ prefix: "/" })).items.map((item) => item.key)
      )
    })
  )

  effect(
    "can wait for a revision, and say when it does not come",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const waiting = yield* Effect.fork(cache.waitFor(2))
      yield* store.create(pod("a"), json("a"))
      yield* store.create(pod("b"), json("b"))
      yield* Fiber.join(waiting)
      yield* cache.waitFor(1)
      const late = yield* Effect.fork(Effect.flip(cache.waitFor(9)))
      yield* TestClock.adjust("3 seconds")
      const error = yield* Fiber.join(late)
      assert.deepInclude(error, { _tag: "RevisionTooLarge", requested: 9, current: 2 })
      assert.strictEqual(error.message, "Too large resource version: 9, current: 2")
    })
  )
})

describe("parsed objects", () => {
  effect(
    "are kept for those who ask again, whoever walks through all of them meanwhile",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const names = Array.from({ length: 6000 }, (_, i) => pod(String(i).padStart(4, "0")))
      yield* Effect.forEach(names, (key) => store.create(key, json(key)), { concurrency: "unbounded", discard: true })
      const [first = "", second = ""] = names
      const read = () => cache.get(first)?.object
      read()
      assert.isObject(cache.get(second)?.object)
      const kept = read()
      assert.strictEqual(read(), kept)
      for (const entry of cache.list("/").slice(1)) assert.isObject(entry.object)
      assert.strictEqual(read(), kept)
    })
  )

  effect(
    "are parsed once for several who look at the same entry in turn",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      yield* store.create(pod("a"), json("a"))
      const entry = cache.get(pod("a"))
      assert.strictEqual(entry?.object, entry?.object)
    })
  )
})

describe("a restart", () => {
  const restarted = (store: Context.Tag.Service<ObjectStore.ObjectStore>, options: WatchCache.CacheOptions = {}) =>
    Effect.map(
      Layer.build(Layer.fresh(WatchCache.layerWith(options)).pipe(Layer.provide(Layer.succeed(ObjectStore.ObjectStore, store)))),
      Context.get(WatchCache.WatchCache)
    )

  effect(
    "keeps the state and lets watches go on from kept history",
    Effect.gen(function*() {
      const { store } = yield* services
      const a = yield* store.create(pod("a"), json("a"))
      yield* store.create(pod("b"), json("b"))
      yield* store.update(pod("a"), a.revision, json("a"))
      yield* store.compact(2)
      const b = yield* store.update(pod("b"), 2, json("b"))
      yield* store.delete(pod("b"), b.revision, json("b"))

      const cache = yield* restarted(store)
      assert.strictEqual(cache.revision(), 5)
      assert.strictEqual(cache.oldestRevision(), 2)
      assert.deepStrictEqual(cache.list("/").map((entry) => [entry.key, entry.revision, entry.createRevision]), [[pod("a"), 3, 1]])
      const watcher = yield* cache.watch({ prefix: "/core/pods/", after: 2 })
      const events = yield* watcher.takeAll
      assert.deepStrictEqual(shown(events), [`MODIFIED ${pod("a")} 3`, `MODIFIED ${pod("b")} 4`, `DELETED ${pod("b")} 5`])
      assert.deepStrictEqual(events.map((event) => event.previous?.revision), [1, 2, 4])
      assert.strictEqual((yield* Effect.flip(cache.watch({ prefix: "/", after: 1 })))._tag, "WatchExpired")
    })
  )

  effect(
    "reads no more history than it keeps",
    Effect.gen(function*() {
      const { store } = yield* services
      for (let i = 0; i < 3_000; i++) yield* store.create(pod(`${i}`), json("x"))
      const cache = yield* restarted(store, { historyEvents: 2_000 })
      assert.strictEqual(cache.revision(), 3_000)
      assert.strictEqual(cache.oldestRevision(), 1_000)
      assert.strictEqual(cache.count("/core/pods/default/"), 3_000)
    })
  )
})
