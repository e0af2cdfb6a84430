import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { NodeInfo, PodInfo, Profile, SchedulingCycle, Snapshot, VolumeNodeAffinity } from "../src/index.js"
import { node } from "./support/objects.js"

const onHost = (name: string): CoreV1.PersistentVolume => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name },
  spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [name] }] }] } } }
})

const claims: Readonly<Record<string, CoreV1.PersistentVolumeClaim>> = {
  "default/at-b": { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {}, spec: { volumeName: "b" } },
  "default/at-c": { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {}, spec: { volumeName: "c" } },
  "default/waiting": { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {}, spec: {} },
  "default/p-own": { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {}, spec: { volumeName: "c" } }
}

const profile = { ...Profile.builtIn, plugins: [...Profile.builtInPlugins, VolumeNodeAffinity.plugin({ claim: (key) => claims[key], volume: onHost })] }

const nodes = Snapshot.make(["a", "b", "c"].map((name) => {
  const object = node(name)
  return NodeInfo.make({ ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, "kubernetes.io/hostname": name } } })
}))

const feasible = (...volumes: ReadonlyArray<CoreV1.Volume>): ReadonlyArray<string> | string => {
  const pod: CoreV1.Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default" },
    spec: { containers: [{ name: "c", image: "i" }], volumes }
  }
  const decision = SchedulingCycle.schedule(profile, PodInfo.make(pod), nodes, { random: () => 0 })
  return decision._tag === "Placed" ? decision.feasible.map(({ name }) => name) : decision.diagnosis.rejections.flatMap((rejection) => rejection?.reasons ?? [])[0] ?? ""
}

const claim = (claimName: string): CoreV1.Volume => ({ name: claimName, persistentVolumeClaim: { claimName } })

describe("VolumeNodeAffinity", () => {
  it("sends pods where their volumes are", () => {
    assert.deepStrictEqual(feasible(), ["a", "b", "c"])
    assert.deepStrictEqual(feasible(claim("at-b")), ["b"])
    assert.deepStrictEqual(feasible({ name: "own", ephemeral: {} }), ["c"])
    assert.deepStrictEqual(feasible(claim("at-b"), claim("at-c")), "node(s) had volume node affinity conflict")
  })

  it("rules nothing out for claims that are not bound, or not known", () => {
    assert.deepStrictEqual(feasible(claim("waiting"), claim("nowhere"), { name: "tmp", emptyDir: {} }), ["a", "b", "c"])
  })
})
