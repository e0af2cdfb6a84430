import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { ClaimVolume, VolumeReclaim } from "@reddwarf/node-agent"
import { StorageEngine } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import * as h from "./support/harness.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const gibibyte = 1024 ** 3

const volumeSpec = (more: Partial<CoreV1.PersistentVolumeSpec> = {}): CoreV1.PersistentVolumeSpec => ({
  capacity: { storage: "1Gi" },
  accessModes: ["ReadWriteOnce"],
  persistentVolumeReclaimPolicy: "Delete",
  csi: { driver: ClaimVolume.driver, volumeHandle: "v1", volumeAttributes: { [ClaimVolume.nodeAttribute]: h.nodeName } },
  ...more
})

describe("persistent volumes", () => {
  it.live("are datasets with quota that outlive pods, grow, and go when their object does", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        const storage = yield* StorageEngine.StorageEngine
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const volume = yield* client.create(Kinds.persistentVolume, { metadata: { name: "pv1" }, spec: volumeSpec() })
        const claim = yield* client.create(Kinds.persistentVolumeClaim, {
          metadata: { name: "data", namespace: "default" },
          spec: { volumeName: "pv1", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } }
        })
        yield* client.updateStatus(Kinds.persistentVolumeClaim, { ...claim, status: { phase: "Bound" } })
        const run = (name: string, script: string) =>
          h.createPod(h.draft(name, [{ name: "c", command: h.sh(script), volumeMounts: [{ name: "v", mountPath: "/data" }] }], {
            restartPolicy: "Never",
            volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }]
          }))
        yield* run("writer", "echo kept > data/file")
        yield* h.untilPod("writer", "over", ({ status }) => status?.phase === "Succeeded")
        const only = Effect.map(storage.listVolumes, ([found]) => found)
        const made = yield* only
        assert.deepStrictEqual([made?.name, made?.owner, made?.quota], ["pv-v1", volume.metadata.uid, gibibyte])
        yield* client.delete(Kinds.pod, { namespace: "default", name: "writer" }, { gracePeriodSeconds: 0 })
        yield* run("reader", "cat data/file")
        const reader = yield* h.untilPod("reader", "over", ({ status }) => status?.phase === "Succeeded")
        assert.strictEqual(h.logText(folders, reader, "c", 0), "kept\n")
        yield* client.patch(Kinds.persistentVolume, { name: "pv1" }, { spec: { capacity: { storage: "2Gi" } } }, { type: "merge" })
        yield* h.until("the volume to grow", Effect.map(only, (found) => found?.quota === 2 * gibibyte ? true : undefined))
        yield* client.delete(Kinds.pod, { namespace: "default", name: "reader" }, { gracePeriodSeconds: 0 })
        yield* client.delete(Kinds.persistentVolumeClaim, { namespace: "default", name: "data" })
        yield* client.delete(Kinds.persistentVolume, { name: "pv1" })
        yield* h.until("the dataset to go", Effect.map(only, (found) => found === undefined ? true : undefined))
      })), 60_000)
})

describe("VolumeReclaim", () => {
  const volume = (uid: string, more: Partial<CoreV1.PersistentVolumeSpec> = {}): CoreV1.PersistentVolume => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "pv1", uid },
    spec: volumeSpec(more)
  })
  const dataset = (properties: Readonly<Record<string, string>> = ClaimVolume.marksOf(volume("u1")), quota = gibibyte) => ({ owner: "u1", properties, quota })
  const retained = ClaimVolume.marksOf(volume("u1", { persistentVolumeReclaimPolicy: "Retain" }))

  it("destroys only what was to be deleted, after two looks", () => {
    assert.strictEqual(VolumeReclaim.decide(dataset(), undefined, false).action, "keep")
    assert.strictEqual(VolumeReclaim.decide(dataset(), undefined, true).action, "destroy")
    assert.strictEqual(VolumeReclaim.decide(dataset(), volume("u2"), true).action, "destroy")
    assert.strictEqual(VolumeReclaim.decide(dataset(retained), undefined, true).action, "keep")
    assert.strictEqual(VolumeReclaim.decide(dataset({}), undefined, true).action, "keep")
  })

  it("remembers the policy, and never shrinks", () => {
    assert.deepStrictEqual(VolumeReclaim.decide(dataset(), volume("u1"), true), { action: "keep" })
    assert.deepStrictEqual(VolumeReclaim.decide(dataset(), volume("u1", { persistentVolumeReclaimPolicy: "Retain" }), false), { action: "update", quota: gibibyte, marks: retained })
    assert.strictEqual(VolumeReclaim.decide(dataset(undefined, 2 * gibibyte), volume("u1"), false).action, "keep")
  })
})
