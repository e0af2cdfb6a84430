/** How many volumes of CSI drivers nodes take, against clusters as given. */
import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds, type StorageV1 } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Effect, Layer } from "effect"
import { ClusterEvent, Explanation, Listers, NodeInfo, NodeVolumeLimits, PodInfo, Profile, Scheduler, SchedulingCycle, Snapshot } from "../src/index.js"
import { createNode, createPod, nodeOf, pass, refusalOf } from "./support/fakeCluster.js"
import { node, pod } from "./support/objects.js"
import { claim, mounts, storageClass, volume } from "./support/volumes.js"

const driver = "disk.example.com"
const tooMany = "node(s) exceed max volume count"

const csiNode = (name: string, count?: number): StorageV1.CSINode => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "CSINode",
  metadata: { name },
  spec: { drivers: [{ name: driver, nodeID: name, ...(count === undefined ? {} : { allocatable: { count } }) }] }
})

const disk = (name: string, handle: string, of: string = driver): CoreV1.PersistentVolume => {
  const made = volume(name)
  return { ...made, spec: { ...made.spec, csi: { driver: of, volumeHandle: handle } } }
}

const attachment = (nodeName: string, persistentVolumeName: string): StorageV1.VolumeAttachment => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "VolumeAttachment",
  metadata: { name: `${nodeName}-${persistentVolumeName}` },
  spec: { attacher: driver, nodeName, source: { persistentVolumeName } }
})

/** Claims of disks `a`, `b` and `c`, of `b` once more, of a dataset, of a disk that is to be made, and of a volume that is no CSI volume. */
const listers = (limits: ReadonlyArray<StorageV1.CSINode>, attachments: ReadonlyArray<StorageV1.VolumeAttachment> = []): Listers.Listers => ({
  ...Listers.empty,
  csiNodes: Listers.of(limits),
  volumeAttachments: Listers.of(attachments),
  persistentVolumes: Listers.of([disk("a", "a"), disk("b", "b"), disk("again", "b"), disk("c", "c"), disk("dataset", "a", "reddwarf.io/zfs"), volume("other")]),
  persistentVolumeClaims: Listers.of([
    ...["a", "b", "again", "c", "dataset", "other"].map((name) => claim(name, { volume: name })),
    claim("new", { className: "disks" }),
    claim("p-own", { className: "disks" }),
    claim("classless", { className: "" })
  ]),
  storageClasses: Listers.of([storageClass("disks", { provisioner: driver })])
})

const alone = { ...Profile.builtIn, plugins: [NodeVolumeLimits.plugin] }
const wanting = (...claims: ReadonlyArray<string>) => PodInfo.make(pod("p", { spec: { volumes: mounts(...claims) } }))
const others = (claims: ReadonlyArray<string>) => claims.map((name) => PodInfo.make(pod(`of-${name}`, { spec: { volumes: mounts(name) } })))

/** Why node `n`, with one pod for each of these claims, does not take a pod; empty if it does. */
const refusal = (info: PodInfo.PodInfo, used: ReadonlyArray<string>, known: Listers.Listers): string => {
  const decision = SchedulingCycle.schedule(alone, info, Snapshot.make([NodeInfo.make(node("n"), others(used))], { listers: known }), { random: () => 0 })
  return decision._tag === "Placed" ? "" : decision.diagnosis.rejections[0]?.reasons.join() ?? ""
}

