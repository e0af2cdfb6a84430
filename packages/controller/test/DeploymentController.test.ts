import { type AppsV1, Kinds, OwnerReference } from "@reddwarf/api-types"
import { ApiClient, ClientError, FakeApi } from "@reddwarf/client"
import { DeploymentController, ReplicaSetController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, TestClock } from "effect"
import { activePods, become, converge, imageOf, pods, ref, selector, settle, template, work, world } from "./workloads.js"

const start = Effect.zipRight(DeploymentController.run(), ReplicaSetController.run())

const create = (spec: Partial<AppsV1.DeploymentSpec> = {}) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.create(Kinds.deployment, { metadata: { ...ref, labels: { app: "web" } }, spec: { replicas: 3, selector, template: template("app:1"), ...spec } }))

const patch = (body: unknown) => Effect.flatMap(ApiClient.ApiClient, (client) => client.patch(Kinds.deployment, ref, body))
const setImage = (image: string) => patch({ spec: { template: template(image) } })
const found = Effect.flatMap(FakeApi.FakeApi, (server) => Effect.fromNullable(server.get(Kinds.deployment, ref)))
const sets = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.replicaSet))
const progress = Effect.map(found, ({ status }) => status?.conditions?.find(({ type }) => type === "Progressing"))
const images = Effect.map(activePods, (all) => all.map(imageOf))
const revision = (object: AppsV1.Deployment | AppsV1.ReplicaSet | undefined) => object?.metadata.annotations?.["deployment.kubernetes.io/revision"]

