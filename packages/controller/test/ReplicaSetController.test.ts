import { type CoreV1, Kinds, OwnerReference, Timestamp } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { ReplicaSetController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, TestClock } from "effect"

const world = () => {
  const events: Array<EventRecorder.Recorded> = []
  return { events, layer: Layer.merge(FakeApi.layer(), EventRecorder.layerMemory(events)) }
}

const ref = { namespace: "default", name: "web" }
const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "registry.test/app:1" }] } }

const createSet = (replicas: number, minReadySeconds = 0) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.create(Kinds.replicaSet, { metadata: ref, spec: { replicas, minReadySeconds, selector: { matchLabels: { app: "web" } }, template } }))

const createPod = (name: string, labels: Readonly<Record<string, string>>) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.create(Kinds.pod, { metadata: { name, namespace: "default", labels }, spec: template.spec }))

const scale = (replicas: number) => Effect.flatMap(ApiClient.ApiClient, (client) => client.patch(Kinds.replicaSet, ref, { spec: { replicas } }))

const pods = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.pod))
const names = Effect.map(pods, (all) => all.map((pod) => pod.metadata.name))
const status = Effect.map(FakeApi.FakeApi, (server) => server.get(Kinds.replicaSet, ref)?.status)

const run = (pod: CoreV1.Pod, ready: boolean) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const target = { namespace: "default", name: pod.metadata.name ?? "" }
    yield* client.bind(target, "n1")
    const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: Timestamp.secondsFromMillis(yield* Clock.currentTimeMillis) }]
    yield* client.patch(Kinds.pod, target, { status: { phase: "Running", conditions } }, { subresource: "status" })
  })

const settle = TestClock.adjust("1 second")

