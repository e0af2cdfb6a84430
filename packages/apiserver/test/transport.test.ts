import { assert, describe, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, Informer, Transport } from "@reddwarf/client"
import { Chunk, Deferred, Effect, Layer, Stream } from "effect"
import * as InProcessTransport from "../src/InProcessTransport.js"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { configMap, configMaps, layerApi } from "./support/api.js"

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const live = (user: UserInfo.UserInfo) => InProcessTransport.layer(user).pipe(Layer.provide(layerApi))

describe("the transport inside the process", () => {
  it.scopedLive("answers requests and streams watches", () =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const created = yield* transport.request({ method: "POST", path: configMaps, body: JSON.stringify(configMap("a")) })
      assert.strictEqual(created.status, 201)
      const watched = yield* transport.open({ method: "GET", path: `${configMaps}?watch=1` })
      assert.strictEqual(watched.status, 200)
      yield* transport.request({ method: "DELETE", path: `${configMaps}/a` })
      const chunks = yield* watched.body.pipe(
        Stream.map(text),
        Stream.splitLines,
        Stream.take(2),
        Stream.runCollect
      )
      assert.deepStrictEqual(Chunk.toReadonlyArray(chunks).map((line) => JSON.parse(line).type), ["ADDED", "DELETED"])
    }).pipe(Effect.provide(live(UserInfo.loopback))))

  it.scopedLive("a reader that stops makes the producer wait, and loses nothing", () =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const data = { text: "x".repeat(60_000) }
      for (let i = 0; i < 40; i++) {
        yield* transport.request({ method: "POST", path: configMaps, body: JSON.stringify(configMap(`c${i}`, data)) })
      }
      const list = yield* transport.open({ method: "GET", path: configMaps })
      let size = 0
      yield* Stream.runForEach(list.body, (chunk) =>
        Effect.delay(Effect.sync(() => {
          size += chunk.length
        }), "1 millis"))
      assert.isAbove(size, 40 * 60_000)
    }).pipe(Effect.provide(live(UserInfo.loopback))))

  it.scopedLive("shares stored objects with callers that take them", () =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const stored = transport.stored
      if (stored === undefined) throw new Error("the transport shares nothing")
      for (const name of ["a", "b", "c"]) {
        yield* transport.request({ method: "POST", path: configMaps, body: JSON.stringify(configMap(name)) })
      }
      const page = yield* stored({ method: "GET", path: `${configMaps}?limit=2` })
      if (page._tag !== "List") throw new Error(page._tag)
      const items = [...page.items]
      assert.deepStrictEqual(items.map(({ key }) => key), ["default/a", "default/b"])
      assert.deepInclude(items[0]?.object, { kind: "ConfigMap", apiVersion: "v1" })
      const rest = yield* stored({ method: "GET", path: `${configMaps}?limit=2&continue=${page.continue ?? ""}` })
      assert.deepStrictEqual(rest._tag === "List" ? Array.from(rest.items, ({ key }) => key) : rest, ["default/c"])

      const watched = yield* stored({ method: "GET", path: `${configMaps}?watch=1&resourceVersion=${page.resourceVersion}` })
      if (watched._tag !== "Watch") throw new Error(watched._tag)
      const seen: Array<string> = []
      const told = yield* Deferred.make<void>()
      yield* Effect.forkScoped(watched.run((events) =>
        Effect.suspend(() => {
          for (const event of events) {
            if (event.type !== "BOOKMARK") seen.push(`${event.type} ${event.stored.key} ${JSON.stringify(event.stored.object).length > 0}`)
          }
          return seen.length < 2 ? Effect.void : Deferred.succeed(told, undefined)
        })
      ))
      yield* transport.request({ method: "POST", path: configMaps, body: JSON.stringify(configMap("d")) })
      yield* transport.request({ method: "DELETE", path: `${configMaps}/a` })
      yield* Deferred.await(told)
      assert.deepStrictEqual(seen, ["ADDED default/d true", "DELETED default/a true"])
    }).pipe(Effect.provide(live(UserInfo.loopback))))

  it.scopedLive("looks for what is selected while it is taken, in the state of the list", () =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      for (const name of ["a", "b", "c"]) {
        yield* transport.request({ method: "POST", path: configMaps, body: JSON.stringify(configMap(name)) })
      }
      const list = yield* transport.stored?.({
        method: "GET",
        path: `${configMaps}?resourceVersion=0&fieldSelector=metadata.name!%3Db`
      }) ?? Effect.die("shares nothing")
      if (list._tag !== "List") throw new Error(list._tag)
      yield* transport.request({ method: "DELETE", path: `${configMaps}/c` })
      yield* transport.request({ method: "POST", path: configMaps, body: JSON.stringify(configMap("d")) })
      const keys = Array.from(list.items, ({ key }) => key).filter((key) => key.startsWith("default/") && !key.endsWith(".crt"))
      assert.deepStrictEqual(keys, ["default/a", "default/c"])
      assert.strictEqual(list.continue, undefined)
    }).pipe(Effect.provide(live(UserInfo.loopback))))

  it.scopedLive("refuses to share what its user may not read", () =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const refused = yield* transport.stored?.({ method: "GET", path: "/api/v1/secrets" }) ?? Effect.die("shares nothing")
      assert.strictEqual(refused._tag === "Other" ? refused.response.status : refused._tag, 403)
    }).pipe(Effect.provide(live(UserInfo.authenticated("system:kube-scheduler", [])))))

  it.scopedLive("keeps informers current", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.create(Kinds.configMap, { metadata: { name: "a", namespace: "default" }, data: { n: "1" } })
      const informer = yield* Informer.make({
        kind: Kinds.configMap,
        indexers: { n: ({ data }) => [data?.["n"] ?? ""] },
        transform: ({ metadata: { managedFields: _, ...metadata }, ...rest }) => ({ ...rest, metadata })
      })
      yield* informer.hasSynced
      const journal: Array<string> = []
      const done = yield* Deferred.make<void>()
      informer.onChange((event) => {
        const before = event.type === "updated" ? `${event.old.data?.["n"] ?? ""} -> ` : ""
        journal.push(`${event.type} ${event.object.metadata.name} ${before}${event.object.data?.["n"] ?? ""}`)
        if (event.type === "deleted") Deferred.unsafeDone(done, Effect.void)
      })
      yield* client.patch(Kinds.configMap, { namespace: "default", name: "a" }, { data: { n: "2" } })
      yield* client.create(Kinds.configMap, { metadata: { name: "b", namespace: "default" }, data: { n: "2" } })
      yield* client.delete(Kinds.configMap, { namespace: "default", name: "b" })
      yield* Deferred.await(done)
      assert.deepStrictEqual(journal, ["added a 1", "updated a 1 -> 2", "added b 2", "deleted b 2"])
      assert.deepStrictEqual(informer.byIndex("n", "2").map(({ metadata }) => metadata.name), ["a"])
      assert.deepStrictEqual(informer.byIndex("n", "1"), [])
      assert.isUndefined(informer.get("default/a")?.metadata.managedFields)
      assert.strictEqual(informer.get("default/a")?.metadata.resourceVersion, (yield* client.get(Kinds.configMap, { namespace: "default", name: "a" })).metadata.resourceVersion)
    }).pipe(Effect.provide(ApiClient.layer.pipe(Layer.provide(live(UserInfo.loopback))))))

  it.scopedLive("acts as its user", () =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const refused = yield* transport.request({ method: "GET", path: "/api/v1/secrets" })
      assert.strictEqual(refused.status, 403)
      const body = new Uint8Array(3 * 1024 * 1024 + 1)
      const large = yield* transport.request({ method: "POST", path: "/api/v1/nodes", body })
      assert.strictEqual(large.status, 403)
    }).pipe(Effect.provide(live(UserInfo.authenticated("system:kube-scheduler", [])))))
})