describe("DeploymentController", () => {
  it.scoped("makes a set of its template, with its names and annotations, and says when it is complete", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      yield* start
      const deployment = yield* create()
      yield* converge()
      const [set] = yield* sets
      const hash = set?.metadata.labels?.["pod-template-hash"] ?? ""
      assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{8,10}$/)
      assert.strictEqual(set?.metadata.name, `web-${hash}`)
      assert.deepStrictEqual(set?.metadata.annotations, {
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
        "deployment.kubernetes.io/revision": "1"
      })
      assert.deepStrictEqual(set?.metadata.ownerReferences, [OwnerReference.controllerOf(Kinds.deployment, deployment)])
      assert.deepStrictEqual(set?.spec?.selector.matchLabels, { app: "web", "pod-template-hash": hash })
      const { metadata, status } = yield* found
      // The revision is written through the status, so that it does not count as a change.
      assert.deepStrictEqual([metadata.generation, status?.observedGeneration, revision(yield* found)], [1, 1, "1"])
      assert.deepStrictEqual([status?.replicas, status?.updatedReplicas, status?.readyReplicas, status?.availableReplicas, status?.unavailableReplicas ?? 0], [3, 3, 3, 3, 0])
      assert.deepStrictEqual(
        status?.conditions?.map(({ message, reason, status, type }) => [type, status, reason, message]).sort(),
        [
          ["Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."],
          ["Progressing", "True", "NewReplicaSetAvailable", `ReplicaSet "web-${hash}" has successfully progressed.`]
        ]
      )
      assert.deepStrictEqual(events.filter(({ reason }) => reason === "ScalingReplicaSet").map(({ message }) => message), [`Scaled up replica set web-${hash} from 0 to 3`])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("replaces pods step by step, keeps history, and goes back to an earlier template under a new number", () =>
    Effect.gen(function*() {
      yield* start
      yield* create({ revisionHistoryLimit: 1 })
      yield* converge()
      const limits = Effect.gen(function*() {
        const active = yield* activePods
        assert.isAtMost(active.length, 4)
        assert.isAtLeast(active.filter((pod) => pod.status?.phase === "Running").length, 3)
      }).pipe(Effect.orDie)
      for (const image of ["app:2", "app:3", "app:1"]) {
        yield* setImage(image)
        yield* converge(limits)
        assert.deepStrictEqual(yield* images, [image, image, image])
      }
      const revisions = (yield* sets).map((set) => `${set.spec?.template?.spec?.containers[0]?.image ?? ""} is ${revision(set) ?? ""}`)
      assert.deepStrictEqual(revisions.sort(), ["app:1 is 4", "app:3 is 3"])
      assert.strictEqual(revision(yield* found), "4")
    }).pipe(Effect.provide(world().layer)))

  it.scoped("numbers a set anew that comes back, and remembers its earlier numbers", () =>
    Effect.gen(function*() {
      yield* start
      yield* create()
      yield* converge()
      yield* setImage("app:2")
      yield* converge()
      yield* setImage("app:1")
      yield* converge()
      const first = (yield* sets).find((set) => set.spec?.template?.spec?.containers[0]?.image === "app:1")
      assert.deepStrictEqual([revision(first), first?.metadata.annotations?.["deployment.kubernetes.io/revision-history"]], ["3", "1"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("takes all old pods down before a new one comes, when asked to recreate", () =>
    Effect.gen(function*() {
      yield* start
      yield* create({ strategy: { type: "Recreate" } })
      yield* converge()
      yield* setImage("app:2")
      for (let round = 0; round < 12; round++) {
        yield* settle
        const running = new Set((yield* pods).map(imageOf))
        assert.isAtMost(running.size, 1)
        yield* work()
      }
      assert.deepStrictEqual(yield* images, ["app:2", "app:2", "app:2"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("does not go on while it is paused, but can be scaled", () =>
    Effect.gen(function*() {
      yield* start
      yield* create()
      yield* converge()
      yield* patch({ spec: { paused: true, template: template("app:2") } })
      yield* patch({ spec: { replicas: 5 } })
      yield* converge()
      assert.deepStrictEqual(yield* images, Array.from({ length: 5 }, () => "app:1"))
      assert.deepStrictEqual([(yield* progress)?.status, (yield* progress)?.reason, (yield* progress)?.message], ["Unknown", "DeploymentPaused", "Deployment is paused"])
      yield* patch({ spec: { paused: false } })
      yield* converge()
      assert.deepStrictEqual(yield* images, Array.from({ length: 5 }, () => "app:2"))
      assert.strictEqual((yield* progress)?.reason, "NewReplicaSetAvailable")
    }).pipe(Effect.provide(world().layer)))

  it.scoped("says that nothing has moved for too long, and that it has moved after all", () =>
    Effect.gen(function*() {
      yield* start
      yield* create({ progressDeadlineSeconds: 60 })
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* progress)?.status, "True")
      yield* TestClock.adjust("40 seconds")
      const late = yield* progress
      assert.deepStrictEqual([late?.status, late?.reason], ["False", "ProgressDeadlineExceeded"])
      assert.match(late?.message ?? "", /^ReplicaSet "web-[a-z0-9]+" has timed out progressing\.$/)
      yield* converge()
      assert.strictEqual((yield* progress)?.reason, "NewReplicaSetAvailable")
    }).pipe(Effect.provide(world().layer)))

  it.scoped("passes on why a set cannot make pods", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      server.injectFaults((request) => {
        if (request.method !== "POST" || !request.path.endsWith("/pods")) return undefined
        const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: "no room", reason: "Forbidden", details: {}, code: 403 }
        return { type: "response", response: { status: 403, headers: {}, body: Buffer.from(JSON.stringify(body)) } }
      })
      yield* start
      yield* create()
      yield* settle
      const failure = (yield* found).status?.conditions?.find(({ type }) => type === "ReplicaFailure")
      assert.deepStrictEqual([failure?.status, failure?.reason, failure?.message], ["True", "FailedCreate", "no room"])
      server.injectFaults(() => undefined)
      yield* TestClock.adjust("2 minutes")
      yield* converge()
      assert.deepStrictEqual((yield* found).status?.conditions?.map(({ type }) => type).sort(), ["Available", "Progressing"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("takes in a set that matches, gives another name when one is taken, and copies annotations", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* start
      yield* create()
      yield* converge()
      const [first] = yield* sets
      yield* client.delete(Kinds.deployment, ref, { propagationPolicy: "Orphan" })
      const orphaned = yield* client.patch(Kinds.deployment, ref, { metadata: { finalizers: null } })
      assert.strictEqual(orphaned.metadata.name, "web")
      yield* client.patch(Kinds.replicaSet, { namespace: "default", name: first?.metadata.name ?? "" }, { metadata: { ownerReferences: null } })
      const again = yield* create()
      yield* patch({ metadata: { annotations: { "kubernetes.io/change-cause": "why" } } })
      yield* converge()
      const [set, ...others] = yield* sets
      assert.deepStrictEqual([set?.metadata.uid, others.length, (yield* pods).length], [first?.metadata.uid, 0, 3])
      assert.isTrue(set !== undefined && OwnerReference.isControlledBy(set, again))
      assert.strictEqual(set?.metadata.annotations?.["kubernetes.io/change-cause"], "why")
      // The name that the next template would get belongs to somebody else.
      yield* client.delete(Kinds.replicaSet, { namespace: "default", name: set?.metadata.name ?? "" })
      yield* client.create(Kinds.replicaSet, {
        metadata: { namespace: "default", name: set?.metadata.name ?? "", labels: { app: "other" } },
        spec: { replicas: 0, selector: { matchLabels: { app: "other" } }, template: { ...template("x"), metadata: { labels: { app: "other" } } } }
      }).pipe(Effect.retry({ times: 3 }), Effect.catchIf(ClientError.isAlreadyExists, () => Effect.void))
      yield* converge()
      const own = (yield* sets).filter((each) => OwnerReference.isControlledBy(each, again))
      assert.strictEqual(own.length, 1)
    }).pipe(Effect.provide(world().layer)))

  it.scoped.prop(
    "ends with exactly the pods asked for, whatever happens on the way",
    [
      FastCheck.integer({ min: 1, max: 5 }),
      FastCheck.array(FastCheck.tuple(FastCheck.constantFrom("image", "scale", "fail", "work", "watch", "lose"), FastCheck.integer({ min: 0, max: 7 })), { maxLength: 12 })
    ],
    ([replicas, happenings]) =>
      Effect.gen(function*() {
        const server = yield* FakeApi.FakeApi
        yield* start
        yield* create({ replicas, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } })
        let wanted = replicas
        let most = replicas + 1
        let image = "app:1"
        for (const [what, number] of happenings) {
          if (what === "image") yield* setImage(image = `app:${String(number)}`)
          if (what === "scale") {
            yield* patch({ spec: { replicas: wanted = number } })
            most = Math.max(most, wanted + 1)
          }
          const victim = (yield* activePods)[number]
          if (what === "fail" && victim !== undefined) yield* become(victim, "Failed", false)
          if (what === "work") yield* work((pod) => (pod.metadata.name ?? "").charCodeAt(6) % 2 === number % 2)
          if (what === "watch") yield* server.disconnectWatches
          // The server acts, and the controller does not hear of it.
          let losses = what === "lose" ? 2 : 0
          server.injectFaults((request) => (request.method !== "GET" && losses-- > 0 ? { type: "lose" } : undefined))
          yield* TestClock.adjust("500 millis")
          server.injectFaults(() => undefined)
          assert.isAtMost((yield* activePods).length, most + (what === "lose" ? 2 : 0))
          if (what === "lose") most += 2
        }
        yield* TestClock.adjust("2 minutes")
        yield* converge()
        assert.deepStrictEqual(yield* images, Array.from({ length: wanted }, () => image))
        assert.strictEqual((yield* progress)?.reason, "NewReplicaSetAvailable")
      }).pipe(Effect.provide(world().layer)),
    { fastCheck: { numRuns: 8 }, timeout: 120_000 }
  )

  it.scoped("counts pods that cannot be made as unavailable", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      server.injectFaults(({ method, path }) => (method === "POST" && path.endsWith("/pods") ? { type: "fail" } : undefined))
      yield* start
      yield* create()
      yield* settle
      const { status } = yield* found
      assert.deepStrictEqual([status?.replicas ?? 0, status?.unavailableReplicas], [0, 3])
    }).pipe(Effect.provide(world().layer)))
})
