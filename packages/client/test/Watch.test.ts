import { Kinds } from "@reddwarf/api-types"
import { Watch } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, FastCheck, Stream } from "effect"

const line = (type: string, name: string) =>
  `${JSON.stringify({ type, object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, resourceVersion: "7" }, data: { text: "grüße 🌍" } } })}\n`

const decode = (chunks: ReadonlyArray<Uint8Array>) => Watch.decode(Kinds.configMap, "/api/v1/configmaps?watch=true", Stream.fromIterable(chunks))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe("Watch.decode", () => {
  it.effect.prop(
    "gives the same events however the bytes are cut",
    [FastCheck.array(FastCheck.constantFrom("ADDED", "MODIFIED", "DELETED"), { maxLength: 8 }), FastCheck.array(FastCheck.nat(900), { maxLength: 12 })],
    ([types, cuts]) =>
      Effect.gen(function*() {
        const whole = bytes(types.map((type, index) => line(type, `n${index}`)).join(""))
        const edges = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length]
        const chunks = edges.slice(1).map((end, index) => whole.slice(edges[index], end))
        const events = Chunk.toReadonlyArray(yield* Stream.runCollect(decode(chunks)))
        assert.deepStrictEqual(
          events.map((event) => (event.type === "BOOKMARK" ? "" : `${event.type} ${event.object.metadata.name} ${event.object.data?.["text"]}`)),
          types.map((type, index) => `${type} n${index} grüße 🌍`)
        )
      })
  )

  it.effect("reads bookmarks, and drops a last line that was cut short", () =>
    Effect.gen(function*() {
      const bookmark = `{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"234"}}}\n`
      const events = yield* Stream.runCollect(decode([bytes(`${bookmark}{"type":"ADD`)]))
      assert.deepStrictEqual(Chunk.toReadonlyArray(events), [{ type: "BOOKMARK", resourceVersion: "234" }])
    }))

  it.effect("delivers the events before an ERROR, then fails with its Status", () =>
    Effect.gen(function*() {
      const error = { type: "ERROR", object: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason: "Expired", code: 410, message: "too old" } }
      const seen: Array<string> = []
      const failure = yield* decode([bytes(`${line("ADDED", "a")}${JSON.stringify(error)}\n`)]).pipe(
        Stream.runForEach((event) => Effect.sync(() => seen.push(event.type))),
        Effect.flip
      )
      assert.deepStrictEqual(seen, ["ADDED"])
      assert.strictEqual(failure._tag === "ApiError" ? failure.code : failure._tag, 410)
    }))

  it.effect("fails on what is no event of the kind", () =>
    Effect.gen(function*() {
      for (const text of ["nonsense\n", "[]\n", `{"type":"PARTED","object":{}}\n`, `{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"}}}\n`]) {
        const error = yield* Effect.flip(Stream.runDrain(decode([bytes(text)])))
        assert.strictEqual(error._tag, "DecodeFailure")
      }
    }))

  it.effect("refuses an endless line", () =>
    Effect.gen(function*() {
      const chunk = new Uint8Array(4 * 1024 * 1024).fill(97)
      const error = yield* Effect.flip(Stream.runDrain(decode(Array.from({ length: 5 }, () => chunk))))
      assert.strictEqual(error._tag, "DecodeFailure")
    }))
})
