import { Kinds } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { ControllerManager } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope, TestClock } from "effect"

const world = Layer.merge(FakeApi.layer(), EventRecorder.layerMemory([]))

const candidate = (identity: string) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    yield* Scope.extend(ControllerManager.run({ election: { namespace: "kube-system", name: "controllers", identity } }), scope)
    return scope
  })

const hasAccount = (namespace: string) =>
  Effect.map(FakeApi.FakeApi, (server) => server.get(Kinds.serviceAccount, { namespace, name: "default" }) !== undefined)

describe("ControllerManager", () => {
  it.scoped("runs all controllers, and another process takes over when the leader stops", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const holder = () => server.get(Kinds.lease, { namespace: "kube-system", name: "controllers" })?.spec?.holderIdentity
      const one = yield* candidate("one")
      yield* TestClock.adjust("1 second")
      const two = yield* candidate("two")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([holder(), yield* hasAccount("default")], ["one", true])
      yield* Scope.close(one, Exit.void)
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([holder(), yield* hasAccount("team")], ["two", true])
      yield* Scope.close(two, Exit.void)
      assert.strictEqual(server.watchers(), 0)
    }).pipe(Effect.provide(world)))

  it.scoped("waits for a server that is not there yet", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      server.injectFaults(() => ({ type: "fail" }))
      yield* ControllerManager.run()
      yield* TestClock.adjust("5 minutes")
      server.injectFaults(() => undefined)
      yield* TestClock.adjust("1 minute")
      assert.isTrue(yield* hasAccount("default"))
    }).pipe(Effect.provide(world)))
})
