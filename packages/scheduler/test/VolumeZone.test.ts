/** Volumes that say by their labels where they are, against clusters as given. */
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { ClusterEvent, NodeInfo, PodInfo, Profile, SchedulingCycle, Snapshot, VolumeZone } from "../src/index.js"
import { node, pod } from "./support/objects.js"
import { claim, listers, mounts, storageClass, volume } from "./support/volumes.js"

const zone = "topology.kubernetes.io/zone"
const region = "topology.kubernetes.io/region"
const oldZone = "failure-domain.beta.kubernetes.io/zone"
const oldRegion = "failure-domain.beta.kubernetes.io/region"

type Labels = Readonly<Record<string, string>>

const labelled = (name: string, labels: Labels): CoreV1.PersistentVolume => {
  const made = volume(name, { claim: "x" })
  return { ...made, metadata: { ...made.metadata, labels } }
}
const storage = (labels: Labels) => listers({ claims: [claim("x", { volume: "v" })], volumes: [labelled("v", labels)] })
const alone = { ...Profile.builtIn, plugins: [VolumeZone.plugin] }
const wanting = (volumes = mounts("x")) => PodInfo.make(pod("p", { spec: { volumes } }))

/** The nodes that may have the pod, of nodes with these labels; or why there is none. */
const decide = (known: ReturnType<typeof listers>, nodes: Readonly<Record<string, Labels>>, info = wanting()): string => {
  const infos = Object.entries(nodes).map(([name, labels]) => NodeInfo.make(node(name, { labels })))
  const decision = SchedulingCycle.schedule(alone, info, Snapshot.make(infos, { listers: known }), { random: () => 0 })
  return decision._tag === "Placed" ? decision.feasible.map(({ name }) => name).join(" ") : decision.diagnosis.preFilterMessage ?? decision.diagnosis.rejections[0]?.reasons.join() ?? ""
}

describe("VolumeZone", () => {
  it.each<[string, Labels, Readonly<Record<string, Labels>>, string]>([
    ["the node of the zone", { [zone]: "z1" }, { a: { [zone]: "z1" }, b: { [zone]: "z2" } }, "a"],
    ["any of several zones", { [zone]: "z1__z2" }, { a: { [zone]: "z1" }, b: { [zone]: "z2" }, c: { [zone]: "z3" } }, "a b"],
    ["zone and region", { [zone]: "z1", [region]: "r1" }, { a: { [zone]: "z1", [region]: "r1" }, b: { [zone]: "z1", [region]: "r2" }, c: { [zone]: "z1" } }, "a"],
    ["a node may say more", { [region]: "r1" }, { a: { [zone]: "z9", [region]: "r1" } }, "a"],
    ["nodes that say nothing", { [zone]: "z1" }, { a: {}, b: { [zone]: "z2" } }, "a"],
    ["old labels on both", { [oldZone]: "z1", [oldRegion]: "r1" }, { a: { [oldZone]: "z1", [oldRegion]: "r1" }, b: { [oldZone]: "z2", [oldRegion]: "r1" } }, "a"],
    ["old labels of the volume, new ones of the node", { [oldZone]: "z1" }, { a: { [zone]: "z1" }, b: { [zone]: "z2" } }, "a"],
    ["new labels of the volume, old ones of the node", { [zone]: "z1" }, { a: { [oldZone]: "z1" } }, "node(s) had no available volume zone"],
    ["no node", { [zone]: "z1" }, { a: { [zone]: "z2" } }, "node(s) had no available volume zone"],
    ["a label that cannot be read", { [zone]: "z1__" }, { a: { [zone]: "z2" } }, "a"],
    ["a volume that is anywhere", {}, { a: { [zone]: "z2" }, b: {} }, "a b"]
  ])("%s", (_, labels, nodes, expected) => assert.strictEqual(decide(storage(labels), nodes), expected))

  it("tells what is missing as Kubernetes does", () => {
    const nodes = { a: { [zone]: "z1" } }
    assert.strictEqual(decide(listers({}), nodes), `persistentvolumeclaim "x" not found`)
    assert.strictEqual(decide(listers({ claims: [claim("x", { volume: "v" })] }), nodes), `persistentvolume "v" not found`)
    assert.strictEqual(decide(listers({ claims: [claim("x", { className: "" })] }), nodes), "PersistentVolumeClaim had no pv name and storageClass name")
    assert.strictEqual(decide(listers({ claims: [claim("x", { className: "no" })] }), nodes), `storageclass.storage.k8s.io "no" not found`)
    const disk = (volumeBindingMode: "Immediate" | "WaitForFirstConsumer") =>
      listers({ claims: [claim("x", { className: "disk" })], classes: [storageClass("disk", { provisioner: "example.com/disk", volumeBindingMode })] })
    assert.strictEqual(decide(disk("Immediate"), nodes), "PersistentVolume had no name")
    assert.strictEqual(decide(disk("WaitForFirstConsumer"), nodes), "a")
    assert.strictEqual(decide(listers({}), nodes, wanting([{ name: "own", ephemeral: {} }])), "a")
  })

  it("wakes pods for what may help them", () => {
    const wakes = (change: ClusterEvent.Change) => ClusterEvent.wakes(VolumeZone.plugin.requeueOn, wanting(), change)
    const [before, after] = [labelled("v", { [zone]: "z1" }), labelled("v", { [zone]: "z2" })]
    assert.isTrue(wakes({ event: "PersistentVolumeUpdate", old: before, next: after }))
    assert.isFalse(wakes({ event: "PersistentVolumeUpdate", old: before, next: { ...before, status: { phase: "Bound" } } }))
    assert.isTrue(wakes({ event: "PersistentVolumeAdd", old: undefined, next: after }))
    assert.isTrue(wakes({ event: "StorageClassAdd", old: undefined, next: storageClass("late") }))
    assert.isFalse(wakes({ event: "StorageClassAdd", old: undefined, next: storageClass("now", { provisioner: "example.com/disk", volumeBindingMode: "Immediate" }) }))
    assert.isTrue(wakes({ event: "PersistentVolumeClaimUpdate", old: claim("x"), next: claim("x", { volume: "v" }) }))
    assert.isFalse(wakes({ event: "PersistentVolumeClaimUpdate", old: claim("y"), next: claim("y", { volume: "v" }) }))
    assert.isTrue(wakes({ event: "NodeUpdateLabels", old: node("a"), next: node("a") }))
    assert.isFalse(wakes({ event: "AssignedPodDelete", old: wanting(), next: undefined }))
  })
})