describe("NodeVolumeLimits", () => {
  it.each<[string, number | undefined, ReadonlyArray<string>, ReadonlyArray<string>, string]>([
    ["there is room for one more", 2, ["a"], ["b"], ""],
    ["there is none", 1, ["a"], ["b"], tooMany],
    ["none are taken at all", 0, [], ["a"], tooMany],
    ["two do not fit where one would", 2, ["a"], ["b", "c"], tooMany],
    ["a volume is there already", 1, ["a"], ["a"], ""],
    ["two claims are of one volume", 1, ["b"], ["again"], ""],
    ["the same handle of another driver is another volume", 1, ["dataset"], ["a"], ""],
    ["another driver has no limit", 0, [], ["dataset"], ""],
    ["a driver without a number has no limit", undefined, ["a", "b"], ["c"], ""],
    ["a volume that is to be made counts", 1, ["a"], ["new"], tooMany],
    ["so it does once a pod waits for it", 1, ["new"], ["a"], tooMany],
    ["the same pod's claim is the same volume", 1, ["new"], ["new"], ""],
    ["other volumes do not count", 0, [], ["other", "classless"], ""],
    ["more than the limit are there already", 1, ["a", "b"], ["b"], ""],
    ["claims of other pods that are gone do not count", 1, ["gone"], ["a"], ""]
  ])("%s", (_, limit, used, wanted, expected) =>
    assert.strictEqual(refusal(wanting(...wanted), used, listers([csiNode("n", limit)])), expected))

  it("counts what is attached, whoever uses it", () => {
    const limits = [csiNode("n", 1)]
    assert.strictEqual(refusal(wanting("b"), [], listers(limits, [attachment("n", "a")])), tooMany)
    assert.strictEqual(refusal(wanting("again"), [], listers(limits, [attachment("n", "b")])), "")
    assert.strictEqual(refusal(wanting("b"), [], listers(limits, [attachment("elsewhere", "a"), attachment("n", "unknown")])), "")
  })

  it("knows no limit where there is no CSINode", () => assert.strictEqual(refusal(wanting("a", "b"), ["c"], listers([csiNode("elsewhere", 0)])), ""))

  it("counts the claims of ephemeral volumes", () => {
    const info = PodInfo.make(pod("p", { spec: { volumes: [{ name: "own", ephemeral: {} }] } }))
    assert.strictEqual(refusal(info, ["a"], listers([csiNode("n", 1)])), tooMany)
  })

  it("says which claim is missing, and leaves pods without claims alone", () => {
    assert.strictEqual(refusal(wanting("no"), [], listers([])), `looking up PVC default/no: persistentvolumeclaim "no" not found`)
    assert.strictEqual(refusal(PodInfo.make(pod("p", { spec: { volumes: [{ name: "tmp", emptyDir: {} }] } })), ["a"], listers([csiNode("n", 0)])), "")
  })

  it("says what would help", () => {
    const explained = Explanation.of(alone, wanting("b"), Snapshot.make([NodeInfo.make(node("n"), others(["a"]))], { listers: listers([csiNode("n", 1)]) }))
    assert.match(explained.nodes[0]?.objections[0]?.remedies.join() ?? "", /kubectl get csinode n -o yaml/)
  })

  it("wakes pods for what may help them", () => {
    const wakes = (change: ClusterEvent.Change, info = wanting("a")) => ClusterEvent.wakes(NodeVolumeLimits.plugin.requeueOn, info, change)
    const update = (old: number | undefined, next: number | undefined) => wakes({ event: "CSINodeUpdate", old: csiNode("n", old), next: csiNode("n", next) })
    assert.deepStrictEqual([update(1, 2), update(1, undefined), update(2, 1), update(2, 2), update(undefined, 2)], [true, true, false, false, false])
    assert.isTrue(wakes({ event: "CSINodeAdd", old: undefined, next: csiNode("n", 1) }))
    assert.isTrue(wakes({ event: "AssignedPodDelete", old: wanting("b"), next: undefined }))
    assert.isFalse(wakes({ event: "AssignedPodDelete", old: wanting(), next: undefined }))
    assert.isTrue(wakes({ event: "PersistentVolumeClaimAdd", old: undefined, next: claim("a") }))
    assert.isFalse(wakes({ event: "PersistentVolumeClaimAdd", old: undefined, next: claim("b") }))
    assert.isTrue(wakes({ event: "VolumeAttachmentDelete", old: attachment("n", "b"), next: undefined }))
    assert.isFalse(wakes({ event: "VolumeAttachmentDelete", old: attachment("n", "b"), next: undefined }, wanting()))
    assert.isFalse(wakes({ event: "NodeUpdateLabels", old: node("n"), next: node("n") }))
  })

  it.effect("lets a pod go where the limit was raised, and another where a volume was detached", () =>
    Effect.gen(function*() {
      const api = yield* ApiClient.ApiClient
      yield* api.create(Kinds.storageClass, storageClass("zfs"))
      for (const name of ["a", "b", "c"]) {
        yield* api.create(Kinds.persistentVolume, disk(name, name))
        yield* api.create(Kinds.persistentVolumeClaim, claim(name, { volume: name }))
      }
      yield* createNode(node("n"))
      const limits = yield* api.create(Kinds.csiNode, csiNode("n", 1))
      const { metadata } = yield* api.create(Kinds.volumeAttachment, attachment("n", "c"))
      for (const name of ["a", "b"]) yield* createPod(pod(name, { spec: { volumes: mounts(name) } }))
      for (const name of ["a", "b"]) yield* refusalOf(name, /^0\/1 nodes are available: 1 node\(s\) exceed max volume count\. /)
      yield* api.update(Kinds.csiNode, { ...limits, spec: csiNode("n", 2).spec })
      yield* pass(12)
      const first = yield* Effect.raceFirst(Effect.as(nodeOf("a"), "a"), Effect.as(nodeOf("b"), "b"))
      const second = first === "a" ? "b" : "a"
      yield* refusalOf(second, /exceed max volume count/)
      yield* api.delete(Kinds.volumeAttachment, { name: metadata.name ?? "" })
      yield* pass(12)
      assert.strictEqual(yield* nodeOf(second), "n")
    }).pipe(Effect.provide(Layer.provideMerge(Scheduler.layer({ profiles: [Profile.builtIn] }), FakeApi.layer())), Effect.scoped))
})
