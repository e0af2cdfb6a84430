import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { type Listers, NodeInfo, PodInfo, Profile, Rejection, SchedulingCycle, Snapshot, VolumeBinding, VolumeDecisions, VolumeRestrictions } from "../src/index.js"
import { node, pod, podInfo } from "./support/objects.js"
import { claim, type ClaimShape, listers, mounts, storageClass, volume } from "./support/volumes.js"

const profile = { ...Profile.builtIn, plugins: [...Profile.builtInPlugins.filter(({ name }) => !name.startsWith("Volume")), VolumeRestrictions.plugin, VolumeBinding.plugin] }

const nodes = ["a", "b", "c"].map((name) => NodeInfo.make(node(name, { labels: { zone: name === "c" ? "far" : "near" } })))

const decide = (storage: Listers.Listers, volumes: ReadonlyArray<CoreV1.Volume>, uid = "p"): string => {
  const object = pod("p", { spec: { volumes } })
  const info = PodInfo.make({ ...object, metadata: { ...object.metadata, uid } })
  const decision = SchedulingCycle.schedule(profile, info, Snapshot.make(nodes, { listers: storage }), { random: () => 0 })
  if (decision._tag === "Placed") return decision.feasible.map(({ name }) => name).join(" ")
  return decision.diagnosis.preFilterMessage ?? [...new Set(decision.diagnosis.rejections.flatMap((rejection) => rejection?.reasons ?? []))].join(", ")
}

const withClaim = (shape: ClaimShape, objects: Parameters<typeof listers>[0] = {}): string => decide(listers({ ...objects, claims: [claim("x", shape)] }), mounts("x"))

describe("claims that make a pod wait", () => {
  it("are told as Kubernetes tells them", () => {
    assert.strictEqual(decide(listers({}), mounts("x")), `persistentvolumeclaim "x" not found`)
    assert.strictEqual(withClaim({ deleted: true }), `persistentvolumeclaim "x" is being deleted`)
    assert.strictEqual(withClaim({ volume: "v", phase: "Lost" }), `persistentvolumeclaim "x" bound to non-existent persistentvolume "v"`)
    assert.strictEqual(withClaim({ className: "slow" }, { classes: [storageClass("slow", { volumeBindingMode: "Immediate", provisioner: "example.com/disk" })] }), "pod has unbound immediate PersistentVolumeClaims")
    assert.strictEqual(withClaim({ className: "" }), "pod has unbound immediate PersistentVolumeClaims")
    assert.strictEqual(decide(listers({}), [{ name: "own", ephemeral: {} }]), `waiting for ephemeral volume controller to create the persistentvolumeclaim "p-own"`)
    assert.strictEqual(decide(listers({ claims: [claim("p-own")] }), [{ name: "own", ephemeral: {} }], "other"), "PVC default/p-own was not created for pod default/p (pod is not owner)")
  })

  it("do not concern pods without claims", () => {
    assert.strictEqual(decide(listers({}), [{ name: "tmp", emptyDir: {} }]), "a b c")
  })
})

describe("bound claims", () => {
  it("lead to the nodes of their volumes", () => {
    const at = (name: string) => ({ claims: [claim("x", { volume: "v" })], volumes: [volume("v", { node: name, claim: "x" })] })
    assert.strictEqual(decide(listers(at("b")), mounts("x")), "b")
    assert.strictEqual(decide(listers(at("gone")), mounts("x")), "node(s) didn't match PersistentVolume's node affinity")
    assert.strictEqual(decide(listers({ claims: [claim("x", { volume: "v" })], volumes: [volume("v", { claim: "x" })] }), mounts("x")), "a b c")
    assert.strictEqual(withClaim({ volume: "v" }), "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")
  })

  it("that are on different nodes leave none", () => {
    const objects = {
      claims: [claim("x", { volume: "v" }), claim("y", { volume: "w" })],
      volumes: [volume("v", { node: "a", claim: "x" }), volume("w", { node: "b", claim: "y" })]
    }
    assert.strictEqual(decide(listers(objects), mounts("x", "y")), "node(s) didn't match PersistentVolume's node affinity")
  })
})

