import { assert, describe, layer } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Effect } from "effect"
import { call, configMap, configMaps, layerApi, merge, pod, pods, watch } from "./support/api.js"

describe("writers at the same time", () => {
  layer(layerApi)((it) => {
    it.scoped("patches of different fields all survive, and watchers see them in order", () =>
      Effect.gen(function*() {
        const created = yield* call("POST", configMaps, { body: configMap("shared") })
        const seen = yield* watch(`${configMaps}?watch=1&resourceVersion=${created.json.metadata.resourceVersion}`)
        const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
        const answers = yield* Effect.forEach(keys, (key) =>
          call("PATCH", `${configMaps}/shared`, { type: merge, body: { data: { [key]: key } } }), { concurrency: 4 })
        assert.isTrue(answers.every(({ status }) => status === 200))
        const { json } = yield* call("GET", `${configMaps}/shared`)
        assert.sameMembers(Object.keys(json.data), keys)
        const versions = (yield* seen.until(40)).map(({ object }) => Number(object.metadata.resourceVersion))
        assert.deepStrictEqual(versions, versions.toSorted((a, b) => a - b))
        assert.strictEqual(new Set(versions).size, 40)
      }))

    it.effect("one of many creates of a name wins", () =>
      Effect.gen(function*() {
        const answers = yield* Effect.forEach(Array.from({ length: 20 }), () => call("POST", configMaps, { body: configMap("one") }), {
          concurrency: 20
        })
        assert.strictEqual(answers.filter(({ status }) => status === 201).length, 1)
        assert.strictEqual(answers.filter(({ status }) => status === 409).length, 19)
      }))

    it.effect("one of many bindings of a pod wins", () =>
      Effect.gen(function*() {
        yield* call("POST", pods, { body: pod("p") })
        const bind = (node: number) =>
          call("POST", `${pods}/p/binding`, {
            body: { apiVersion: "v1", kind: "Binding", metadata: { name: "p" }, target: { kind: "Node", name: `n${node}` } }
          })
        const answers = yield* Effect.forEach(Array.from({ length: 10 }, (_, i) => i), bind, { concurrency: 10 })
        assert.deepStrictEqual(answers.map(({ status }) => status).sort((a, b) => a - b), [201, ...Array.from({ length: 9 }, () => 409)])
      }))

    it.effect("a page whose state was compacted is told so, with a token that goes on", () =>
      Effect.gen(function*() {
        for (const name of ["l1", "l2", "l3"]) yield* call("POST", configMaps, { body: configMap(name) })
        const first = yield* call("GET", `${configMaps}?limit=1`)
        yield* call("POST", configMaps, { body: configMap("l4") })
        const store = yield* ObjectStore.ObjectStore
        yield* store.compact(yield* store.revision)
        const gone = yield* call("GET", `${configMaps}?limit=1&continue=${first.json.metadata.continue}`)
        assert.strictEqual(gone.status, 410)
        assert.strictEqual(gone.json.reason, "Expired")
        const rest = yield* call("GET", `${configMaps}?continue=${gone.json.metadata.continue}`)
        assert.includeMembers(rest.json.items.map((item: { metadata: { name: string } }) => item.metadata.name), ["l2", "l3", "l4"])
        const exact = yield* call("GET", `${configMaps}?resourceVersion=5&resourceVersionMatch=Exact`)
        assert.strictEqual(exact.json.message, "The resourceVersion for the provided list is too old.")
      }))
  })
})
