import { assert, describe, layer } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Duration, Effect, Fiber, Layer, TestClock } from "effect"
import * as KubeletClient from "../src/KubeletClient.js"
import * as Server from "../src/Server.js"
import { call, configMap, configMaps, layerApi, merge, pod, pods, table, watch } from "./support/api.js"

const names = (list: { items: ReadonlyArray<{ metadata: { name: string } }> }) => list.items.map((item) => item.metadata.name)

describe("lists", () => {
  layer(layerApi)((it) => {
    it.effect("pages through one consistent state, whatever is written meanwhile", () =>
      Effect.gen(function*() {
        for (const name of ["a", "b", "c", "d", "e"]) yield* call("POST", configMaps, { body: configMap(name) })
        const first = yield* call("GET", `${configMaps}?limit=2`)
        assert.deepStrictEqual(names(first.json), ["a", "b"])
        assert.strictEqual(first.json.metadata.remainingItemCount, 3)
        yield* call("DELETE", `${configMaps}/d`)
        yield* call("POST", configMaps, { body: configMap("bb") })
        const second = yield* call("GET", `${configMaps}?limit=2&continue=${first.json.metadata.continue}`)
        assert.deepStrictEqual(names(second.json), ["c", "d"])
        assert.strictEqual(second.json.metadata.resourceVersion, first.json.metadata.resourceVersion)
        const third = yield* call("GET", `${configMaps}?limit=2&continue=${second.json.metadata.continue}`)
        assert.deepStrictEqual(names(third.json), ["e"])
        assert.isUndefined(third.json.metadata.continue)
        const both = yield* call("GET", `${configMaps}?limit=2&resourceVersion=5&continue=${first.json.metadata.continue}`)
        assert.strictEqual(both.json.message, "specifying resource version is not allowed when using continue")
        const bad = yield* call("GET", `${configMaps}?limit=2&continue=abc`)
        assert.strictEqual(bad.status, 400)
        assert.include(bad.json.message, "invalid continue token: continue key is not valid")
      }))

    it.effect("reads an exact past state and refuses what is not there", () =>
      Effect.gen(function*() {
        const before = (yield* call("GET", configMaps)).json
        yield* call("POST", configMaps, { body: configMap("later") })
        const exact = yield* call("GET", `${configMaps}?resourceVersion=${before.metadata.resourceVersion}&resourceVersionMatch=Exact`)
        assert.deepStrictEqual(names(exact.json), names(before))
        const newer = yield* call("GET", `${configMaps}?resourceVersion=${before.metadata.resourceVersion}`)
        assert.include(names(newer.json), "later")
        const fiber = yield* Effect.fork(call("GET", `${configMaps}?resourceVersion=99999999`))
        yield* Effect.yieldNow()
        yield* TestClock.adjust("5 seconds")
        const future = yield* Fiber.join(fiber)
        assert.strictEqual(future.status, 504)
        assert.match(future.json.message, /^Timeout: Too large resource version: 99999999, current: \d+$/)
        assert.strictEqual(future.headers["retry-after"], "1")
        const malformed = yield* call("GET", `${configMaps}?resourceVersion=abc`)
        assert.strictEqual(
          malformed.json.message,
          "invalid resource version: resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax"
        )
        assert.strictEqual((yield* call("GET", `${configMaps}?resourceVersionMatch=Exact`)).status, 422)
        assert.strictEqual((yield* call("GET", `${configMaps}?resourceVersion=0&resourceVersionMatch=Exact`)).status, 422)
      }))

    it.effect("selects by labels and fields", () =>
      Effect.gen(function*() {
        yield* call("POST", pods, { body: pod("web", { nodeName: "n1" }, { labels: { app: "web" } }) })
        yield* call("POST", pods, { body: pod("db", {}, { labels: { app: "db" } }) })
        const by = (query: string) => Effect.map(call("GET", `/api/v1/pods?${query}`), ({ json }) => names(json))
        assert.deepStrictEqual(yield* by("labelSelector=app%20in%20(web)"), ["web"])
        assert.deepStrictEqual(yield* by("labelSelector=app!%3Dweb"), ["db"])
        assert.deepStrictEqual(yield* by("fieldSelector=spec.nodeName%3Dn1"), ["web"])
        assert.deepStrictEqual(yield* by("fieldSelector=spec.nodeName%3D"), ["db"])
        assert.deepStrictEqual(yield* by("fieldSelector=metadata.name%3Dweb,metadata.namespace%3Ddefault"), ["web"])
        const field = yield* call("GET", "/api/v1/pods?fieldSelector=spec.foo%3Dx")
        assert.strictEqual(field.json.message, "field label not supported: spec.foo")
        const label = yield* call("GET", "/api/v1/pods?labelSelector=a%20b")
        assert.strictEqual(label.json.message, "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt")
      }))

    it.effect("shows tables and metadata", () =>
      Effect.gen(function*() {
        const shown = yield* call("GET", pods, { accept: table })
        assert.strictEqual(shown.json.kind, "Table")
        assert.strictEqual(shown.json.columnDefinitions[0].format, "name")
        assert.strictEqual(shown.json.rows[0].cells[0], "db")
        assert.strictEqual(shown.json.rows[0].object.kind, "PartialObjectMetadata")
        const one = yield* call("GET", `${pods}/web?includeObject=Object`, { accept: table })
        assert.strictEqual(one.json.rows.length, 1)
        assert.strictEqual(one.json.rows[0].object.spec.nodeName, "n1")
        const metadata = yield* call("GET", pods, { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" })
        assert.strictEqual(metadata.json.kind, "PartialObjectMetadataList")
        assert.isUndefined(metadata.json.items[0].spec)
        const none = yield* call("GET", pods, { accept: "image/png" })
        assert.strictEqual(none.status, 406)
        const protobuf = yield* call("GET", pods, { accept: "application/vnd.kubernetes.protobuf,application/json" })
        assert.strictEqual(protobuf.json.kind, "PodList")
      }))

    it.effect("streams a long list completely", () =>
      Effect.gen(function*() {
        const data = { text: "x".repeat(20_000) }
        for (let i = 0; i < 40; i++) yield* call("POST", configMaps, { body: configMap(`big-${i}`, data, { big: "yes" }) })
        const list = yield* call("GET", `${configMaps}?labelSelector=big`)
        assert.strictEqual(list.json.items.length, 40)
        const pretty = yield* call("GET", `${configMaps}?labelSelector=big&pretty=true`)
        assert.strictEqual(pretty.json.items.length, 40)
        assert.include(pretty.text, "\n  \"kind\": \"ConfigMapList\"")
      }))
  })
})

describe("watches", () => {
  layer(layerApi)((it) => {
    it.scoped("begins with the current state, or goes on from a revision", () =>
      Effect.gen(function*() {
        yield* call("POST", configMaps, { body: configMap("a") })
        const fresh = yield* watch(`${configMaps}?watch=true`)
        const [added] = yield* fresh.until(1)
        assert.strictEqual(added?.type, "ADDED")
        assert.strictEqual(added?.object.kind, "ConfigMap")
        const from = yield* watch(`${configMaps}?watch=1&resourceVersion=${added?.object.metadata.resourceVersion}`)
        yield* call("PATCH", `${configMaps}/a`, { type: merge, body: { data: { k: "v" } } })
        yield* call("DELETE", `${configMaps}/a`)
        const events = yield* from.until(2)
        assert.deepStrictEqual(events.map(({ type }) => type), ["MODIFIED", "DELETED"])
        assert.isTrue(Number(events[1]?.object.metadata.resourceVersion) > Number(events[0]?.object.metadata.resourceVersion))
        yield* fresh.until(3)
      }))

    it.scoped("turns selector transitions into ADDED and DELETED", () =>
      Effect.gen(function*() {
        const { json } = yield* call("GET", configMaps)
        const seen = yield* watch(`${configMaps}?watch=1&labelSelector=on%3Dyes&resourceVersion=${json.metadata.resourceVersion}`)
        yield* call("POST", configMaps, { body: configMap("t", { v: "0" }) })
        yield* call("PATCH", `${configMaps}/t`, { type: merge, body: { metadata: { labels: { on: "yes" } }, data: { v: "1" } } })
        yield* call("PATCH", `${configMaps}/t`, { type: merge, body: { data: { v: "2" } } })
        const off = yield* call("PATCH", `${configMaps}/t`, { type: merge, body: { metadata: { labels: { on: "no" } }, data: { v: "3" } } })
        yield* call("DELETE", `${configMaps}/t`)
        const events = yield* seen.until(3)
        assert.deepStrictEqual(events.map(({ object, type }) => [type, object.data.v]), [
          ["ADDED", "1"],
          ["MODIFIED", "2"],
          ["DELETED", "2"]
        ])
        assert.strictEqual(events[2]?.object.metadata.resourceVersion, off.json.metadata.resourceVersion)
      }))

    it.scoped("streams a list and says where it ends", () =>
      Effect.gen(function*() {
        yield* call("POST", configMaps, { body: configMap("w1") })
        const url = `${configMaps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`
        const streamed = yield* watch(url)
        const events = yield* streamed.until(2)
        assert.strictEqual(events[1]?.type, "BOOKMARK")
        assert.deepStrictEqual(events[1]?.object.metadata.annotations, { "k8s.io/initial-events-end": "true" })
        yield* call("POST", configMaps, { body: configMap("w2") })
        assert.strictEqual((yield* streamed.until(3))[2]?.object.metadata.name, "w2")
        const unmatched = yield* call("GET", `${configMaps}?watch=1&sendInitialEvents=true`)
        assert.strictEqual(unmatched.status, 422)
        assert.include(unmatched.json.message, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
      }))

    it.scoped("sends bookmarks, ends at its timeout", () =>
      Effect.gen(function*() {
        const { json } = yield* call("GET", configMaps)
        const version = json.metadata.resourceVersion
        const quiet = yield* watch(`${configMaps}?watch=1&allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=${version}`)
        yield* TestClock.adjust(Duration.seconds(61))
        const [bookmark] = yield* quiet.until(1)
        assert.strictEqual(bookmark?.type, "BOOKMARK")
        assert.strictEqual(bookmark?.object.metadata.resourceVersion, version)
        yield* TestClock.adjust(Duration.seconds(30))
        yield* quiet.done
        assert.strictEqual(quiet.events.length, 2)
      }))

    it.scoped("watches tables, columns in the first event only", () =>
      Effect.gen(function*() {
        const shown = yield* watch(`${configMaps}?watch=1`, { accept: table })
        const events = yield* shown.until(2)
        assert.isArray(events[0]?.object.columnDefinitions)
        assert.isNull(events[1]?.object.columnDefinitions)
        assert.strictEqual(events[1]?.object.rows.length, 1)
      }))
  })
})

describe("expired watches", () => {
  const small = Server.layerApiWith({}, { historyEvents: 4 }).pipe(
    Layer.provideMerge(ObjectStore.layerMemory),
    Layer.provide(KubeletClient.layerUnavailable)
  )
  layer(small)((it) => {
    it.effect("are told in the stream when their history is gone", () =>
      Effect.gen(function*() {
        for (let i = 0; i < 12; i++) yield* call("POST", configMaps, { body: configMap(`h${i}`) })
        const expired = yield* call("GET", `${configMaps}?watch=1&resourceVersion=5`)
        assert.strictEqual(expired.status, 200)
        assert.strictEqual(expired.json.type, "ERROR")
        assert.strictEqual(expired.json.object.code, 410)
        assert.match(expired.json.object.message, /^too old resource version: 5 \(\d+\)$/)
      }))
  })
})
