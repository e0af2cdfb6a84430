/** Claims of ephemeral volumes, and volumes that are datasets of nodes, against the API server itself. */
import { InProcessTransport, KubeletClient, Server, UserInfo } from "@reddwarf/apiserver"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, type ClientError, EventRecorder } from "@reddwarf/client"
import { EphemeralVolumeController, VolumeBinderController, VolumeProtectionController, ZfsVolumeController } from "@reddwarf/controller"
import { ObjectStore } from "@reddwarf/store"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"

const server = Server.layerApi().pipe(Layer.provide(ObjectStore.layerMemory), Layer.provide(KubeletClient.layerUnavailable))

const world = () =>
  EventRecorder.layerMemory([]).pipe(
    Layer.merge(ApiClient.layer),
    Layer.provideMerge(InProcessTransport.layer(UserInfo.authenticated("system:kube-controller-manager", ["system:masters"]))),
    Layer.provideMerge(server)
  )

const eventually = <A, E, R>(look: Effect.Effect<A, E, R>, isRight: (seen: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.repeat(Effect.zipLeft(look, Effect.sleep("20 millis")), { until: isRight, times: 750 })

const containers = [{ name: "main", image: "registry.test/app:1" }]
const claimSpec = (storage: string, more: object = {}): CoreV1.PersistentVolumeClaimSpec => ({
  storageClassName: "zfs",
  accessModes: ["ReadWriteOnce"],
  resources: { requests: { storage } },
  ...more
})

const storageClass = (more: object = {}) => ({
  metadata: { name: "zfs" },
  provisioner: ZfsVolumeController.driver,
  volumeBindingMode: "WaitForFirstConsumer",
  allowVolumeExpansion: true,
  ...more
})

const setUp = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  yield* client.create(Kinds.node, { metadata: { name: "n1", labels: { "kubernetes.io/hostname": "host-1" } } })
  yield* VolumeBinderController.run()
  yield* VolumeProtectionController.run()
  yield* ZfsVolumeController.run()
  return client
})

const claimNamed = (client: ApiClient.Service, name: string) => client.get(Kinds.persistentVolumeClaim, { namespace: "default", name })

const isBound = ({ status }: CoreV1.PersistentVolumeClaim) => status?.phase === "Bound"

const gone = <A, E>(look: Effect.Effect<A, E | ClientError.ClientError>) =>
  eventually(Effect.match(look, { onFailure: () => true, onSuccess: () => false }), (isGone) => isGone)

describe("datasets as volumes", () => {
  it.scopedLive("come with the first pod on its node, grow with their claim, and go after it", () =>
    Effect.gen(function*() {
      const client = yield* setUp
      yield* client.create(Kinds.storageClass, storageClass())
      yield* client.create(Kinds.persistentVolumeClaim, { metadata: { name: "data", namespace: "default" }, spec: claimSpec("1Gi") })
      yield* client.create(Kinds.pod, {
        metadata: { name: "p", namespace: "default" },
        spec: { nodeName: "n1", containers, volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] }
      })
      const claim = yield* eventually(claimNamed(client, "data"), isBound)
      assert.deepStrictEqual(claim.status?.capacity, { storage: "1Gi" })
      const ref = { name: claim.spec?.volumeName ?? "" }
      const volume = yield* client.get(Kinds.persistentVolume, ref)
      assert.strictEqual(volume.metadata.name, `pvc-${claim.metadata.uid}`)
      assert.deepStrictEqual(volume.spec?.csi, { driver: "reddwarf.io/zfs", volumeHandle: `pvc-${claim.metadata.uid}`, volumeAttributes: { "reddwarf.io/node": "n1" } })
      assert.strictEqual(volume.spec?.persistentVolumeReclaimPolicy, "Delete")
      assert.deepStrictEqual(volume.spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions, [{ key: "kubernetes.io/hostname", operator: "In", values: ["host-1"] }])
      yield* client.patch(Kinds.persistentVolumeClaim, { namespace: "default", name: "data" }, { spec: { resources: { requests: { storage: "3Gi" } } } }, { type: "merge" })
      yield* eventually(claimNamed(client, "data"), ({ status }) => status?.capacity?.["storage"] === "3Gi")
      assert.strictEqual((yield* client.get(Kinds.persistentVolume, ref)).spec?.capacity?.["storage"], "3Gi")
      yield* client.delete(Kinds.pod, { namespace: "default", name: "p" }, { gracePeriodSeconds: 0 })
      yield* client.delete(Kinds.persistentVolumeClaim, { namespace: "default", name: "data" })
      yield* gone(client.get(Kinds.persistentVolume, ref))
    }).pipe(Effect.provide(world())))

  it.scopedLive("stay when their class retains them, and are refused where they are impossible", () =>
    Effect.gen(function*() {
      const client = yield* setUp
      yield* client.create(Kinds.storageClass, storageClass({ reclaimPolicy: "Retain" }))
      const annotations = { "volume.kubernetes.io/selected-node": "n1" }
      yield* client.create(Kinds.persistentVolumeClaim, { metadata: { name: "kept", namespace: "default", annotations }, spec: claimSpec("1Gi") })
      yield* client.create(Kinds.persistentVolumeClaim, { metadata: { name: "shared", namespace: "default", annotations }, spec: claimSpec("1Gi", { accessModes: ["ReadWriteMany"] }) })
      const claim = yield* eventually(claimNamed(client, "kept"), isBound)
      yield* client.delete(Kinds.persistentVolumeClaim, { namespace: "default", name: "kept" })
      const phase = Effect.map(client.get(Kinds.persistentVolume, { name: claim.spec?.volumeName ?? "" }), ({ status }) => status?.phase ?? "")
      assert.strictEqual(yield* eventually(phase, (found) => found === "Released"), "Released")
      assert.strictEqual((yield* claimNamed(client, "shared")).status?.phase, "Pending")
      assert.strictEqual((yield* client.list(Kinds.persistentVolume)).items.length, 1)
    }).pipe(Effect.provide(world())))
})

describe("ephemeral volumes", () => {
  it.scopedLive("have claims that belong to their pod, and take no other", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* EphemeralVolumeController.run()
      const volume = (name: string) => ({ name, ephemeral: { volumeClaimTemplate: { metadata: { labels: { from: "template" } }, spec: claimSpec("1Gi") } } })
      yield* client.create(Kinds.persistentVolumeClaim, { metadata: { name: "p-taken", namespace: "default" }, spec: claimSpec("2Gi") })
      const pod = yield* client.create(Kinds.pod, { metadata: { name: "p", namespace: "default" }, spec: { containers, volumes: [volume("scratch"), volume("taken")] } })
      const claims = Effect.map(client.list(Kinds.persistentVolumeClaim), ({ items }) => items)
      const found = (yield* eventually(claims, (all) => all.length === 2)).find(({ metadata }) => metadata.name === "p-scratch")
      assert.deepStrictEqual(found?.metadata.ownerReferences, [{ apiVersion: "v1", kind: "Pod", name: "p", uid: pod.metadata.uid ?? "", controller: true, blockOwnerDeletion: true }])
      assert.deepStrictEqual(found?.metadata.labels, { from: "template" })
      assert.strictEqual((yield* claimNamed(client, "p-taken")).metadata.ownerReferences, undefined)
      // A claim that somebody deletes comes again.
      yield* client.delete(Kinds.persistentVolumeClaim, { namespace: "default", name: "p-scratch" })
      yield* eventually(claims, (all) => all.some(({ metadata }) => metadata.name === "p-scratch" && metadata.uid !== found?.metadata.uid))
    }).pipe(Effect.provide(world())))
})
