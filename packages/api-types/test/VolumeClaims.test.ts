import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, VolumeClaims } from "../src/index.js"

const claim = (spec: CoreV1.PersistentVolumeClaimSpec = {}, metadata: Partial<CoreV1.PersistentVolumeClaim["metadata"]> = {}): CoreV1.PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "c", namespace: "ns", uid: "u1", ...metadata },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } }, ...spec }
})

const volume = (name: string, storage: string, spec: CoreV1.PersistentVolumeSpec = {}): CoreV1.PersistentVolume => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name, labels: { disk: "fast" } },
  spec: { capacity: { storage }, accessModes: ["ReadWriteOnce"], ...spec }
})

const names = (volumes: ReadonlyArray<CoreV1.PersistentVolume>, wanted: CoreV1.PersistentVolumeClaim): ReadonlyArray<string | undefined> =>
  VolumeClaims.matching(volumes, wanted).map(({ metadata }) => metadata.name)

describe("VolumeClaims", () => {
  it("names the claims of a pod, those included that are made for it", () => {
    const pod: CoreV1.Pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", namespace: "ns" },
      spec: { containers: [], volumes: [{ name: "a", persistentVolumeClaim: { claimName: "data" } }, { name: "b", ephemeral: {} }, { name: "c", emptyDir: {} }] }
    }
    assert.deepStrictEqual(VolumeClaims.claimsOf(pod), ["ns/data", "ns/p-b"])
    assert.deepStrictEqual(VolumeClaims.claimsOf({ ...pod, metadata: { name: "p" } }), ["data", "p-b"])
  })

  it("finds the volumes that offer what a claim asks for, the smallest first", () => {
    const volumes = [volume("large", "9Gi"), volume("b", "3Gi"), volume("a", "3Gi"), volume("small", "1Gi")]
    assert.deepStrictEqual(names(volumes, claim()), ["a", "b", "large"])
    assert.deepStrictEqual(names(volumes, claim({ accessModes: ["ReadWriteMany"] })), [])
    assert.deepStrictEqual(names(volumes, claim({ storageClassName: "zfs" })), [])
    assert.deepStrictEqual(names(volumes, claim({ volumeMode: "Block" })), [])
    assert.deepStrictEqual(names(volumes, claim({ selector: { matchLabels: { disk: "slow" } } })), [])
    assert.deepStrictEqual(names(volumes, claim({ selector: { matchLabels: { disk: "fast" } } })), ["a", "b", "large"])
  })

  it("leaves out volumes that somebody has or had", () => {
    const taken = volume("taken", "3Gi", { claimRef: { namespace: "ns", name: "other" } })
    const released: CoreV1.PersistentVolume = { ...volume("released", "3Gi"), status: { phase: "Released" } }
    const going = volume("going", "3Gi")
    assert.deepStrictEqual(names([taken, released, { ...going, metadata: { ...going.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }], claim()), [])
  })

  it("knows for whom a volume is kept", () => {
    const kept = (claimRef: CoreV1.ObjectReference) => VolumeClaims.isFor(volume("v", "3Gi", { claimRef }), claim())
    assert.isTrue(VolumeClaims.isFor(volume("v", "3Gi"), claim()))
    assert.isTrue(kept({ namespace: "ns", name: "c" }))
    assert.isTrue(kept({ namespace: "ns", name: "c", uid: "u1" }))
    assert.isFalse(kept({ namespace: "ns", name: "c", uid: "u0" }))
    assert.isFalse(kept({ namespace: "other", name: "c" }))
  })

  it("takes a claim for bound when both directions are done", () => {
    assert.isFalse(VolumeClaims.isBound(claim({ volumeName: "v" })))
    assert.isFalse(VolumeClaims.isBound(claim({}, { annotations: { "pv.kubernetes.io/bind-completed": "yes" } })))
    assert.isTrue(VolumeClaims.isBound(claim({ volumeName: "v" }, { annotations: { "pv.kubernetes.io/bind-completed": "yes" } })))
  })
})