describe("ReplicaSetController", () => {
  it.scoped("makes as many pods as asked for, puts them back, and says so", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* ReplicaSetController.run()
      const set = yield* createSet(3)
      yield* settle
      const made = yield* pods
      assert.strictEqual(made.length, 3)
      for (const pod of made) {
        assert.match(pod.metadata.name ?? "", /^web-[a-z0-9]{5}$/)
        assert.deepStrictEqual(pod.metadata.ownerReferences, [OwnerReference.controllerOf(Kinds.replicaSet, set)])
        assert.deepStrictEqual(pod.metadata.labels, { app: "web" })
      }
      assert.deepStrictEqual(
        events.filter((event) => event.reason === "SuccessfulCreate").map((event) => event.message).sort(),
        made.map((pod) => `Created pod: ${pod.metadata.name}`).sort()
      )
      yield* client.delete(Kinds.pod, { namespace: "default", name: made[0]?.metadata.name ?? "" }, { gracePeriodSeconds: 0 })
      yield* settle
      assert.strictEqual((yield* pods).length, 3)
      const found = yield* status
      assert.deepStrictEqual(
        [found?.replicas, found?.fullyLabeledReplicas, found?.readyReplicas ?? 0, found?.observedGeneration],
        [3, 3, 0, set.metadata.generation]
      )
      const server = yield* FakeApi.FakeApi
      const revision = server.revision()
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(server.revision(), revision)
    }).pipe(Effect.provide(layer))
  })

  it.scoped("never makes too many when its watch is slow", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      yield* ReplicaSetController.run()
      yield* settle
      yield* createSet(2)
      yield* settle
      server.injectFaults((request) => (request.path.includes("/pods?") && request.path.includes("watch=true") ? { type: "fail" } : undefined))
      yield* server.disconnectWatches
      yield* scale(5)
      yield* TestClock.adjust("1 minute")
      yield* scale(6)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* pods).length, 6)
      server.injectFaults(() => undefined)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual([(yield* pods).length, (yield* status)?.replicas], [6, 6])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("removes the pods first that are worth least", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* ReplicaSetController.run()
      yield* createSet(4)
      yield* settle
      const [ready, cheap, unready] = yield* pods
      for (const pod of [ready, cheap]) if (pod !== undefined) yield* run(pod, true)
      if (unready !== undefined) yield* run(unready, false)
      yield* client.patch(Kinds.pod, { namespace: "default", name: cheap?.metadata.name ?? "" }, {
        metadata: { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-5" } }
      })
      const staying = Effect.map(pods, (all) => all.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => pod.metadata.name))
      yield* scale(3)
      yield* settle
      assert.deepStrictEqual(yield* staying, [ready, cheap, unready].map((pod) => pod?.metadata.name))
      yield* scale(2)
      yield* settle
      assert.deepStrictEqual(yield* staying, [ready, cheap].map((pod) => pod?.metadata.name))
      yield* scale(1)
      yield* settle
      assert.deepStrictEqual(yield* staying, [ready?.metadata.name])
      assert.strictEqual((yield* status)?.terminatingReplicas, 2)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("takes in matching pods that have no controller, and lets those go that no longer match", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* createPod("stray", { app: "web" })
      yield* createPod("other", { app: "api" })
      yield* ReplicaSetController.run()
      const set = yield* createSet(1)
      yield* settle
      assert.deepStrictEqual(yield* names, ["other", "stray"])
      assert.deepStrictEqual(server.get(Kinds.pod, { namespace: "default", name: "stray" })?.metadata.ownerReferences, [
        OwnerReference.controllerOf(Kinds.replicaSet, set)
      ])
      yield* client.patch(Kinds.pod, { namespace: "default", name: "stray" }, { metadata: { labels: { app: "debug" } } })
      yield* settle
      assert.strictEqual((yield* names).length, 3)
      assert.isUndefined(server.get(Kinds.pod, { namespace: "default", name: "stray" })?.metadata.ownerReferences)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("counts a ready pod as available after minReadySeconds", () =>
    Effect.gen(function*() {
      yield* ReplicaSetController.run()
      yield* createSet(1, 30)
      yield* settle
      for (const pod of yield* pods) yield* run(pod, true)
      yield* TestClock.adjust("10 seconds")
      const counts = Effect.map(status, (found) => [found?.readyReplicas ?? 0, found?.availableReplicas ?? 0])
      assert.deepStrictEqual(yield* counts, [1, 0])
      yield* TestClock.adjust("21 seconds")
      assert.deepStrictEqual(yield* counts, [1, 1])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("says why pods cannot be made, asks for few, and goes on when they can", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      let attempts = 0
      server.injectFaults((request) => {
        if (request.method !== "POST" || !request.path.endsWith("/pods")) return undefined
        attempts++
        const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: "pods are forbidden here", reason: "Forbidden", details: {}, code: 403 }
        return { type: "response", response: { status: 403, headers: {}, body: Buffer.from(JSON.stringify(body)) } }
      })
      yield* ReplicaSetController.run()
      yield* createSet(50)
      yield* TestClock.adjust("10 seconds")
      const condition = (yield* status)?.conditions?.[0]
      assert.deepStrictEqual([condition?.type, condition?.status, condition?.reason, condition?.message], ["ReplicaFailure", "True", "FailedCreate", "pods are forbidden here"])
      assert.isTrue(events.some((event) => event.type === "Warning" && event.message === "Error creating: pods are forbidden here"))
      assert.isBelow(attempts, 20)
      server.injectFaults(() => undefined)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* pods).length, 50)
      assert.deepStrictEqual((yield* status)?.conditions ?? [], [])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("says once why pods are refused, and tries again more and more rarely", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      let refused = 0
      server.injectFaults(({ method, path }) => {
        if (method !== "POST" || !path.endsWith("/pods")) return undefined
        const message = `pods "web-${refused++}" is forbidden: exceeded quota: q`
        const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason: "Forbidden", code: 403 }
        return { type: "response", response: { status: 403, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(body)) } }
      })
      yield* ReplicaSetController.run()
      yield* createSet(2)
      for (let second = 0; second < 20; second++) yield* TestClock.adjust("1 second")
      const condition = (yield* status)?.conditions?.find(({ type }) => type === "ReplicaFailure")
      assert.deepStrictEqual([condition?.reason, condition?.message], ["FailedCreate", 'pods "web-0" is forbidden: exceeded quota: q'])
      assert.isAtMost(server.requests().filter(({ method, path }) => method === "PUT" && path.endsWith("/status")).length, 2)
      assert.isAtMost(refused, 16)
      server.injectFaults(() => undefined)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([(yield* pods).length, (yield* status)?.conditions], [2, undefined])
    }).pipe(Effect.provide(world().layer)))
})
