import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { PodGarbageCollector } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"

const createPod = (name: string, options: { readonly node?: string; readonly phase?: string; readonly finalizers?: ReadonlyArray<string> } = {}) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const spec: CoreV1.PodSpec = { containers: [{ name: "main", image: "registry.test/app:1" }], ...(options.node === undefined ? {} : { nodeName: options.node }) }
    yield* client.create(Kinds.pod, {
      metadata: { name, namespace: "default", ...(options.finalizers === undefined ? {} : { finalizers: options.finalizers }) },
      spec
    })
    if (options.phase !== undefined) {
      yield* client.patch(Kinds.pod, { namespace: "default", name }, { status: { phase: options.phase } }, { subresource: "status" })
    }
  })

const podNames = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.pod).map((pod) => pod.metadata.name))

const everyTenSeconds = { every: "10 seconds" } as const

describe("PodGarbageCollector", () => {
  it.scoped("removes the pods of a node that is gone for good, and only those", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.create(Kinds.node, { metadata: { name: "n1" } })
      yield* client.create(Kinds.node, { metadata: { name: "n2" } })
      yield* createPod("stays", { node: "n1" })
      yield* createPod("orphan", { node: "n2" })
      yield* createPod("pending")
      yield* PodGarbageCollector.run(everyTenSeconds)
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* podNames, ["orphan", "pending", "stays"])
      yield* client.delete(Kinds.node, { name: "n2" })
      yield* TestClock.adjust("35 seconds")
      assert.deepStrictEqual(yield* podNames, ["orphan", "pending", "stays"])
      yield* TestClock.adjust("35 seconds")
      assert.deepStrictEqual(yield* podNames, ["pending", "stays"])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("says why before it removes an orphan", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      yield* createPod("orphan", { node: "gone", phase: "Running", finalizers: ["example.com/hold"] })
      yield* PodGarbageCollector.run(everyTenSeconds)
      yield* TestClock.adjust("2 minutes")
      const pod = server.get(Kinds.pod, { namespace: "default", name: "orphan" })
      const disrupted = pod?.status?.conditions?.find((each) => each.type === "DisruptionTarget")
      assert.deepStrictEqual([pod?.status?.phase, disrupted?.reason], ["Failed", "DeletionByPodGC"])
      assert.isDefined(pod?.metadata.deletionTimestamp)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("removes nothing while the node comes and goes, or while the server does not confirm that it is gone", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* createPod("p", { node: "n1" })
      yield* PodGarbageCollector.run(everyTenSeconds)
      for (let round = 0; round < 4; round++) {
        yield* TestClock.adjust("30 seconds")
        yield* client.create(Kinds.node, { metadata: { name: "n1" } })
        yield* TestClock.adjust("15 seconds")
        yield* client.delete(Kinds.node, { name: "n1" })
      }
      server.injectFaults((request) => (request.path === "/api/v1/nodes/n1" ? { type: "fail" } : undefined))
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* podNames, ["p"])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("believes the server more than a watch that is stuck", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* createPod("p", { node: "n1" })
      yield* PodGarbageCollector.run(everyTenSeconds)
      yield* TestClock.adjust("1 second")
      server.injectFaults((request) => (request.path.includes("/nodes?watch=true") ? { type: "fail" } : undefined))
      yield* server.disconnectWatches
      yield* client.create(Kinds.node, { metadata: { name: "n1" } })
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* podNames, ["p"])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("keeps as many terminated pods as the threshold allows, the youngest", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.create(Kinds.node, { metadata: { name: "n1" } })
      for (const name of ["e", "d", "c", "b", "a"]) {
        yield* createPod(name, { node: "n1", phase: "Succeeded" })
        yield* TestClock.adjust("2 seconds")
      }
      yield* createPod("running", { node: "n1", phase: "Running" })
      yield* PodGarbageCollector.run({ ...everyTenSeconds, terminatedPodThreshold: 2 })
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(yield* podNames, ["a", "b", "running"])
    }).pipe(Effect.provide(FakeApi.layer())))
})
