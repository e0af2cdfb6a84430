/** What `resourceVersion`, `resourceVersionMatch`, `limit` and `continue` mean, and the form of list items. */
import { assert, describe, layer } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Effect } from "effect"
import * as ApiServer from "../src/ApiServer.js"
import { call, configMap, configMaps, layerApi, merge, pods, pod, table } from "./support/api.js"

const names = (list: { items: ReadonlyArray<{ metadata: { name: string } }> }) => list.items.map((item) => item.metadata.name)

describe("lists", () => {
  layer(layerApi)((it) => {
    it.effect("items of built-in kinds carry neither kind nor version, whatever the form", () =>
      Effect.gen(function*() {
        for (const name of ["a", "b"]) yield* call("POST", configMaps, { body: configMap(name, { k: name }) })
        for (const query of ["", "?limit=1", "?pretty=true", "?labelSelector=!x"]) {
          const { json } = yield* call("GET", `${configMaps}${query}`)
          assert.strictEqual(json.kind, "ConfigMapList")
          for (const item of json.items) assert.deepStrictEqual([item.kind, item.apiVersion, item.data.k], [undefined, undefined, item.metadata.name])
        }
        const one = yield* call("GET", `${configMaps}/a`)
        assert.match(one.text, /^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{/)
        const listed = yield* call("GET", configMaps)
        assert.include(listed.text, `"items":[{"metadata":{`)
        const rows = yield* call("GET", `${configMaps}?includeObject=Object`, { accept: table })
        assert.strictEqual(rows.json.rows[0].object.kind, "ConfigMap")
      }))

    it.effect("a revision is exact, a lower bound or neither, by its match and limit", () =>
      Effect.gen(function*() {
        const then = (yield* call("GET", configMaps)).json.metadata.resourceVersion
        yield* call("POST", configMaps, { body: configMap("later") })
        const now = ["a", "b", "later"]
        const past = ["a", "b"]
        const list = (query: string) => call("GET", `${configMaps}?${query}`)
        const expected: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
          ["resourceVersion=", now],
          ["resourceVersion=0", now],
          ["resourceVersion=0&limit=1", now],
          ["resourceVersion=0&resourceVersionMatch=NotOlderThan", now],
          [`resourceVersion=${then}`, now],
          [`resourceVersion=${then}&resourceVersionMatch=NotOlderThan`, now],
          [`resourceVersion=${then}&resourceVersionMatch=NotOlderThan&limit=5`, now],
          [`resourceVersion=${then}&resourceVersionMatch=Exact`, past],
          [`resourceVersion=${then}&resourceVersionMatch=Exact&limit=5`, past],
          [`resourceVersion=${then}&limit=5`, past]
        ]
        for (const [query, found] of expected) assert.deepStrictEqual(names((yield* list(query)).json), found, query)
        const refused: ReadonlyArray<readonly [string, number, string]> = [
          ["resourceVersionMatch=NotOlderThan", 422, "resourceVersionMatch is forbidden unless resourceVersion is provided"],
          ["resourceVersionMatch=Exact", 422, "resourceVersionMatch is forbidden unless resourceVersion is provided"],
          ["resourceVersion=0&resourceVersionMatch=Exact", 422, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""],
          ["resourceVersion=1&resourceVersionMatch=Sometimes", 422, "resourceVersionMatch"],
          ["sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list"],
          ["resourceVersion=-1", 400, "invalid syntax"]
        ]
        for (const [query, status, message] of refused) {
          const { json } = yield* list(query)
          assert.strictEqual(json.code, status, query)
          assert.include(json.message, message)
        }
      }))

    it.effect("a token whose state is gone is 410 with one that goes on from the present", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        const first = yield* call("GET", `${configMaps}?limit=1`)
        const then = first.json.metadata.resourceVersion
        yield* call("PATCH", `${configMaps}/b`, { type: merge, body: { data: { k: "new" } } })
        yield* call("POST", configMaps, { body: configMap("c") })
        yield* store.compact(yield* store.revision)
        const gone = yield* call("GET", `${configMaps}?limit=1&continue=${first.json.metadata.continue}`)
        assert.strictEqual(gone.status, 410)
        assert.strictEqual(gone.json.reason, "Expired")
        assert.include(gone.json.message, "The provided continue parameter is too old to display a consistent list result.")
        const token = gone.json.metadata.continue
        const second = yield* call("GET", `${configMaps}?limit=1&continue=${token}`)
        assert.strictEqual(second.json.items[0].data.k, "new")
        const rest = yield* call("GET", `${configMaps}?continue=${second.json.metadata.continue}`)
        assert.deepStrictEqual(names(rest.json), ["c", "later"])
        const exact = yield* call("GET", `${configMaps}?resourceVersion=${then}&resourceVersionMatch=Exact`)
        assert.strictEqual(exact.json.message, "The resourceVersion for the provided list is too old.")
      }))

    it.effect("dependents are found by the uid of their owner", () =>
      Effect.gen(function*() {
        const api = yield* ApiServer.ApiServer
        const owner = yield* call("POST", configMaps, { body: configMap("owner") })
        const { uid } = owner.json.metadata
        const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid }]
        yield* call("POST", pods, { body: pod("owned", {}, { ownerReferences }) })
        assert.deepStrictEqual(api.dependentsOf(uid).map(({ key }) => key), ["/core/pods/default/owned"])
        yield* call("PATCH", `${pods}/owned`, { type: merge, body: { metadata: { ownerReferences: null } } })
        assert.deepStrictEqual(api.dependentsOf(uid), [])
      }))
  })
})
