import { assert, describe, it } from "@effect/vitest"
import { ObjectStore, StoreMetrics } from "@reddwarf/store"
import { Effect, Exit, Fiber, Metric, Option, Scope } from "effect"
import { body, layers, textOf } from "./support/stores.js"

const keysOf = (items: ReadonlyArray<{ readonly key: string }>) => items.map((item) => item.key)

describe.each(layers)("%s", (_name, make) => {
  const effect = <E>(name: string, test: Effect.Effect<void, E, ObjectStore.ObjectStore | Scope.Scope>, options = {}) =>
    it.scoped(name, () => Effect.provide(test, make(options)))

  effect(
    "gives every write the next revision of one counter, and shows it to the encoder",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      assert.strictEqual(yield* store.revision, 0)
      const a = yield* store.create("/core/pods/default/a", body("a"))
      const b = yield* store.create("/core/pods/default/b", body("b"))
      const a2 = yield* store.update("/core/pods/default/a", a.revision, body("a"))
      assert.deepStrictEqual([a, b, a2].map((version) => version.revision), [1, 2, 3])
      assert.deepStrictEqual([a, b, a2].map((version) => version.createRevision), [1, 2, 1])
      assert.deepStrictEqual([a, b, a2].map(textOf), ["a@1", "b@2", "a@3"])
      assert.strictEqual(yield* store.revision, 3)
      const read = Option.getOrThrow(yield* store.get("/core/pods/default/a"))
      assert.deepStrictEqual({ ...read, bytes: textOf(read) }, {
        key: "/core/pods/default/a",
        revision: 3,
        createRevision: 1,
        bytes: "a@3"
      })
      assert.isTrue(Option.isNone(yield* store.get("/core/pods/default/c")))
    })
  )

  effect(
    "refuses what compare-and-set does not allow, without taking a revision",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const a = yield* store.create("/a", body("a"))
      const a2 = yield* store.update("/a", a.revision, body("a"))
      const exists = yield* Effect.flip(store.create("/a", body("again")))
      assert.deepInclude(exists, { _tag: "KeyExists", key: "/a", revision: 2 })
      const stale = yield* Effect.flip(store.update("/a", a.revision, body("a")))
      assert.deepInclude(stale, { _tag: "RevisionConflict", key: "/a", expected: 1, actual: 2 })
      const staleDelete = yield* Effect.flip(store.delete("/a", a.revision, body("a")))
      assert.strictEqual(staleDelete._tag, "RevisionConflict")
      assert.strictEqual((yield* Effect.flip(store.update("/b", 1, body("b"))))._tag, "KeyNotFound")
      assert.strictEqual((yield* Effect.flip(store.delete("/b", 1, body("b"))))._tag, "KeyNotFound")
      yield* store.delete("/a", a2.revision, body("a"))
      assert.strictEqual((yield* Effect.flip(store.update("/a", a2.revision, body("a"))))._tag, "KeyNotFound")
      assert.strictEqual(yield* store.revision, 3)
    })
  )

  effect(
    "lets a key be created again after its deletion",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const first = yield* store.create("/a", body("a"))
      const deleted = yield* store.delete("/a", first.revision, body("last"))
      assert.deepInclude(deleted, { revision: 2, createRevision: 1 })
      const second = yield* store.create("/a", body("a"))
      assert.deepInclude(second, { revision: 3, createRevision: 3 })
      const changes = yield* store.changesAfter(0)
      assert.deepStrictEqual(
        changes.map((change) => [change.type, change.revision, change.createRevision, change.previousRevision, textOf(change)]),
        [["create", 1, 1, undefined, "a@1"], ["delete", 2, 1, 1, "last@2"], ["create", 3, 3, undefined, "a@3"]]
      )
      assert.deepStrictEqual((yield* store.changesAfter(1, 1)).map((change) => change.revision), [2])
    })
  )

  effect(
    "checks concurrent writers of one group against each other: exactly one wins",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const exits = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, i) => i),
        (i) => Effect.exit(store.create("/a", body(`writer ${i}`))),
        { concurrency: "unbounded" }
      )
      const winners = exits.filter(Exit.isSuccess)
      assert.strictEqual(winners.length, 1)
      assert.strictEqual(yield* store.revision, 1)
      let calls = 0
      const updates = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, i) => i),
        () =>
          Effect.exit(store.update("/a", 1, (revision) => {
            calls++
            return body("b")(revision)
          })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(updates.filter(Exit.isSuccess).length, 1)
      assert.strictEqual(calls, 1)
    })
  )

  effect(
    "publishes in revision order, with the object, before the writer is answered",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const seen: Array<ObjectStore.Change> = []
      const scope = yield* Scope.make()
      yield* Scope.extend(store.subscribe((changes) => seen.push(...changes)), scope)
      const object = { metadata: { name: "a" } }
      const early = yield* Effect.map(
        store.create("/a", (revision) => ({ ...body("a")(revision), object })),
        (version) => seen.some((change) => change.revision === version.revision)
      )
      assert.isTrue(early)
      assert.strictEqual(seen[0]?.object, object)
      yield* Effect.forEach(Array.from({ length: 200 }, (_, i) => i), (i) => store.create(`/b/${i}`, body("b")), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(seen.map((change) => change.revision), Array.from({ length: 201 }, (_, i) => i + 1))
      yield* Scope.close(scope, Exit.void)
      yield* store.create("/c", body("c"))
      assert.strictEqual(seen.length, 201)
    })
  )

  effect(
    "counts what it does",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const writes = (yield* Metric.value(StoreMetrics.writes)).count
      const refused = (yield* Metric.value(StoreMetrics.refused)).count
      const commits = (yield* Metric.value(StoreMetrics.commitSeconds)).count
      yield* store.create("/a", body("a"))
      yield* Effect.flip(store.create("/a", body("a")))
      assert.strictEqual((yield* Metric.value(StoreMetrics.writes)).count, writes + 1)
      assert.strictEqual((yield* Metric.value(StoreMetrics.refused)).count, refused + 1)
      assert.strictEqual((yield* Metric.value(StoreMetrics.commitSeconds)).count, commits + 1)
      assert.strictEqual((yield* Metric.value(StoreMetrics.revision)).value, 1)
    })
  )

  effect(
    "keeps going when a listener throws",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const seen: Array<number> = []
      yield* store.subscribe(() => {
        throw new Error("bug of a listener")
      })
      yield* store.subscribe((changes) => seen.push(...changes.map((change) => change.revision)))
      yield* store.create("/a", body("a"))
      yield* store.create("/b", body("b"))
      assert.deepStrictEqual(seen, [1, 2])
    })
  )

  effect(
    "fails only the write whose encoder throws, and burns no revision for it",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const defect = new Error("cannot encode")
      const exits = yield* Effect.all([
        Effect.exit(store.create("/a", body("a"))),
        Effect.exit(store.create("/b", () => {
          throw defect
        })),
        Effect.exit(store.create("/c", body("c")))
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual(exits[1], Exit.die(defect))
      assert.deepStrictEqual(exits.map((exit) => Exit.isSuccess(exit) ? exit.value.revision : 0), [1, 0, 2])
      assert.isTrue(Option.isNone(yield* store.get("/b")))
    })
  )

  effect(
    "pages through a past state while writes go on",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const names = ["/p/a", "/p/b", "/p/b-c/d", "/p/b/d", "/p/e", "/p/é", "/p/\u{ffff}", "/p/\u{1f600}"]
      for (const name of ["/q/x", ...names.toReversed()]) yield* store.create(name, body(name))
      const first = yield* store.range({ prefix: "/p/", limit: 3 })
      assert.deepStrictEqual(keysOf(first.items), ["/p/a", "/p/b", "/p/b-c/d"])
      assert.deepInclude(first, { revision: 9, more: true, remaining: 5 })
      const e = Option.getOrThrow(yield* store.get("/p/e"))
      yield* store.delete("/p/e", e.revision, body("gone"))
      yield* store.create("/p/c", body("new"))
      const second = yield* store.range({ prefix: "/p/", limit: 3, startAfter: "/p/b-c/d", revision: first.revision })
      assert.deepStrictEqual(keysOf(second.items), ["/p/b/d", "/p/e", "/p/é"])
      assert.deepInclude(second, { revision: 9, more: true, remaining: 2 })
      const third = yield* store.range({ prefix: "/p/", limit: 3, startAfter: "/p/é", revision: first.revision })
      // By the bytes of UTF-8: U+FFFF comes before U+1F600, though its UTF-16 unit is greater.
      assert.deepStrictEqual(keysOf(third.items), ["/p/\u{ffff}", "/p/\u{1f600}"])
      assert.deepInclude(third, { more: false, remaining: 0 })
      assert.deepStrictEqual(keysOf((yield* store.range({ prefix: "/p/" })).items), [
        "/p/a",
        "/p/b",
        "/p/b-c/d",
        "/p/b/d",
        "/p/c",
        "/p/é",
        "/p/\u{ffff}",
        "/p/\u{1f600}"
      ])
      assert.strictEqual((yield* store.range({ prefix: "" })).items.length, 9)
      assert.deepStrictEqual((yield* store.range({ prefix: "/none/" })).items, [])
    })
  )

  effect(
    "forgets what lies before a compaction and keeps everything after it",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const a = yield* store.create("/a", body("a"))
      const b = yield* store.create("/b", body("b"))
      yield* store.update("/a", a.revision, body("a"))
      yield* store.delete("/b", b.revision, body("b"))
      yield* store.create("/c", body("c"))
      const future = yield* Effect.flip(store.range({ prefix: "", revision: 6 }))
      assert.deepInclude(future, { _tag: "FutureRevision", requested: 6, current: 5 })
      assert.strictEqual(yield* store.compact(4), 3)
      assert.strictEqual(yield* store.compactedRevision, 4)
      assert.strictEqual(yield* store.compact(4), 0)
      assert.deepInclude(yield* Effect.flip(store.range({ prefix: "", revision: 3 })), { _tag: "Compacted", compacted: 4 })
      assert.deepInclude(yield* Effect.flip(store.changesAfter(3)), { _tag: "Compacted", requested: 3, compacted: 4 })
      assert.deepStrictEqual((yield* store.range({ prefix: "", revision: 4 })).items.map(textOf), ["a@3"])
      assert.deepStrictEqual((yield* store.changesAfter(4)).map(textOf), ["c@5"])
      assert.deepStrictEqual((yield* store.range({ prefix: "" })).items.map(textOf), ["a@3", "c@5"])
      // At most the present: the newest revision stays readable.
      yield* store.compact(1_000)
      assert.strictEqual(yield* store.compactedRevision, 5)
    })
  )

  effect(
    "compacts a long history in steps, between which writers get their turn",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      let version = yield* store.create("/a", body("a"))
      for (let i = 0; i < 2_000; i++) version = yield* store.update("/a", version.revision, body("a"))
      const fiber = yield* Effect.fork(store.compact(version.revision))
      const during: Array<boolean> = []
      for (let i = 0; i < 3; i++) {
        yield* store.create(`/b/${i}`, body("b"))
        during.push((yield* store.compactedRevision) < version.revision)
      }
      assert.strictEqual(yield* Fiber.join(fiber), 2_000)
      assert.isTrue(during[0])
      assert.deepStrictEqual(keysOf((yield* store.range({ prefix: "" })).items), ["/a", "/b/0", "/b/1", "/b/2"])
    })
  )

  effect(
    "refuses keys that cannot be ordered and objects above the limit",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      for (const key of ["", "/a\0b", "/\ud800", "/\u{10ffff}", `/${"x".repeat(1024)}`]) {
        assert.deepInclude(yield* Effect.flip(store.create(key, body("a"))), { _tag: "StoreError", reason: "InvalidKey" })
      }
      const large = yield* Effect.flip(store.create("/large", () => ({ bytes: new Uint8Array(1001) })))
      assert.deepInclude(large, { _tag: "StoreError", reason: "TooLarge" })
      assert.strictEqual((yield* store.create("/fits", () => ({ bytes: new Uint8Array(1000) }))).revision, 1)
    }),
    { maxObjectBytes: 1000 }
  )

  effect(
    "makes writers wait when the line is full, and serves all of them",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const sizes: Array<number> = []
      yield* store.subscribe((changes) => sizes.push(changes.length))
      yield* Effect.forEach(Array.from({ length: 300 }, (_, i) => i), (i) => store.create(`/${i}`, body("a")), {
        concurrency: "unbounded"
      })
      assert.strictEqual(yield* store.revision, 300)
      assert.isAtMost(Math.max(...sizes), 8)
    }),
    { queueCapacity: 16, groupSize: 8 }
  )

  effect(
    "closes a group before it grows above its bytes",
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const sizes: Array<number> = []
      yield* store.subscribe((changes) => sizes.push(changes.length))
      yield* Effect.forEach(
        Array.from({ length: 10 }, (_, i) => i),
        (i) => store.create(`/${i}`, () => ({ bytes: new Uint8Array(60) })),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(sizes, [2, 2, 2, 2, 2])
    }),
    { groupBytes: 100 }
  )

  it.effect("answers writers that come when it is closed", () =>
    Effect.gen(function*() {
      const store = yield* Effect.scoped(Effect.provide(ObjectStore.ObjectStore, make({})))
      const error = yield* Effect.flip(store.create("/a", body("a")))
      assert.deepInclude(error, { _tag: "StoreError", reason: "Closed" })
    }))
})
