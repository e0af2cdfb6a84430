/** Volumes that come with their pod: a scheduler against the in-memory API; the test does what provisioner and binder do. */
import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Effect, Layer } from "effect"
import { Profile, Scheduler, VolumeBinding } from "../src/index.js"
import { createNode, createPod, nodeOf, pass, refusalOf, settle, stored, until } from "./support/fakeCluster.js"
import { node, pod } from "./support/objects.js"
import { claim, mounts, storageClass, volume } from "./support/volumes.js"

const profile: Profile.Profile = {
  ...Profile.builtIn,
  plugins: Profile.builtInPlugins.map((plugin) => plugin.name === "VolumeBinding" ? VolumeBinding.make({ bindTimeoutSeconds: 30 }) : plugin)
}

const scenario = <A, E>(test: Effect.Effect<A, E, ApiClient.ApiClient | FakeApi.FakeApi | Scheduler.Scheduler>) =>
  test.pipe(Effect.provide(Layer.provideMerge(Scheduler.layer({ profiles: [profile], concurrency: 4 }), FakeApi.layer())), Effect.scoped)

const client = ApiClient.ApiClient
const claimOf = (name: string) => Effect.map(FakeApi.FakeApi, (api) => api.get(Kinds.persistentVolumeClaim, { namespace: "default", name }))

const createClaim = (object: CoreV1.PersistentVolumeClaim) => Effect.flatMap(client, (api) => api.create(Kinds.persistentVolumeClaim, object))

const selected = (name: string) =>
  Effect.flatMap(FakeApi.FakeApi, (api) =>
    until(`a node is selected for ${name}`, () => api.get(Kinds.persistentVolumeClaim, { namespace: "default", name })?.metadata.annotations?.["volume.kubernetes.io/selected-node"]))

/** What the binder does when claim and volume have found each other. */
const bind = (name: string, volumeName: string) =>
  Effect.gen(function*() {
    const found = yield* claimOf(name)
    yield* Effect.flatMap(client, (api) =>
      api.patch(Kinds.persistentVolumeClaim, { namespace: "default", name }, {
        metadata: { annotations: { "pv.kubernetes.io/bind-completed": "yes" } },
        spec: { volumeName }
      }))
    return found
  })

/** What the provisioner does once a node is selected. */
const provision = (name: string) =>
  Effect.gen(function*() {
    const api = yield* client
    const where = yield* selected(name)
    yield* api.create(Kinds.persistentVolume, volume(`pv-${name}`, { node: where }))
    yield* bind(name, `pv-${name}`)
    return where
  })

const classes = Effect.flatMap(client, (api) =>
  Effect.all([
    api.create(Kinds.storageClass, storageClass("zfs")),
    api.create(Kinds.storageClass, storageClass("local", { provisioner: "kubernetes.io/no-provisioner" }))
  ]))

describe("a claim that waits for its first pod", () => {
  it.effect("gets its volume on the pod's node before the pod is bound", () =>
    scenario(Effect.gen(function*() {
      yield* classes
      for (const name of ["n1", "n2"]) yield* createNode(node(name))
      yield* createPod(pod("p", { spec: { volumes: mounts("x") } }))
      yield* refusalOf("p", /^0\/2 nodes are available: persistentvolumeclaim "x" not found\. preemption: 0\/2 nodes are available: 2 Preemption is not helpful for scheduling\.$/)
      yield* createClaim(claim("x"))
      yield* pass(2)
      const where = yield* selected("x")
      yield* pass(3)
      assert.strictEqual((yield* stored("p"))?.spec?.nodeName, undefined)
      yield* provision("x")
      yield* pass(3)
      assert.strictEqual(yield* nodeOf("p"), where)
    })))

  it.effect("brings the other pods that use it to the same node", () =>
    scenario(Effect.gen(function*() {
      yield* classes
      for (const name of ["n1", "n2", "n3"]) yield* createNode(node(name))
      yield* createClaim(claim("x"))
      for (const name of ["p", "q", "r"]) yield* createPod(pod(name, { spec: { volumes: mounts("x") } }))
      const where = yield* provision("x")
      yield* pass(3)
      assert.deepStrictEqual([yield* nodeOf("p"), yield* nodeOf("q"), yield* nodeOf("r")], [where, where, where])
    })))

  it.effect("takes a volume that an operator has made, which no other claim can take meanwhile", () =>
    scenario(Effect.gen(function*() {
      const api = yield* client
      yield* classes
      for (const name of ["n1", "n2"]) yield* createNode(node(name))
      yield* api.create(Kinds.persistentVolume, volume("disk", { className: "local", node: "n2" }))
      for (const name of ["x", "y"]) yield* createClaim(claim(name, { className: "local" }))
      yield* createPod(pod("p", { spec: { volumes: mounts("x") } }))
      yield* createPod(pod("q", { spec: { volumes: mounts("y") } }))
      const fake = yield* FakeApi.FakeApi
      const reference = yield* until("the volume is kept for a claim", () => fake.get(Kinds.persistentVolume, { name: "disk" })?.spec?.claimRef)
      assert.strictEqual(reference.name, "x")
      yield* refusalOf("q", /2 node\(s\) didn't find available persistent volumes to bind/)
      yield* bind("x", "disk")
      yield* pass(3)
      assert.strictEqual(yield* nodeOf("p"), "n2")
      assert.strictEqual((yield* stored("q"))?.spec?.nodeName, undefined)
    })))

  it.effect("lets the pod try again when no volume comes, and where it was selected", () =>
    scenario(Effect.gen(function*() {
      yield* classes
      for (const name of ["n1", "n2"]) yield* createNode(node(name))
      yield* createClaim(claim("x"))
      yield* createPod(pod("p", { spec: { volumes: mounts("x") } }))
      const where = yield* selected("x")
      yield* pass(32)
      const refusal = yield* refusalOf("p", /binding volumes/)
      assert.strictEqual(
        refusal.message,
        `running PreBind plugin "VolumeBinding" for pod default/p on node ${where}: binding volumes: not bound within 30s; see the events of the pod's PersistentVolumeClaims; the pod is tried again`
      )
      yield* pass(2)
      yield* provision("x")
      yield* pass(3)
      assert.strictEqual(yield* nodeOf("p"), where)
    })))

  it.effect("selects another node when the first is gone", () =>
    scenario(Effect.gen(function*() {
      const api = yield* client
      yield* classes
      yield* createNode(node("n1"))
      yield* createClaim(claim("x"))
      yield* createPod(pod("p", { spec: { volumes: mounts("x") } }))
      assert.strictEqual(yield* selected("x"), "n1")
      yield* createNode(node("n2"))
      yield* api.delete(Kinds.node, { name: "n1" })
      yield* pass(35)
      yield* settle
      assert.strictEqual(yield* provision("x"), "n2")
      yield* pass(3)
      assert.strictEqual(yield* nodeOf("p"), "n2")
    })))

  it.effect("holds up nobody else, however many pods wait for volumes", () =>
    scenario(Effect.gen(function*() {
      yield* classes
      yield* createNode(node("n"))
      for (let i = 0; i < 8; i++) {
        yield* createClaim(claim(`c${i}`))
        yield* createPod(pod(`w${i}`, { spec: { volumes: mounts(`c${i}`) } }))
      }
      yield* selected("c7")
      yield* createPod(pod("plain"))
      assert.strictEqual(yield* nodeOf("plain"), "n")
      yield* provision("c2")
      yield* pass(2)
      assert.strictEqual(yield* nodeOf("w2"), "n")
    })))
})
