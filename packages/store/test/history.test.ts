import { assert, describe, it } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Effect, FastCheck, TestClock } from "effect"
import { layers, temporaryDirectory } from "./support/stores.js"
import * as NodePath from "node:path"
import { DatabaseSync } from "node:sqlite"

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const filler = Array.from({ length: 60 }, (_, i) => `"field-${i}":"value ${i * 7919}"`).join(",")
const body = (value: string): ObjectStore.Encode => (revision) => ({ bytes: encoder.encode(`{"v":"${value}@${revision}",${filler}}`) })
const valueOf = (version: ObjectStore.HistoricVersion) => /"v":"([^"]*)"/.exec(decoder.decode(version.bytes))?.[1]

const by = (user: string, verb: string, subresource?: string): ObjectStore.WriteOptions => ({
  origin: { at: 1, user, verb, manager: "test", ...(subresource === undefined ? {} : { subresource }) }
})

const show = (versions: ReadonlyArray<ObjectStore.HistoricVersion>) =>
  versions.map((version) => `${version.type} ${version.origin.user} ${valueOf(version) ?? ""}`)

describe.each(layers)("the history in %s", (_name, make) => {
  it.scoped("tells who made which version, before and after compaction, up to the deletion", () =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const a = yield* store.create("/a", body("a"), by("ada", "create"))
      const b = yield* store.update("/a", a.revision, body("b"), by("bob", "update"))
      const expected = ["create ada a@1", "update bob b@2"]
      assert.deepStrictEqual(show(yield* store.history("/a")), expected)
      yield* store.compact(2)
      assert.deepStrictEqual(show(yield* store.history("/a")), expected)
      // Somebody restores the first one.
      const c = yield* store.update("/a", b.revision, body("a"), by("ada", "update"))
      yield* store.delete("/a", c.revision, body("a"), by("bob", "delete"))
      expected.push("update ada a@3", "delete bob a@4")
      assert.deepStrictEqual(show(yield* store.history("/a")), expected)
      yield* store.compact(4)
      assert.deepStrictEqual(show(yield* store.history("/a")), expected)
      assert.deepStrictEqual(yield* store.historyKeys("/", "", 10), ["/a"])
      yield* store.create("/a", body("again"), by("ada", "create"))
      assert.deepStrictEqual(show(yield* store.history("/a")), [...expected, "create ada again@5"])
      assert.deepStrictEqual(yield* store.history("/b"), [])
    }).pipe(Effect.provide(make({}))))

  it.scoped("keeps nothing of writes without an origin, and the last of a run of reports", () =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      let version = yield* store.create("/a", body("spec"), by("ada", "create"))
      for (let i = 0; i < 5; i++) version = yield* store.update("/a", version.revision, body("beat"))
      for (let i = 0; i < 5; i++) version = yield* store.update("/a", version.revision, body(`status ${i}`), by("node", "update", "status"))
      version = yield* store.update("/a", version.revision, body("spec"), by("ada", "update"))
      const expected = ["create ada spec@1", "update node status 4@11", "update ada spec@12"]
      assert.deepStrictEqual(show(yield* store.history("/a")), expected)
      for (let i = 1; i <= version.revision; i++) {
        yield* store.compact(i)
        assert.deepStrictEqual(show(yield* store.history("/a")), expected)
      }
    }).pipe(Effect.provide(make({}))))

  it.scoped("keeps a bounded number of versions of each object, in little space", () =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      let version = yield* store.create("/a", body("0"), by("ada", "create"))
      for (let i = 1; i < 100; i++) {
        version = yield* store.update("/a", version.revision, body(String(i)), by("ada", "update"))
        if (i % 7 === 0) yield* store.compact(version.revision)
      }
      yield* store.compact(version.revision)
      assert.deepStrictEqual(
        show(yield* store.history("/a")),
        Array.from({ length: 5 }, (_, i) => `update ada ${95 + i}@${96 + i}`)
      )
    }).pipe(Effect.provide(make({ history: { versions: 4 } }))))

  it.scoped("forgets what was replaced long ago, and the oldest when all together is too much", () =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const touch = (key: string) =>
        Effect.gen(function*() {
          const created = yield* store.create(key, body("a"), by("ada", "create"))
          const updated = yield* store.update(key, created.revision, body("b"), by("ada", "update"))
          yield* store.compact(updated.revision)
        })
      yield* touch("/old")
      yield* TestClock.adjust("2 hours")
      yield* touch("/new")
      assert.deepStrictEqual((yield* store.history("/old")).length, 1)
      assert.deepStrictEqual((yield* store.history("/new")).length, 2)
      // Some 250 bytes each.
      for (let i = 0; i < 100; i++) yield* touch(`/many/${i}`)
      assert.deepStrictEqual((yield* store.history("/new")).length, 1)
      assert.deepStrictEqual((yield* store.history("/many/99")).length, 2)
      assert.isBelow((yield* store.historyKeys("/many/", "", 1000)).length, 60)
    }).pipe(Effect.provide(make({ history: { age: "1 hour", bytes: 10_000 } }))))

  it.scoped("keeps the history of what changes, and forgets that of what does not", () =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      let hot = yield* store.create("/hot", body("0"), by("ada", "create"))
      for (let i = 0; i < 100; i++) {
        const created = yield* store.create(`/many/${i}`, body("a"), by("ada", "create"))
        yield* store.update(`/many/${i}`, created.revision, body("b"), by("ada", "update"))
        if (i % 5 === 0) hot = yield* store.update("/hot", hot.revision, body(String(i)), by("ada", "update"))
        yield* TestClock.adjust("1 second")
        yield* store.compact(yield* store.revision)
      }
      assert.deepStrictEqual(show(yield* store.history("/hot")).map((line) => line.replace(/@.*/, "")), [
        "update ada 80",
        "update ada 85",
        "update ada 90",
        "update ada 95"
      ])
      assert.strictEqual((yield* store.history("/many/0")).length, 1)
      assert.strictEqual((yield* store.history("/many/99")).length, 2)
    }).pipe(Effect.provide(make({ history: { versions: 3, bytes: 10_000 } }))))

  it.scoped("keeps deleted objects that a controller had made for a shorter time", () =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const derived: ObjectStore.WriteOptions = { origin: { at: 1, user: "controller", verb: "create", derived: true } }
      const remove = (key: string, options: ObjectStore.WriteOptions) =>
        Effect.gen(function*() {
          const created = yield* store.create(key, body("a"), options)
          yield* store.delete(key, created.revision, body("a"), options)
          yield* store.compact(yield* store.revision)
        })
      const kept = Effect.map(store.historyKeys("/", "", 10), (keys) => keys.join(" "))
      yield* store.create("/alive", body("a"), derived)
      yield* remove("/again", derived)
      yield* remove("/changed", derived)
      yield* remove("/made", by("ada", "create"))
      yield* remove("/pod", derived)
      yield* TestClock.adjust("1 hour")
      yield* store.create("/again", body("b"), derived)
      const back = yield* store.create("/changed", body("b"), derived)
      yield* store.update("/changed", back.revision, body("c"), derived)
      const compactAt = (text: string) => Effect.zipRight(store.create(text, body("x")), Effect.flatMap(store.revision, store.compact))
      yield* compactAt("/x1")
      assert.strictEqual(yield* kept, "/again /changed /made /pod")
      yield* TestClock.adjust("90 minutes")
      yield* compactAt("/x2")
      assert.strictEqual(yield* kept, "/changed /made")
      assert.deepStrictEqual((yield* store.history("/again")).map(({ type }) => type), ["create"])
      const changed = yield* store.history("/changed")
      assert.deepStrictEqual(changed.map(({ origin, type }) => [type, origin.derived]), [["create", true], ["delete", true], ["create", true], ["update", true]])
      yield* TestClock.adjust("11 hours")
      yield* compactAt("/x3")
      assert.strictEqual(yield* kept, "")
    }).pipe(Effect.provide(make({ history: { age: "12 hours", derivedAge: "2 hours" } }))))

  const write = FastCheck.record({
    user: FastCheck.constantFrom("ada", "bob", undefined),
    subresource: FastCheck.constantFrom(undefined, "status"),
    value: FastCheck.string({ maxLength: 40, unit: FastCheck.constantFrom("a", "b", "value 7919", "\u00e4") }),
    delete: FastCheck.nat(9).map((n) => n === 0),
    compact: FastCheck.nat(3).map((n) => n === 0)
  })

  it.scoped.prop("is what the list of all versions says, whenever it was compacted", [FastCheck.array(write, { maxLength: 40 })], ([steps]) =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const all: Array<{ readonly text: string; readonly type: string; readonly user: string | undefined; readonly isStatus: boolean }> = []
      let current: ObjectStore.Committed | undefined
      for (const step of steps) {
        const options = step.user === undefined ? {} : by(step.user, "update", step.subresource)
        const encode = body(step.value)
        const type = current === undefined ? "create" : step.delete ? "delete" : "update"
        const written: ObjectStore.Committed = current === undefined
          ? yield* store.create("/a", encode, options)
          : yield* store[step.delete ? "delete" : "update"]("/a", current.revision, encode, options)
        all.push({ text: decoder.decode(written.bytes), type, user: step.user, isStatus: step.subresource === "status" })
        current = type === "delete" ? undefined : written
        if (step.compact) yield* store.compact(written.revision)
      }
      yield* store.compact(yield* store.revision)
      // Of a run of reports by one user the last is kept, and what replaced a deletion begins anew.
      const kept = all.filter((one, i) => {
        const next = all[i + 1]
        const isRun = one.isStatus && next?.isStatus === true && one.user === next.user && one.type !== "delete"
        return one.user !== undefined && !isRun
      })
      const isLive = all.at(-1)?.user !== undefined && current !== undefined
      assert.deepStrictEqual(
        (yield* store.history("/a")).map((version) => [version.type, version.origin.user, decoder.decode(version.bytes)]),
        kept.slice(isLive ? -4 : -3).map(({ text, type, user }) => [type, user, text])
      )
    }).pipe(Effect.provide(make({ history: { versions: 3 } }))), { fastCheck: { numRuns: 25 } })
})

describe("the history in a file", () => {
  it.scoped("is there after a restart, and takes little space", () =>
    Effect.gen(function*() {
      const path = NodePath.join(yield* temporaryDirectory, "store.db")
      const open = ObjectStore.layerSqlite({ path })
      yield* Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        for (let i = 0; i < 300; i++) {
          let version = yield* store.create(`/${i}`, body("0"), by("ada", "create"))
          for (let j = 1; j < 6; j++) version = yield* store.update(`/${i}`, version.revision, body(String(j)), by("ada", "update"))
        }
        yield* store.compact(yield* store.revision)
      }).pipe(Effect.provide(open))
      yield* Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        assert.deepStrictEqual((yield* store.history("/7")).map(valueOf), Array.from({ length: 6 }, (_, j) => `${j}@${43 + j}`))
        assert.strictEqual((yield* store.historyKeys("/", "", 1000)).length, 300)
      }).pipe(Effect.provide(open))
      const db = new DatabaseSync(path)
      const size = db.prepare("SELECT avg(length(bytes)) / 5 AS size FROM history").get()?.["size"]
      db.close()
      // Of versions that have 1.5 KB.
      assert.isBelow(Number(size), 100)
    }))
})
