import { Kind, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi, Informer } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"

const create = (name: string) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.create(Kinds.configMap, { metadata: { name, namespace: "default", labels: { app: name } }, data: { secret: "text" } }))

describe("metadata alone", () => {
  it.effect("has the kind's own name and nothing but metadata", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const made = yield* create("a")
      const wanted = { apiVersion: "v1", kind: "ConfigMap", metadata: made.metadata }
      assert.deepStrictEqual(yield* client.getMetadata(Kinds.configMap, { namespace: "default", name: "a" }), wanted)
      const page = yield* client.listMetadata(Kinds.configMap, { namespace: "default" })
      assert.deepStrictEqual(page.items, [wanted])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("follows changes as an informer does", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const informer = yield* Informer.makeMetadata({ kind: Kinds.configMap })
      yield* create("a")
      yield* informer.hasSynced
      yield* create("b")
      yield* client.delete(Kinds.configMap, { namespace: "default", name: "a" })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(informer.keys(), ["default/b"])
      assert.deepStrictEqual(Object.keys(informer.get("default/b") ?? {}).sort(), ["apiVersion", "kind", "metadata"])
    }).pipe(Effect.provide(FakeApi.layer())))
})

describe("discover", () => {
  it.effect("gives every kind that the server serves, with its names, scope and verbs", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const found = yield* client.discover
      const shown = (kind: Kind.Kind) => [Kind.apiVersion(kind), kind.kind, kind.plural, kind.namespaced, [...kind.verbs].sort()]
      assert.deepStrictEqual(found.map(shown).map(String).sort(), Kinds.all.map(shown).map(String).sort())
    }).pipe(Effect.provide(FakeApi.layer())))

  it.effect("says what is wrong when the server does not know aggregated discovery", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      server.injectFaults(() => ({ type: "response", response: { status: 200, headers: {}, body: Buffer.from(`{"kind":"APIVersions","versions":["v1"]}`) } }))
      const error = yield* Effect.flip(client.discover)
      assert.include(error.message, "expected aggregated discovery (Kubernetes 1.26 or newer)")
    }).pipe(Effect.provide(FakeApi.layer())))
})