describe("claims that wait for their first pod", () => {
  const local = storageClass("local", { provisioner: "kubernetes.io/no-provisioner" })

  it("get a dataset anywhere, whatever the mode of their class", () => {
    assert.strictEqual(withClaim({}), "a b c")
    assert.strictEqual(withClaim({}, { classes: [storageClass("zfs", { volumeBindingMode: "Immediate" })] }), "a b c")
  })

  it("stay where their node was selected, as long as it exists", () => {
    assert.strictEqual(withClaim({ selectedNode: "c" }), "c")
    assert.strictEqual(withClaim({ selectedNode: "gone" }), "a b c")
  })

  it("go where the class allows", () => {
    const allowedTopologies = [{ matchLabelExpressions: [{ key: "zone", values: ["near"] }] }]
    assert.strictEqual(withClaim({}, { classes: [storageClass("zfs", { allowedTopologies })] }), "a b")
  })

  it("take volumes that exist", () => {
    const volumes = [volume("small", { className: "local", node: "a", size: "1Gi" }), volume("large", { className: "local", node: "b", size: "5Gi" })]
    assert.strictEqual(withClaim({ className: "local", size: "2Gi" }, { classes: [local], volumes }), "b")
    assert.strictEqual(withClaim({ className: "local", size: "9Gi" }, { classes: [local], volumes }), "node(s) didn't find available persistent volumes to bind")
    const taken = [volume("large", { className: "local", node: "b", size: "5Gi", claim: "other" })]
    assert.strictEqual(withClaim({ className: "local" }, { classes: [local], volumes: taken }), "node(s) didn't find available persistent volumes to bind")
    const kept = [...volumes, volume("mine", { className: "local", node: "c", claim: "x" })]
    assert.strictEqual(withClaim({ className: "local" }, { classes: [local], volumes: kept }), "c")
  })

  it("take one volume each, the smallest that fits", () => {
    const volumes = [volume("one", { className: "local", node: "a", size: "1Gi" }), volume("two", { className: "local", node: "a", size: "5Gi" }), volume("lone", { className: "local", node: "b", size: "9Gi" })]
    const claims = [claim("x", { className: "local", size: "5Gi" }), claim("y", { className: "local", size: "1Gi" })]
    assert.strictEqual(decide(listers({ claims, volumes, classes: [local] }), mounts("x", "y")), "a")
  })

  it("follow what a pod under way has decided, and leave it its volumes", () => {
    const volumes = [volume("v", { className: "local", node: "a" })]
    const storage = listers({ claims: [claim("x"), claim("y", { className: "local" })], volumes, classes: [local, storageClass("zfs")] })
    VolumeDecisions.of(storage).hold("other", new Map([["default/x", { node: "b" }], ["default/z", { node: "a", volume: "v" }]]))
    assert.strictEqual(decide(storage, mounts("x")), "b")
    assert.strictEqual(decide(storage, mounts("y")), "node(s) didn't find available persistent volumes to bind")
    VolumeDecisions.of(storage).release("other")
    assert.strictEqual(decide(storage, mounts("x")), "a b c")
    assert.strictEqual(decide(storage, mounts("y")), "a")
  })
})

describe("decisions", () => {
  it("end with the last pod that holds them", () => {
    const decisions = VolumeDecisions.make()
    decisions.hold("p1", new Map([["c", { node: "a", volume: "v" }]]))
    decisions.hold("p2", new Map([["c", { node: "a", volume: "v" }]]))
    decisions.release("p1")
    decisions.release("p1")
    assert.deepStrictEqual([decisions.get("c")?.node, decisions.isTaken("v")], ["a", true])
    decisions.release("p2")
    assert.deepStrictEqual([decisions.get("c"), decisions.isTaken("v")], [undefined, false])
  })
})

describe("claims for one pod", () => {
  const storage = listers({ claims: [claim("x", { volume: "v", modes: ["ReadWriteOncePod"] })], volumes: [volume("v", { claim: "x" })] })
  const wanting = podInfo("p", { spec: { volumes: mounts("x"), priority: 5 } })
  const used = Snapshot.make([
    NodeInfo.make(node("a"), [podInfo("user", { spec: { volumes: mounts("x") } }), podInfo("bystander")]),
    NodeInfo.make(node("b"))
  ], { listers: storage })

  it("keep a second one away from every node, until the first leaves", () => {
    const decision = SchedulingCycle.schedule(profile, wanting, used, { random: () => 0 })
    assert(decision._tag === "Unschedulable")
    const rejection = Rejection.unschedulable("node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod")
    assert.deepStrictEqual(decision.diagnosis.rejections, [rejection, rejection])
    const [first, second] = used.nodes.map((info) => decision.trial(info))
    const user = used.nodes[0]?.pods[0]
    assert(first !== undefined && second !== undefined && user !== undefined)
    first.removePod(user)
    assert.strictEqual(first.test(), undefined)
    first.addPod(user)
    assert.deepStrictEqual([first.test()?.code, second.test()?.code], ["Unschedulable", "Unschedulable"])
  })

  it("do not matter to others", () => {
    assert.strictEqual(SchedulingCycle.schedule(profile, podInfo("q"), used, { random: () => 0 })._tag, "Placed")
  })
})
