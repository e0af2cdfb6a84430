import { assert, describe, it } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Effect, Option, TestClock } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { DatabaseSync } from "node:sqlite"
import { body, layers, temporaryDirectory, textOf } from "./support/stores.js"

const writeBehind = { prefixes: ["/leases/", "/events/"] }

describe.each(layers)("writing behind in %s", (_name, make) => {
  it.scoped("gives revisions in one order with durable writes, and publishes each at once", () =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const seen: Array<string> = []
      yield* store.subscribe((changes) => seen.push(...changes.map((change) => `${change.type} ${change.key} ${change.revision}`)))
      const lease = yield* store.create("/leases/a", body("a"))
      yield* store.create("/pods/a", body("a"))
      yield* store.update("/leases/a", lease.revision, body("b"))
      assert.strictEqual((yield* Effect.flip(store.update("/leases/a", lease.revision, body("b"))))._tag, "RevisionConflict")
      assert.strictEqual((yield* Effect.flip(store.create("/leases/a", body("b"))))._tag, "KeyExists")
      assert.strictEqual((yield* Effect.flip(store.delete("/leases/b", 1, body("b"))))._tag, "KeyNotFound")
      yield* store.delete("/leases/a", 3, body("b"))
      yield* store.create("/leases/a", body("c"))
      assert.deepStrictEqual(seen, [
        "create /leases/a 1",
        "create /pods/a 2",
        "update /leases/a 3",
        "delete /leases/a 4",
        "create /leases/a 5"
      ])
      assert.deepStrictEqual((yield* store.range({ prefix: "" })).items.map(textOf), ["c@5", "a@2"])
      assert.deepStrictEqual((yield* store.range({ prefix: "", revision: 3 })).items.map(textOf), ["b@3", "a@2"])
      assert.deepStrictEqual((yield* store.changesAfter(2)).map((change) => change.revision), [3, 4, 5])
      assert.deepStrictEqual(["/leases/", "/leases/a/", "/", "/pods/"].map(store.isWrittenBehind), [true, true, true, false])
    }).pipe(Effect.provide(make({ writeBehind }))))

  it.scoped("keeps a bounded number of former versions, and says where they begin", () =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      yield* store.create("/pods/a", body("a"))
      let version = yield* store.create("/leases/a", body("a"))
      for (let i = 0; i < 20_000; i++) version = yield* store.update("/leases/a", version.revision, body("a"))
      const error = yield* Effect.flip(store.range({ prefix: "/leases/", revision: 5 }))
      assert.strictEqual(error._tag, "Compacted")
      assert.deepStrictEqual((yield* store.range({ prefix: "/pods/", revision: 5 })).items.map(textOf), ["a@1"])
      const past = version.revision - 1000
      assert.deepStrictEqual((yield* store.range({ prefix: "/leases/", revision: past })).items.map(textOf), [`a@${past}`])
      assert.isAtMost((yield* store.changesAfter(0)).length, 8200)
      yield* store.compact(version.revision)
      assert.deepStrictEqual((yield* store.range({ prefix: "/leases/" })).items.map(textOf), [`a@${version.revision}`])
    }).pipe(Effect.provide(make({ writeBehind }))))
})

describe("writing behind in a file", () => {
  const place = Effect.map(temporaryDirectory, (directory) => ({
    path: NodePath.join(directory, "store.db"),
    copy: NodePath.join(directory, "copy.db")
  }))
  const open = (path: string) => ObjectStore.layerSqlite({ path, writeBehind })

  /** What a process that is killed now leaves behind. */
  const kill = (path: string, copy: string) =>
    Effect.async<void>((resume) => {
      for (const suffix of ["", "-wal"]) {
        NodeFs.rmSync(`${copy}${suffix}`, { force: true })
        NodeFs.copyFileSync(`${path}${suffix}`, `${copy}${suffix}`)
      }
      setImmediate(() => resume(Effect.void))
    })

  const segments = (path: string) =>
    Effect.sync(() => {
      const db = new DatabaseSync(path)
      const row = db.prepare("SELECT count(*) AS count FROM segment").get()
      db.close()
      return Number(row?.["count"])
    })

  it.scoped("finds everything after an orderly end", () =>
    Effect.gen(function*() {
      const { path } = yield* place
      yield* Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        const a = yield* store.create("/leases/a", body("a"))
        yield* store.update("/leases/a", a.revision, body("b"))
        const c = yield* store.create("/events/c", body("c"))
        yield* store.delete("/events/c", c.revision, body("c"))
        yield* store.create("/events/d", body("d"))
      }).pipe(Effect.provide(open(path)))
      yield* Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        assert.strictEqual(yield* store.revision, 5)
        assert.deepStrictEqual((yield* store.range({ prefix: "" })).items.map(textOf), ["d@5", "b@2"])
        // A list that was begun before cannot go on: what happened in between is not known.
        assert.strictEqual((yield* Effect.flip(store.range({ prefix: "/leases/", revision: 4 })))._tag, "Compacted")
        const d = Option.getOrThrow(yield* store.get("/events/d"))
        yield* store.update("/events/d", d.revision, body("e"))
      }).pipe(Effect.provide(open(path)))
    }))

  it.scoped("uses no revision twice when it was killed, and has what was written in time", () =>
    Effect.gen(function*() {
      const { copy, path } = yield* place
      yield* Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        const a = yield* store.create("/leases/a", body("a"))
        yield* store.create("/pods/a", body("a"))
        yield* TestClock.adjust("10 seconds")
        // It is packed in another thread.
        yield* Effect.repeat(Effect.zipRight(kill(path, copy), segments(copy)), { until: (count) => count > 0 })
        const lost = yield* store.update("/leases/a", a.revision, body("lost"))
        yield* kill(path, copy)
        yield* Effect.gen(function*() {
          const next = yield* ObjectStore.ObjectStore
          assert.isAtLeast(yield* next.revision, lost.revision)
          assert.deepStrictEqual((yield* next.range({ prefix: "" })).items.map(textOf), ["a@1", "a@2"])
          assert.isAbove((yield* next.create("/leases/b", body("b"))).revision, lost.revision)
          assert.isAbove((yield* next.create("/pods/b", body("b"))).revision, lost.revision)
        }).pipe(Effect.provide(open(copy)))
      }).pipe(Effect.provide(open(path)))
    }))

  it.scoped("writes all anew from time to time, so that nothing grows", () =>
    Effect.gen(function*() {
      const { path } = yield* place
      for (let round = 0; round < 3; round++) {
        yield* Effect.gen(function*() {
          const store = yield* ObjectStore.ObjectStore
          for (let i = 0; i < 100; i++) {
            const key = `/leases/${i % 20}`
            const current = yield* store.get(key)
            yield* Option.isNone(current) ? store.create(key, body("a")) : store.update(key, current.value.revision, body("a"))
            yield* TestClock.adjust("10 seconds")
          }
        }).pipe(Effect.provide(open(path)))
        assert.isAtMost(yield* segments(path), 65)
      }
    }))
})
