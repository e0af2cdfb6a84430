import { type CoreV1, Kind, Kinds, type KubeObject, OwnerReference, type PolicyV1, Timestamp } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { DisruptionController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, TestClock } from "effect"

const world = () => Layer.merge(FakeApi.layer(), EventRecorder.layerMemory([]))

const ref = { namespace: "default", name: "web" }
const settle = TestClock.adjust("1 second")
const selector = { matchLabels: { app: "web" } }
const template: CoreV1.PodTemplateSpec = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "registry.test/app:1" }] } }

const budget = (spec: Partial<PolicyV1.PodDisruptionBudgetSpec>) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.create(Kinds.podDisruptionBudget, { metadata: ref, spec: { selector, ...spec } }))

/** A custom kind that makes pods, named as a built-in one of another group. */
const fleet = Kind.make<KubeObject.KubeObject>({
  group: "example.com",
  version: "v1",
  kind: "StatefulSet",
  plural: "fleets",
  namespaced: true,
  schema: Kinds.configMap.schema
})

const status = Effect.map(FakeApi.FakeApi, (server) => server.get(Kinds.podDisruptionBudget, ref)?.status ?? {})
const numbers = Effect.map(status, (found) => [found.expectedPods, found.currentHealthy, found.desiredHealthy, found.disruptionsAllowed])
const condition = Effect.map(status, (found) => found.conditions?.map(({ reason, status }) => `${status} ${reason}`)[0])

const pods = (ready: ReadonlyArray<boolean>, replicas?: number) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const owner = replicas === undefined ? undefined : yield* client.create(Kinds.replicaSet, { metadata: ref, spec: { replicas, selector, template } })
    for (const [index, isReady] of ready.entries()) {
      const at = { namespace: "default", name: `web-${index}` }
      yield* client.create(Kinds.pod, {
        ...template,
        metadata: { ...at, labels: { app: "web" }, ...(owner === undefined ? {} : { ownerReferences: [OwnerReference.controllerOf(Kinds.replicaSet, owner)] }) }
      })
      yield* client.bind(at, "n1")
      yield* client.patch(Kinds.pod, at, { status: { phase: "Running", conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] } }, { subresource: "status" })
    }
  })

describe("DisruptionController", () => {
  it.scoped("says how many pods may go when some must stay", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* DisruptionController.run()
      const made = yield* budget({ minAvailable: 2 })
      yield* settle
      assert.deepStrictEqual([yield* numbers, yield* condition], [[0, 0, 2, 0], "False InsufficientPods"])
      yield* pods([true, true, true, false])
      yield* settle
      assert.deepStrictEqual([yield* numbers, yield* condition], [[4, 3, 2, 1], "True SufficientPods"])
      assert.strictEqual((yield* status).observedGeneration, made.metadata.generation)
      yield* client.delete(Kinds.pod, { namespace: "default", name: "web-0" })
      yield* settle
      assert.deepStrictEqual(yield* numbers, [4, 2, 2, 0])
      const server = yield* FakeApi.FakeApi
      const revision = server.revision()
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(server.revision(), revision)
    }).pipe(Effect.provide(world())))

  it.scoped("counts shares of what the controller of the pods wants, rounded up", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* DisruptionController.run()
      yield* pods([true, true, true], 7)
      yield* budget({ maxUnavailable: "30%" })
      yield* settle
      assert.deepStrictEqual(yield* numbers, [7, 3, 4, 0])
      yield* client.patch(Kinds.podDisruptionBudget, ref, { spec: { maxUnavailable: null, minAvailable: "15%" } })
      yield* settle
      assert.deepStrictEqual(yield* numbers, [7, 3, 2, 1])
    }).pipe(Effect.provide(world())))

  it.scoped("allows nothing when it cannot tell how many there should be", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* DisruptionController.run()
      yield* pods([true], 1)
      yield* client.delete(Kinds.replicaSet, ref)
      yield* budget({ maxUnavailable: 1 })
      yield* settle
      assert.deepStrictEqual([(yield* status).disruptionsAllowed, yield* condition], [0, "False SyncFailed"])
    }).pipe(Effect.provide(world())))

  it.scoped("believes in an eviction for two minutes", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* DisruptionController.run()
      yield* pods([true, true])
      yield* budget({ minAvailable: 1 })
      yield* settle
      assert.strictEqual((yield* status).disruptionsAllowed, 1)
      const time = Timestamp.secondsFromMillis(yield* Clock.currentTimeMillis)
      yield* client.patch(Kinds.podDisruptionBudget, ref, { status: { disruptionsAllowed: 0, disruptedPods: { "web-0": time } } }, { subresource: "status" })
      yield* TestClock.adjust("100 seconds")
      assert.deepStrictEqual([yield* numbers, (yield* status).disruptedPods], [[2, 1, 1, 0], { "web-0": time }])
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual([yield* numbers, (yield* status).disruptedPods], [[2, 2, 1, 1], undefined])
    }).pipe(Effect.provide(world())))

  it.scoped("asks custom controllers how many pods they want, by the scale of their kind", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const owner = yield* client.create(fleet, { metadata: ref })
      const scale = { kind: "Scale", apiVersion: "autoscaling/v1", metadata: { ...ref, uid: owner.metadata.uid }, spec: { replicas: 4 }, status: { replicas: 2 } }
      server.injectFaults(({ path }) =>
        path.endsWith("/fleets/web/scale")
          ? { type: "response", response: { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(scale)) } }
          : undefined)
      yield* DisruptionController.run()
      yield* budget({ maxUnavailable: 1 })
      for (const name of ["web-0", "web-1", "web-2"]) {
        yield* client.create(Kinds.pod, { ...template, metadata: { namespace: "default", name, labels: { app: "web" }, ownerReferences: [OwnerReference.controllerOf(fleet, owner)] } })
        yield* client.patch(Kinds.pod, { namespace: "default", name }, { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } }, { subresource: "status" })
      }
      yield* settle
      assert.deepStrictEqual([yield* numbers, yield* condition], [[4, 3, 3, 0], "False InsufficientPods"])
    }).pipe(Effect.provide(Layer.merge(FakeApi.layer({ kinds: [...Kinds.all, fleet] }), EventRecorder.layerMemory([])))))

  it.scoped("takes an announced disruption back when the pod stays", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* pods([true, true])
      yield* DisruptionController.run()
      const target = { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI", lastTransitionTime: Timestamp.secondsFromMillis(yield* Clock.currentTimeMillis) }
      const at = { namespace: "default", name: "web-0" }
      yield* client.patch(Kinds.pod, at, { status: { conditions: [{ type: "Ready", status: "True" }, target] } }, { subresource: "status" })
      const shown = () => server.get(Kinds.pod, at)?.status?.conditions?.map(({ reason, status, type }) => [type, status, reason])
      yield* TestClock.adjust("110 seconds")
      assert.deepStrictEqual(shown()?.[1], ["DisruptionTarget", "True", "EvictionByEvictionAPI"])
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(shown(), [["Ready", "True", undefined], ["DisruptionTarget", "False", undefined]])
    }).pipe(Effect.provide(world())))
})
