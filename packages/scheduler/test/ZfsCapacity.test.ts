import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { CycleState, NodeInfo, type PodInfo, type SchedulerPlugin, Snapshot, ZfsCapacity } from "../src/index.js"
import { node, podInfo } from "./support/objects.js"
import { claim, listers, mounts, storageClass, volume } from "./support/volumes.js"

const gib = 1024 ** 3

const pool = (size: string, available?: number): CoreV1.Node => {
  const object = node("n", { extra: { "ephemeral-storage": size } })
  return available === undefined ? object : { ...object, metadata: { ...object.metadata, annotations: { "reddwarf.io/pool-available": String(available) } } }
}

const outcome = (
  plugin: SchedulerPlugin.SchedulerPlugin,
  pod: PodInfo.PodInfo,
  info: NodeInfo.NodeInfo,
  storage: Parameters<typeof listers>[0]
): string => {
  const snapshot = Snapshot.make([info], { listers: listers(storage) })
  const state = CycleState.make()
  const result = plugin.preFilter?.(pod, snapshot, state)
  const rejection = result?._tag === "Filter" ? result.test(info) : undefined
  const score = plugin.preScore?.(pod, [info], snapshot, state)?.(info)
  return rejection === undefined ? String(score) : `${rejection.code} ${rejection.reasons.join()}`
}

const wants = (size: string) => ({ claims: [claim("x", { size })] })
const user = podInfo("p", { spec: { volumes: mounts("x") } })
const tight = "did not have enough free storage"

describe("ZfsCapacity", () => {
  const fit = (...rest: [PodInfo.PodInfo, NodeInfo.NodeInfo, Parameters<typeof listers>[0]]) => outcome(ZfsCapacity.plugin, ...rest)

  it("looks at what the node has promised", () => {
    assert.strictEqual(fit(user, NodeInfo.make(pool("10Gi")), wants("4Gi")), "60")
    assert.strictEqual(fit(user, NodeInfo.make(pool("10Gi")), wants("10Gi")), "0")
    assert.strictEqual(fit(user, NodeInfo.make(pool("10Gi")), wants("11Gi")), `Unresolvable node(s) ${tight}`)
    const volumes = [volume("v", { node: "n", size: "5Gi", claim: "other" }), volume("w", { node: "m", size: "5Gi", claim: "another" })]
    assert.strictEqual(fit(user, NodeInfo.make(pool("10Gi")), { ...wants("4Gi"), volumes }), "10")
    assert.strictEqual(fit(user, NodeInfo.make(pool("10Gi")), { ...wants("6Gi"), volumes }), `Unresolvable node(s) ${tight}`)
  })

  it("counts the requests of pods, which may leave", () => {
    const busy = NodeInfo.make(pool("10Gi"), [podInfo("other", { requests: { "ephemeral-storage": "7Gi" } })])
    assert.strictEqual(fit(user, busy, wants("2Gi")), "10")
    assert.strictEqual(fit(user, busy, wants("4Gi")), `Unschedulable node(s) ${tight}`)
    const own = podInfo("p", { requests: { "ephemeral-storage": "3Gi" }, spec: { volumes: mounts("x") } })
    assert.strictEqual(fit(own, busy, wants("1Gi")), `Unschedulable node(s) ${tight}`)
    assert.strictEqual(fit(own, NodeInfo.make(pool("10Gi")), wants("1Gi")), "60")
  })

  it("counts the claims of pods on the node that have no volume yet, once each", () => {
    const info = NodeInfo.make(pool("10Gi"), [podInfo("q1", { spec: { volumes: mounts("y") } }), podInfo("q2", { spec: { volumes: mounts("y") } })])
    const claims = [claim("x", { size: "4Gi" }), claim("y", { size: "5Gi" })]
    assert.strictEqual(fit(user, info, { claims }), "10")
    // A claim that the pod shares with them is promised already.
    assert.strictEqual(fit(podInfo("p", { spec: { volumes: mounts("y") } }), info, { claims }), "50")
  })

  it("looks at what the pool has left", () => {
    assert.strictEqual(fit(user, NodeInfo.make(pool("10Gi", 3 * gib)), wants("2Gi")), "10")
    assert.strictEqual(fit(user, NodeInfo.make(pool("10Gi", gib)), wants("2Gi")), `Unresolvable node(s) ${tight}`)
  })

  it("does not judge nodes that say nothing, nor pods that want nothing", () => {
    assert.strictEqual(fit(user, NodeInfo.make(node("n")), wants("999Gi")), "0")
    assert.strictEqual(fit(podInfo("p"), NodeInfo.make(pool("1Gi", 0)), {}), "undefined")
    // Bound claims have their room; disks of somebody else take none.
    const bound = { claims: [claim("x", { size: "9Gi", volume: "v" })], volumes: [volume("v", { node: "n", size: "9Gi", claim: "x" })] }
    assert.strictEqual(fit(user, NodeInfo.make(pool("10Gi")), bound), "undefined")
    assert.strictEqual(fit(user, NodeInfo.make(pool("1Gi")), { ...wants("9Gi"), classes: [storageClass("zfs", { provisioner: "example.com/disk" })] }), "undefined")
  })

  it("lets a node promise more than it has, if told so", () => {
    const plugin = ZfsCapacity.make({ promisedPercent: 300 })
    assert.strictEqual(outcome(plugin, user, NodeInfo.make(pool("10Gi")), wants("15Gi")), "50")
    assert.strictEqual(outcome(plugin, user, NodeInfo.make(pool("10Gi")), wants("31Gi")), `Unresolvable node(s) ${tight}`)
  })
})
