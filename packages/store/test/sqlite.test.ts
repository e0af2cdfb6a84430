import { assert, describe, it } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Effect, Fiber, Layer, Option } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Zlib from "node:zlib"
import { body, temporaryDirectory, textOf } from "./support/stores.js"

const newPath = Effect.map(temporaryDirectory, (directory) => NodePath.join(directory, "store.db"))

const open = (path: string, options: Omit<ObjectStore.SqliteOptions, "path"> = {}) =>
  ObjectStore.layerSqlite({ path, lockTimeout: 0, ...options })

const use = <A, E>(
  path: string,
  body: (store: Effect.Effect.Success<typeof ObjectStore.ObjectStore>) => Effect.Effect<A, E>,
  options?: Omit<ObjectStore.SqliteOptions, "path">
) => Effect.provide(Effect.flatMap(ObjectStore.ObjectStore, body), open(path, options))

const refusal = (path: string) => Effect.flip(Layer.launch(open(path)))

describe("layerSqlite", () => {
  it.scoped("finds everything again: objects, revisions, history, compaction", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* use(path, (store) =>
        Effect.gen(function*() {
          const a = yield* store.create("/a", body("a"))
          const b = yield* store.create("/b", body("b"))
          yield* store.update("/a", a.revision, body("a"))
          yield* store.compact(2)
          yield* store.delete("/b", b.revision, body("b"))
        }))
      yield* use(path, (store) =>
        Effect.gen(function*() {
          assert.strictEqual(yield* store.revision, 4)
          assert.strictEqual(yield* store.compactedRevision, 2)
          assert.deepStrictEqual((yield* store.range({ prefix: "" })).items.map(textOf), ["a@3"])
          assert.deepStrictEqual((yield* store.range({ prefix: "", revision: 3 })).items.map(textOf), ["a@3", "b@2"])
          assert.deepStrictEqual((yield* store.changesAfter(2)).map((change) => [change.type, change.previousRevision]), [
            ["update", 1],
            ["delete", 2]
          ])
          const a = Option.getOrThrow(yield* store.get("/a"))
          assert.deepInclude(a, { revision: 3, createRevision: 1 })
        }))
    }))

  it.scoped("does not go back in revisions when compaction drops the newest row", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* use(path, (store) =>
        Effect.gen(function*() {
          const a = yield* store.create("/a", body("a"))
          yield* store.delete("/a", a.revision, body("a"))
          yield* store.compact(2)
        }))
      const next = yield* use(path, (store) => store.create("/a", body("a")))
      assert.strictEqual(next.revision, 3)
    }))

  it.scoped("makes its files readable by the owner alone", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* use(path, (store) =>
        Effect.gen(function*() {
          yield* store.create("/a", body("a"))
          for (const file of [path, `${path}-wal`]) assert.strictEqual(NodeFs.statSync(file).mode & 0o777, 0o600)
        }))
      NodeFs.chmodSync(path, 0o644)
      yield* use(path, (store) =>
        Effect.gen(function*() {
          yield* store.create("/b", body("b"))
          for (const file of [path, `${path}-wal`]) assert.strictEqual(NodeFs.statSync(file).mode & 0o777, 0o600)
        }))
    }))

  it.scoped("is held by one owner at a time", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const error = yield* use(path, () => refusal(path))
      assert.strictEqual(error._tag, "StoreLocked")
      assert.include(error.message, `${path} is in use by another process`)
      yield* use(path, (store) => store.create("/a", body("a")))
    }))

  it.scoped("refuses what is not a store, and leaves it as it is", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const isDirectory = yield* refusal(directory)
      assert.strictEqual(isDirectory._tag, "StoreForeign")
      assert.include(isDirectory.message, "it is a directory")

      const text = NodePath.join(directory, "notes.txt")
      NodeFs.writeFileSync(text, "these are my notes, they are not a database\n".repeat(40), { mode: 0o644 })
      const isText = yield* refusal(text)
      assert.strictEqual(isText._tag, "StoreForeign")
      assert.include(isText.message, `${text} is not a Reddwarf store`)
      assert.strictEqual(NodeFs.statSync(text).mode & 0o777, 0o644)

      const other = NodePath.join(directory, "other.db")
      const db = new DatabaseSync(other)
      db.exec("CREATE TABLE mail (id INTEGER PRIMARY KEY)")
      db.close()
      const before = NodeFs.readFileSync(other)
      const isOther = yield* refusal(other)
      assert.strictEqual(isOther._tag, "StoreForeign")
      assert.include(isOther.message, "another application")
      assert.deepStrictEqual(NodeFs.readFileSync(other), before)

      const nowhere = yield* refusal(NodePath.join(directory, "no", "store.db"))
      assert.strictEqual(nowhere._tag, "StoreUnavailable")
      assert.include(nowhere.message, "check that its directory exists")
    }))

  it.scoped("refuses the schema of a newer release", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* use(path, () => Effect.void)
      const db = new DatabaseSync(path)
      db.exec("PRAGMA user_version = 99")
      db.close()
      const error = yield* refusal(path)
      assert.deepInclude(error, { _tag: "StoreTooNew", version: 99 })
      assert.include(error.message, "start the newer release again")
    }))

  it.scoped("refuses a damaged file and says which", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* use(path, (store) =>
        Effect.forEach(Array.from({ length: 500 }, (_, i) => i), (i) => store.create(`/core/pods/default/${i}`, body("x".repeat(900))), {
          concurrency: "unbounded"
        }))
      const whole = NodeFs.readFileSync(path)
      const damages: Record<string, Buffer> = {
        torn: whole.subarray(0, Math.floor(whole.length / 2)),
        overwritten: Buffer.concat([whole.subarray(0, 4096 * 3), Buffer.alloc(4096 * 20, 0x5a), whole.subarray(4096 * 23)])
      }
      for (const damage of Object.values(damages)) {
        NodeFs.writeFileSync(path, damage)
        const error = yield* refusal(path)
        assert.strictEqual(error._tag, "StoreCorrupt")
        assert.include(error.message, `${path} is damaged`)
        assert.deepStrictEqual(NodeFs.readFileSync(path), damage)
      }
    }))

  it.scoped("survives a full disk: nothing is acknowledged or published, and room makes writes succeed again", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const published: Array<number> = []
      const large = (revision: number) => body("x".repeat(4000))(revision)
      yield* use(path, (store) =>
        Effect.scoped(Effect.gen(function*() {
          yield* store.subscribe((changes) => published.push(...changes.map((change) => change.revision)))
          const results = yield* Effect.forEach(
            Array.from({ length: 400 }, (_, i) => i),
            (i) => Effect.either(store.create(`/${i % 40}/${i}`, large)),
            { concurrency: 20 }
          )
          const acknowledged = results.flatMap((result) => result._tag === "Right" ? [result.right.revision] : [])
          const errors = results.flatMap((result) => result._tag === "Left" ? [result.left] : [])
          assert.isNotEmpty(acknowledged)
          assert.isNotEmpty(errors)
          for (const error of errors) assert.deepInclude(error, { _tag: "StoreError", reason: "NoSpace" })
          assert.include(errors[0]?.message ?? "", "compact the store or make room")
          assert.deepStrictEqual(published, acknowledged.sort((a, b) => a - b))
          assert.strictEqual(yield* store.revision, published.length)
          assert.deepStrictEqual((yield* store.changesAfter(0)).map((change) => change.revision), published)

          const all = (yield* store.range({ prefix: "" })).items
          for (const item of all.slice(0, 10)) {
            yield* Effect.either(store.delete(item.key, item.revision, () => ({ bytes: new Uint8Array(1) })))
          }
          assert.isAbove(yield* store.compact(yield* store.revision), 0)
          yield* store.create("/fits/again", large)
        })), { maxFileBytes: 1024 * 1024 })
      yield* use(path, (store) =>
        Effect.gen(function*() {
          assert.isTrue(Option.isSome(yield* store.get("/fits/again")))
        }))
    }))

  it.scoped("does not carry out a write whose writer was interrupted while it waited", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* use(path, (store) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.fork(store.create("/a", body("a")))
          yield* Effect.yieldNow()
          yield* Fiber.interrupt(fiber)
          const b = yield* store.create("/b", body("b"))
          assert.strictEqual(b.revision, 1)
          assert.isTrue(Option.isNone(yield* store.get("/a")))
        }))
    }))

  it.scoped("opens what an older release has written, and keeps all of it", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const db = new DatabaseSync(path)
      db.exec(`
        CREATE TABLE version (
          revision INTEGER PRIMARY KEY, key TEXT NOT NULL, type INTEGER NOT NULL CHECK (type IN (1, 2, 3)),
          create_revision INTEGER NOT NULL, previous_revision INTEGER, bytes BLOB NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX version_by_key ON version (key, revision, type, create_revision);
        CREATE TABLE compaction (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
        INSERT INTO compaction VALUES (1, 1);
        INSERT INTO version VALUES (2, '/a', 1, 2, NULL, x'61'), (3, '/leases/n', 1, 3, NULL, x'62'), (4, '/a', 2, 2, 2, x'63'),
          (5, '/leases/n', 2, 3, 3, x'64'), (6, '/leases/gone', 1, 6, NULL, x'65'), (7, '/leases/gone', 3, 6, 6, x'66');
        PRAGMA application_id = 1380210502;
        PRAGMA user_version = 1;
      `)
      db.close()
      const read = (writeBehind: ReadonlyArray<string>) =>
        use(path, (store) =>
          Effect.gen(function*() {
            assert.strictEqual(yield* store.revision, 7)
            assert.deepStrictEqual(
              (yield* store.range({ prefix: "" })).items.map((item) => [item.key, item.revision, item.createRevision, textOf(item)]),
              [["/a", 4, 2, "c"], ["/leases/n", 5, 3, "d"]]
            )
            assert.deepStrictEqual((yield* store.range({ prefix: "/a", revision: 3 })).items.map(textOf), ["a"])
          }), { writeBehind: { prefixes: writeBehind } })
      // Which keys are written behind may change from one start to the next.
      yield* read(["/leases/"])
      yield* read([])
      yield* read(["/leases/"])
    }))

  it.scoped("shows and goes on with the history that an older release has written", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const bytes = (v: number) => Buffer.from(`{"v":${v},"filler":"${"x".repeat(300)}"}`)
      const whole = (v: number) => Zlib.zstdCompressSync(bytes(v))
      const delta = (v: number, follower: number) => Zlib.zstdCompressSync(bytes(v), { dictionary: bytes(follower) })
      const origin = JSON.stringify([1, "ada", "update", "kubectl", ""])
      const db = new DatabaseSync(path)
      db.exec(`
        CREATE TABLE version (
          revision INTEGER PRIMARY KEY, key TEXT NOT NULL, type INTEGER NOT NULL CHECK (type IN (1, 2, 3)),
          create_revision INTEGER NOT NULL, previous_revision INTEGER, bytes BLOB NOT NULL, origin TEXT
        ) STRICT;
        CREATE TABLE compaction (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
        INSERT INTO compaction VALUES (1, 7);
        CREATE TABLE history (
          id INTEGER PRIMARY KEY, key TEXT NOT NULL, revision INTEGER NOT NULL, create_revision INTEGER NOT NULL,
          type INTEGER NOT NULL CHECK (type IN (1, 2, 3)), replaced INTEGER NOT NULL, origin TEXT NOT NULL, base INTEGER, bytes BLOB NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX history_by_key ON history (key, revision);
        CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO counter VALUES ('history_bytes', 1000), ('reserved', 0);
        CREATE TABLE segment (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        PRAGMA application_id = 1380210502;
        PRAGMA user_version = 2;
      `)
      const insert = db.prepare("INSERT INTO history (key, revision, create_revision, type, replaced, origin, base, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      insert.run("/a", 1, 1, 1, 0, origin, 3, delta(1, 3))
      insert.run("/gone", 2, 2, 1, 0, origin, 4, delta(2, 4))
      insert.run("/gone", 4, 2, 3, 0, origin, null, whole(4))
      insert.run("/a", 3, 1, 2, 0, origin, 5, delta(3, 5))
      insert.run("/b", 6, 6, 1, 0, origin, null, whole(6))
      const version = db.prepare("INSERT INTO version VALUES (?, ?, 2, ?, ?, ?, ?)")
      version.run(5, "/a", 1, 3, bytes(5), origin)
      version.run(7, "/b", 6, 6, bytes(7), null)
      db.close()
      const shown = (versions: ReadonlyArray<ObjectStore.HistoricVersion>) =>
        versions.map((one) => [one.revision, one.createRevision, one.type, one.origin.user, textOf(one) === bytes(one.revision).toString()])
      const a = [[1, 1, "create", "ada", true], [3, 1, "update", "ada", true], [5, 1, "update", "ada", true]]
      yield* use(path, (store) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(shown(yield* store.history("/a")), a)
          assert.deepStrictEqual(shown(yield* store.history("/gone")), [[2, 2, "create", "ada", true], [4, 2, "delete", "ada", true]])
          assert.deepStrictEqual(shown(yield* store.history("/b")), [[6, 6, "create", "ada", true]])
          assert.deepStrictEqual(yield* store.historyKeys("/", "", 10), ["/a", "/b", "/gone"])
          const by = { origin: { at: 2, user: "bob", verb: "update" } }
          yield* store.update("/a", 5, () => ({ bytes: bytes(8) }), by)
          yield* store.update("/b", 7, () => ({ bytes: bytes(9) }), by)
          yield* store.compact(9)
        }))
      yield* use(path, (store) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(shown(yield* store.history("/a")), [...a, [8, 1, "update", "bob", true]])
          assert.deepStrictEqual(shown(yield* store.history("/b")), [[6, 6, "create", "ada", true], [9, 6, "update", "bob", true]])
        }))
      // The history of an object that was deleted long ago is what goes first.
      yield* use(path, (store) =>
        Effect.gen(function*() {
          yield* store.update("/b", 9, () => ({ bytes: bytes(10) }))
          yield* store.compact(10)
          assert.deepStrictEqual(yield* store.historyKeys("/", "", 10), ["/a", "/b"])
        }), { history: { bytes: 1100 } })
    }))

  it.scoped("keeps the log of the database bounded", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* use(path, (store) =>
        Effect.gen(function*() {
          for (let round = 0; round < 8; round++) {
            yield* Effect.forEach(
              Array.from({ length: 400 }, (_, i) => i),
              (i) => store.create(`/${round}/${i}`, () => ({ bytes: new Uint8Array(8000) })),
              { concurrency: "unbounded" }
            )
          }
          // 25 MB were written.
          assert.isAtMost(NodeFs.statSync(`${path}-wal`).size, 16 * 1024 * 1024)
        }))
      assert.isFalse(NodeFs.existsSync(`${path}-wal`))
    }))
})
