import { type AppsV1, type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { StatefulSetController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, TestClock } from "effect"
import { activePods, become, converge, imageOf, pods, ref, selector, settle, template, work, world } from "./workloads.js"

const create = (spec: Partial<AppsV1.StatefulSetSpec> = {}) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.create(Kinds.statefulSet, { metadata: ref, spec: { replicas: 3, serviceName: "peers", selector, template: template("app:1"), ...spec } }))

const patch = (spec: unknown) => Effect.flatMap(ApiClient.ApiClient, (client) => client.patch(Kinds.statefulSet, ref, { spec }))
const names = Effect.map(activePods, (all) => all.map((pod) => pod.metadata.name))
const images = Effect.map(activePods, (all) => all.map(imageOf))
const found = Effect.flatMap(FakeApi.FakeApi, (server) => Effect.fromNullable(server.get(Kinds.statefulSet, ref)))
const revisions = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.controllerRevision))
const claims = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.persistentVolumeClaim))
const podNamed = (name: string) => Effect.flatMap(FakeApi.FakeApi, (server) => Effect.fromNullable(server.get(Kinds.pod, { namespace: "default", name })))

const data: CoreV1.PersistentVolumeClaim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } }
}

describe("StatefulSetController", () => {
  it.scoped("makes one pod after the other, each with its name, number and host name", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      yield* StatefulSetController.run()
      yield* create()
      yield* settle
      assert.deepStrictEqual(yield* names, ["web-0"])
      yield* work()
      yield* settle
      assert.deepStrictEqual(yield* names, ["web-0", "web-1"])
      yield* converge()
      assert.deepStrictEqual(yield* names, ["web-0", "web-1", "web-2"])
      const { metadata, spec } = yield* podNamed("web-1")
      const { status } = yield* found
      assert.deepStrictEqual(metadata.labels, {
        app: "web",
        "apps.kubernetes.io/pod-index": "1",
        "controller-revision-hash": status?.updateRevision ?? "",
        "statefulset.kubernetes.io/pod-name": "web-1"
      })
      assert.deepStrictEqual([spec?.hostname, spec?.subdomain], ["web-1", "peers"])
      assert.deepStrictEqual(
        [status?.replicas, status?.readyReplicas, status?.currentReplicas, status?.updatedReplicas, status?.availableReplicas, status?.currentRevision === status?.updateRevision],
        [3, 3, 3, 3, 3, true]
      )
      assert.isTrue(events.some(({ message, reason }) => reason === "SuccessfulCreate" && message === "create Pod web-2 in StatefulSet web successful"))
    }).pipe(Effect.provide(layer))
  })

  it.scoped("removes the highest number first, and only when the others are well", () =>
    Effect.gen(function*() {
      yield* StatefulSetController.run()
      yield* create()
      yield* converge()
      yield* become(yield* podNamed("web-0"), "Running", false)
      yield* patch({ replicas: 1 })
      yield* settle
      assert.deepStrictEqual(yield* names, ["web-0", "web-1", "web-2"])
      yield* work()
      yield* settle
      assert.deepStrictEqual(yield* names, ["web-0", "web-1"])
      yield* converge()
      assert.deepStrictEqual(yield* names, ["web-0"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("makes and removes all at once when asked to", () =>
    Effect.gen(function*() {
      yield* StatefulSetController.run()
      yield* create({ podManagementPolicy: "Parallel", ordinals: { start: 5 } })
      yield* settle
      assert.deepStrictEqual(yield* names, ["web-5", "web-6", "web-7"])
      yield* patch({ replicas: 0 })
      yield* settle
      assert.deepStrictEqual(yield* names, [])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("replaces pods from the highest number down, keeps earlier templates as revisions, and goes back", () =>
    Effect.gen(function*() {
      yield* StatefulSetController.run()
      yield* create()
      yield* converge()
      yield* patch({ template: template("app:2") })
      yield* settle
      const leaving = (yield* pods).filter(PodPhase.isTerminating).map((pod) => pod.metadata.name)
      assert.deepStrictEqual(leaving, ["web-2"])
      yield* converge()
      assert.deepStrictEqual(yield* images, ["app:2", "app:2", "app:2"])
      const [one, two] = [...(yield* revisions)].sort((a, b) => a.revision - b.revision)
      assert.deepStrictEqual([one?.revision, two?.revision, (yield* found).status?.currentRevision], [1, 2, two?.metadata.name])
      assert.deepStrictEqual(Object.keys(Object(two?.data).spec.template)[0], "$patch")
      yield* patch({ template: template("app:1") })
      yield* converge()
      assert.deepStrictEqual((yield* revisions).map(({ revision }) => revision).sort((a, b) => a - b), [2, 3])
      assert.strictEqual((yield* found).status?.currentRevision, one?.metadata.name)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("leaves numbers below the partition at the earlier template, also when they come anew", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* StatefulSetController.run()
      yield* create({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } })
      yield* converge()
      yield* patch({ template: template("app:2") })
      yield* converge()
      assert.deepStrictEqual(yield* images, ["app:1", "app:1", "app:2"])
      yield* client.delete(Kinds.pod, { namespace: "default", name: "web-0" }, { gracePeriodSeconds: 0 })
      yield* converge()
      assert.deepStrictEqual(yield* images, ["app:1", "app:1", "app:2"])
      assert.deepStrictEqual([(yield* found).status?.currentReplicas, (yield* found).status?.updatedReplicas], [2, 1])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("waits for somebody to delete pods when asked to", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* StatefulSetController.run()
      yield* create({ updateStrategy: { type: "OnDelete" } })
      yield* converge()
      yield* patch({ template: template("app:2") })
      yield* converge()
      assert.deepStrictEqual(yield* images, ["app:1", "app:1", "app:1"])
      yield* client.delete(Kinds.pod, { namespace: "default", name: "web-1" }, { gracePeriodSeconds: 0 })
      yield* converge()
      assert.deepStrictEqual(yield* images, ["app:1", "app:2", "app:1"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("gives each pod its claims, which stay", () =>
    Effect.gen(function*() {
      yield* StatefulSetController.run()
      yield* create({ replicas: 2, volumeClaimTemplates: [data] })
      yield* converge()
      assert.deepStrictEqual((yield* claims).map(({ metadata }) => [metadata.name, metadata.labels, metadata.ownerReferences]), [
        ["data-web-0", { app: "web" }, undefined],
        ["data-web-1", { app: "web" }, undefined]
      ])
      const [volume] = (yield* podNamed("web-1")).spec?.volumes ?? []
      assert.deepStrictEqual([volume?.name, volume?.persistentVolumeClaim?.claimName], ["data", "data-web-1"])
      yield* patch({ replicas: 0 })
      yield* converge()
      assert.strictEqual((yield* claims).length, 2)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("lets claims go with the pod when it scales, and with the set when that goes", () =>
    Effect.gen(function*() {
      const set = yield* Effect.zipRight(StatefulSetController.run(), create({
        replicas: 2,
        volumeClaimTemplates: [data],
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Delete" }
      }))
      yield* converge()
      const owners = Effect.map(claims, (all) => all.map(({ metadata }) => metadata.ownerReferences?.map(({ kind, uid }) => [kind, uid])))
      assert.deepStrictEqual(yield* owners, [[["StatefulSet", set.metadata.uid ?? ""]], [["StatefulSet", set.metadata.uid ?? ""]]])
      const condemned = yield* podNamed("web-1")
      yield* patch({ replicas: 1 })
      yield* settle
      assert.deepStrictEqual(yield* owners, [[["StatefulSet", set.metadata.uid ?? ""]], [["Pod", condemned.metadata.uid ?? ""]]])
    }).pipe(Effect.provide(world().layer)))

  it.scoped.prop(
    "ends with exactly the numbers asked for, all of the last template, and never twice the same number",
    [
      FastCheck.boolean(),
      FastCheck.integer({ min: 0, max: 4 }),
      FastCheck.array(FastCheck.tuple(FastCheck.constantFrom("image", "scale", "fail", "unready", "work", "watch"), FastCheck.integer({ min: 0, max: 5 })), { maxLength: 12 })
    ],
    ([parallel, replicas, happenings]) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        const server = yield* FakeApi.FakeApi
        yield* StatefulSetController.run()
        yield* create({ replicas, podManagementPolicy: parallel ? "Parallel" : "OrderedReady" })
        let wanted = replicas
        let image = "app:1"
        for (const [what, number] of happenings) {
          if (what === "image") yield* patch({ template: template(image = `app:${String(number)}`) })
          if (what === "scale") yield* patch({ replicas: wanted = number })
          const victim = (yield* activePods)[number]
          if (what === "fail" && victim !== undefined) yield* become(victim, "Failed", false)
          if (what === "unready" && victim !== undefined) yield* become(victim, "Running", false)
          if (what === "work") yield* work((pod) => Number(pod.metadata.name?.slice(4)) % 2 === number % 2)
          if (what === "watch") yield* server.disconnectWatches
          yield* TestClock.adjust("500 millis")
        }
        yield* TestClock.adjust("1 minute")
        yield* converge()
        const expected = Array.from({ length: wanted }, (_, index) => `web-${String(index)}`)
        assert.deepStrictEqual([yield* names, yield* images], [expected, expected.map(() => image)])
        yield* client.delete(Kinds.statefulSet, ref)
      }).pipe(Effect.provide(world().layer)),
    { fastCheck: { numRuns: 8 }, timeout: 120_000 }
  )
})
