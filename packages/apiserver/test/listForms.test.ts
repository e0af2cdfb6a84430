import { assert, describe, expect, it, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { parse } from "yaml"
import * as ApiServer from "../src/ApiServer.js"
import * as chunks from "../src/internal/chunks.js"
import * as listForms from "../src/internal/listForms.js"
import { admin, call, configMap, configMaps, layerApi, pod, pods, table } from "./support/api.js"

const text = (pieces: Iterable<Uint8Array>): string => Buffer.concat([...pieces]).toString()

const head = { kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: "7" } }

describe("forms of a list", () => {
  const texts = ["a\nb\n", "  indented", "\ttab", "- x", "'", "\"", "#", "", "ü ", "yes", "1e3", "a: b\n\n\n", "\n", "x".repeat(300)]
  it.each([0, 1, 2, 30])("say the same about %i objects", (count) => {
    const items = Array.from({ length: count }, (_, index) => ({
      metadata: { name: `n${index}`, labels: {}, list: [[], [1, { a: null }], "x\ny"] },
      data: Object.fromEntries(texts.map((value, at) => [`${at}`, value]))
    }))
    const listing: listForms.Listing = { head, field: "items", values: items }
    expect(text(listForms.indented(listing))).toBe(`${JSON.stringify({ ...head, items }, null, 2)}\n`)
    expect(parse(text(listForms.yaml(listing)))).toEqual({ ...head, items })
  })

  it.effect.each([listForms.indented, listForms.yaml])("make no more than their reader takes", (form) =>
    Effect.gen(function*() {
      let made = 0
      let taken = 0
      let open = true
      const values = function*() {
        for (; made < 5000; made++) yield { metadata: { name: `n${made}` }, data: { text: "x".repeat(1000) } }
      }
      const { body } = chunks.response(form({ head, field: "items", values: values() }))
      if (body instanceof Uint8Array) throw new Error("a long list is complete in memory")
      const fiber = yield* Effect.fork(body.run({
        write: (chunk) => {
          taken += chunk.length
          return open = false
        },
        drained: Effect.repeat(Effect.yieldNow(), { until: () => open })
      }))
      for (let turn = 1; turn <= 4; turn++) {
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        // What is made and not taken yet is never more than the one chunk that is being filled.
        assert.isBelow(made * 1000 - taken, 70_000, `turn ${turn}`)
        assert.isBelow(made, 300 + 70 * turn, `turn ${turn}`)
        open = true
      }
      yield* Fiber.interrupt(fiber)
    }))
})

describe("lists in other forms", () => {
  layer(layerApi)((it) => {
    it.effect("are those of the plain list", () =>
      Effect.gen(function*() {
        for (let i = 0; i < 40; i++) yield* call("POST", configMaps, { body: configMap(`big-${i}`, { text: "x\n".repeat(10_000) }) })
        const { json } = yield* call("GET", configMaps)
        const pretty = yield* call("GET", `${configMaps}?pretty=1`)
        assert.strictEqual(pretty.text, `${JSON.stringify(json, null, 2)}\n`)
        const yaml = yield* call("GET", configMaps, { accept: "application/yaml" })
        assert.strictEqual(yaml.headers["content-type"], "application/yaml")
        assert.deepStrictEqual(parse(yaml.text), json)
        const api = yield* ApiServer.ApiServer
        const { body } = yield* api.handle({
          method: "GET",
          url: configMaps,
          headers: { accept: "application/yaml" },
          body: Effect.succeed(new Uint8Array(0)),
          user: admin
        })
        assert.notInstanceOf(body, Uint8Array)
        yield* call("POST", pods, { body: pod("p") })
        const rows = yield* call("GET", `${pods}?pretty=true`, { accept: table })
        assert.strictEqual(rows.text, `${JSON.stringify(rows.json, null, 2)}\n`)
        assert.strictEqual(rows.json.rows[0].cells[0], "p")
        const empty = yield* call("GET", "/api/v1/namespaces/default/secrets?pretty=true")
        assert.include(empty.text, "\"items\": []\n}\n")
        const none = yield* call("GET", "/api/v1/namespaces/default/secrets", { accept: "application/yaml" })
        assert.deepStrictEqual(parse(none.text).items, [])
      }))
  })
})
