import { Kinds } from "@reddwarf/api-types"
import { ApiClient, Transport } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream, TestClock } from "effect"

type Answer = { readonly status?: number; readonly headers?: Record<string, string>; readonly body: string }

/** A transport that gives these answers, one by one. */
const scripted = (answers: Array<Answer>, journal: Array<Transport.Request> = []) => {
  const next = (request: Transport.Request) => {
    journal.push(request)
    const { body, headers = {}, status = 200 } = answers.shift() ?? { body: "" }
    return { status, headers, body: new TextEncoder().encode(body) }
  }
  return ApiClient.layer.pipe(Layer.provide(Layer.succeed(Transport.Transport, {
    request: (request) => Effect.sync(() => next(request)),
    open: (request) => Effect.sync(() => {
      const answer = next(request)
      return { ...answer, body: answer.body.length === 0 ? Stream.never : Stream.make(answer.body) }
    })
  })))
}

const ref = { namespace: "default", name: "a" }
const configMap = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, future: { kept: true } })

describe("ApiClient", () => {
  it.effect("builds the paths and bodies of the API", () => {
    const journal: Array<Transport.Request> = []
    const lease = JSON.stringify({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "a" } })
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.updateStatus(Kinds.configMap, { metadata: { ...ref } })
      yield* client.patch(Kinds.lease, { namespace: "kube system", name: "a" }, { spec: null })
      yield* client.delete(Kinds.node, { name: "n1" }, { gracePeriodSeconds: 0 })
      yield* client.bind(ref, "n1")
      assert.deepStrictEqual(
        journal.map(({ body, headers, method, path }) => [method, path, headers?.["content-type"], body]),
        [
          ["PUT", "/api/v1/namespaces/default/configmaps/a/status", "application/json", `{"metadata":{"namespace":"default","name":"a"},"apiVersion":"v1","kind":"ConfigMap"}`],
          ["PATCH", "/apis/coordination.k8s.io/v1/namespaces/kube%20system/leases/a", "application/merge-patch+json", `{"spec":null}`],
          ["DELETE", "/api/v1/nodes/n1", "application/json", `{"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0}`],
          [
            "POST",
            "/api/v1/namespaces/default/pods/a/binding",
            "application/json",
            `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"a","namespace":"default"},"target":{"apiVersion":"v1","kind":"Node","name":"n1"}}`
          ]
        ]
      )
    }).pipe(Effect.provide(scripted([{ body: configMap }, { body: lease }, { body: "{}" }, { body: "{}" }], journal)))
  })

  it.effect("keeps fields that it does not know", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      assert.include(JSON.stringify(yield* client.get(Kinds.configMap, ref)), `"future":{"kept":true}`)
    }).pipe(Effect.provide(scripted([{ body: configMap }]))))

  it.effect("repeats what the server asks to repeat, after the time it asks for", () => {
    const journal: Array<Transport.Request> = []
    const busy = { status: 429, headers: { "retry-after": "3" }, body: "slow down" }
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const reading = yield* Effect.fork(client.get(Kinds.configMap, ref))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(journal.length, 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(reading)).metadata.name, "a")
    }).pipe(Effect.provide(scripted([busy, busy, { body: configMap }], journal)))
  })

  it.effect("gives up after ten attempts, and at once without Retry-After", () => {
    const journal: Array<Transport.Request> = []
    const answers = [{ status: 503, body: "down" }, ...Array.from({ length: 12 }, () => ({ status: 503, headers: { "retry-after": "1" }, body: "down" }))]
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* Effect.flip(client.get(Kinds.configMap, ref))
      assert.strictEqual(journal.length, 1)
      const reading = yield* Effect.fork(Effect.flip(client.get(Kinds.configMap, ref)))
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(reading)
      assert.deepStrictEqual([journal.length, error._tag === "ApiError" && error.reason, error.message], [11, "ServiceUnavailable", "down"])
    }).pipe(Effect.provide(scripted(answers, journal)))
  })

  it.effect("names what it found instead of the expected object", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      for (const _ of ["html", "other kind", "no name"]) {
        const error = yield* Effect.flip(client.get(Kinds.configMap, ref))
        assert.strictEqual(error._tag, "DecodeFailure")
        assert.include(error.message, "GET /api/v1/namespaces/default/configmaps/a")
      }
      const list = yield* Effect.flip(client.list(Kinds.configMap))
      assert.include(list.message, "items[1]")
    }).pipe(Effect.provide(scripted([
      { body: "<html>" },
      { body: `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}` },
      { body: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}` },
      { body: `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"a"}},7]}` }
    ]))))

  it.effect("ends a watch that the server forgot to end", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const watching = yield* Effect.fork(Effect.flip(Stream.runDrain(client.watch(Kinds.configMap, { resourceVersion: "1", timeoutSeconds: 60 }))))
      yield* TestClock.adjust("90 seconds")
      const error = yield* Fiber.join(watching)
      assert.strictEqual(error._tag === "TransportFailure" ? error.reason : error._tag, "Timeout")
    }).pipe(Effect.provide(scripted([{ body: "" }]))))
})
