import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi, Informer, ObjectRef } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, TestClock } from "effect"

/** Lets time pass in the fake world until `condition` holds. */
const eventually = (condition: () => boolean) =>
  Effect.gen(function*() {
    for (let second = 0; second < 120 && !condition(); second++) yield* TestClock.adjust("1 second")
    assert.isTrue(condition(), "the condition did not come true within two minutes")
  })

const configMap = (name: string, data: Record<string, string> = {}) => ({ metadata: { name, namespace: "default" }, data })

/** Writes down events as text. */
const journalOf = (informer: Informer.Informer<CoreV1.ConfigMap>) => {
  const journal: Array<string> = []
  informer.onChange((event) => journal.push(`${event.type} ${event.object.metadata.name}`))
  return journal
}

const listsIn = (server: FakeApi.Service) => server.requests().filter((request) => request.method === "GET" && !request.path.includes("watch=true"))

describe("Informer", () => {
  it.scoped("lists in pages, then follows changes in order", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      for (const name of ["a", "b", "c"]) yield* client.create(Kinds.configMap, configMap(name))
      const informer = yield* Informer.make({ kind: Kinds.configMap, pageSize: 2 })
      assert.isFalse(informer.isSynced())
      yield* informer.hasSynced
      const journal = journalOf(informer)
      yield* client.create(Kinds.configMap, configMap("d"))
      yield* client.patch(Kinds.configMap, { namespace: "default", name: "a" }, { data: { x: "1" } })
      yield* client.delete(Kinds.configMap, { namespace: "default", name: "b" })
      yield* eventually(() => journal.length === 6)
      assert.deepStrictEqual(journal, ["added a", "added b", "added c", "added d", "updated a", "deleted b"])
      assert.deepStrictEqual(informer.get("default/a")?.data, { x: "1" })
      assert.deepStrictEqual([...informer.keys()].sort(), ["default/a", "default/c", "default/d"])
      assert.strictEqual(listsIn(yield* FakeApi.FakeApi).length, 2)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("keeps indexes", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const informer = yield* Informer.make({
        kind: Kinds.configMap,
        indexers: { owner: (object) => (object.data?.["owner"] === undefined ? [] : [object.data["owner"]]) }
      })
      const owned = (owner: string) => informer.byIndex("owner", owner).map((object) => object.metadata.name ?? "").sort()
      yield* client.create(Kinds.configMap, configMap("a", { owner: "x" }))
      yield* client.create(Kinds.configMap, configMap("b", { owner: "x" }))
      yield* eventually(() => owned("x").length === 2)
      yield* client.patch(Kinds.configMap, { namespace: "default", name: "a" }, { data: { owner: "y" } })
      yield* client.delete(Kinds.configMap, { namespace: "default", name: "b" })
      yield* eventually(() => owned("x").length === 0)
      assert.deepStrictEqual([owned("y"), informer.byIndex("unknown", "x")], [["a"], []])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("watches on from the last event when the connection breaks", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const informer = yield* Informer.make({ kind: Kinds.configMap })
      yield* eventually(() => server.watchers() === 1)
      yield* server.disconnectWatches
      yield* client.create(Kinds.configMap, configMap("missed"))
      yield* eventually(() => informer.get("default/missed") !== undefined)
      assert.strictEqual(listsIn(server).length, 1)
      yield* server.disconnectWatches
      const watches = () => server.requests().filter((request) => request.path.includes("watch=true"))
      yield* eventually(() => watches().length === 3)
      const version = informer.get("default/missed")?.metadata.resourceVersion
      assert.include(watches().at(-1)?.path, `&resourceVersion=${version}&`)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("lists again after 410, reports what it missed and keeps what did not change", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      for (const name of ["gone", "kept", "changed"]) yield* client.create(Kinds.configMap, configMap(name))
      const informer = yield* Informer.make({ kind: Kinds.configMap })
      yield* eventually(() => server.watchers() === 1)
      const kept = informer.get("default/kept")
      const journal = journalOf(informer).splice(0)
      informer.onChange((event) => journal.push(`${event.type} ${event.object.metadata.name}`))
      journal.splice(0)
      yield* server.disconnectWatches
      yield* client.delete(Kinds.configMap, { namespace: "default", name: "gone" })
      yield* client.patch(Kinds.configMap, { namespace: "default", name: "changed" }, { data: { x: "1" } })
      yield* client.create(Kinds.configMap, configMap("new"))
      yield* server.compact
      yield* eventually(() => informer.get("default/new") !== undefined)
      assert.deepStrictEqual(journal.toSorted(), ["added new", "deleted gone", "updated changed"])
      assert.strictEqual(informer.get("default/kept"), kept)
      yield* client.create(Kinds.configMap, configMap("later"))
      yield* eventually(() => informer.get("default/later") !== undefined)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("retries with growing delays while the server cannot be reached", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      server.injectFaults(() => ({ type: "fail" }))
      const informer = yield* Informer.make({ kind: Kinds.configMap })
      yield* TestClock.adjust("20 minutes")
      const attempts = server.requests().length
      // From 0.8 s doubling to 30 s: about 45 attempts in 20 minutes.
      assert.isTrue(attempts > 30 && attempts < 60, `${attempts} attempts`)
      server.injectFaults(() => undefined)
      yield* eventually(informer.isSynced)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("reopens a watch that ends normally, also when ends follow each other quickly", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const informer = yield* Informer.make({ kind: Kinds.configMap })
      for (let round = 0; round < 3; round++) {
        yield* eventually(() => server.watchers() === 1)
        yield* server.endWatches
      }
      yield* client.create(Kinds.configMap, configMap("a"))
      yield* eventually(() => informer.get("default/a") !== undefined)
      assert.isBelow(server.requests().length, 12)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("starts again when an indexer throws", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      let broken = true
      const informer = yield* Informer.make({
        kind: Kinds.configMap,
        indexers: {
          fragile: () => {
            if (broken) throw new RangeError("a bug in an indexer")
            return ["all"]
          }
        }
      })
      yield* client.create(Kinds.configMap, configMap("a"))
      yield* TestClock.adjust("1 minute")
      broken = false
      yield* eventually(() => informer.byIndex("fragile", "all").length === 1)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("survives a handler that throws", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const informer = yield* Informer.make({ kind: Kinds.configMap })
      yield* informer.hasSynced
      const seen: Array<string> = []
      informer.onChange(() => {
        throw new RangeError("a bug in a handler")
      })
      const stop = informer.onChange((event) => seen.push(event.object.metadata.name ?? ""))
      yield* client.create(Kinds.configMap, configMap("a"))
      yield* client.create(Kinds.configMap, configMap("b"))
      yield* eventually(() => seen.length === 2)
      stop()
      yield* client.create(Kinds.configMap, configMap("c"))
      yield* eventually(() => informer.get("default/c") !== undefined)
      assert.deepStrictEqual(seen, ["a", "b"])
    }).pipe(Effect.provide(FakeApi.layer())))

  const step = FastCheck.record({
    op: FastCheck.constantFrom("put", "put", "put", "delete", "disconnect", "end", "compact", "wait"),
    name: FastCheck.constantFrom("a", "b", "c", "d")
  })

  it.effect.prop("always converges to what the server has, and its events tell the same story", [FastCheck.array(step, { maxLength: 25 })], ([steps]) =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const informer = yield* Informer.make({ kind: Kinds.configMap })
      const replayed = new Map<string, string | undefined>()
      informer.onChange((event) => {
        const key = ObjectRef.keyOf(event.object)
        if (event.type === "deleted") assert.isTrue(replayed.delete(key), "deleted without having been added")
        else {
          assert.strictEqual(event.type === "updated", replayed.has(key))
          replayed.set(key, event.object.metadata.resourceVersion)
        }
      })
      let count = 0
      for (const { name, op } of steps) {
        const ref = { namespace: "default", name }
        const exists = server.get(Kinds.configMap, ref) !== undefined
        if (op === "put") {
          count++
          yield* exists ? client.patch(Kinds.configMap, ref, { data: { n: String(count) } }) : client.create(Kinds.configMap, configMap(name))
        } else if (op === "delete" && exists) yield* client.delete(Kinds.configMap, ref)
        else if (op === "disconnect") yield* server.disconnectWatches
        else if (op === "end") yield* server.endWatches
        else if (op === "compact") yield* server.compact
        else yield* TestClock.adjust("3 seconds")
      }
      const expected = () => new Map(server.list(Kinds.configMap).map((object) => [ObjectRef.keyOf(object), object.metadata.resourceVersion]))
      const actual = () => new Map(informer.list().map((object) => [ObjectRef.keyOf(object), object.metadata.resourceVersion]))
      const sorted = (map: ReadonlyMap<string, string | undefined>) =>
        [...map].map(([key, version]) => `${key} at ${version}`).sort()
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(sorted(actual()), sorted(expected()))
      assert.deepStrictEqual(sorted(replayed), sorted(expected()))
    }).pipe(Effect.scoped, Effect.provide(FakeApi.layer())), { fastCheck: { numRuns: 40 } })
})
