import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { Explanation, NodeInfo, type PodInfo, Profile, Rejection, Snapshot } from "../src/index.js"
import { node, podInfo, snapshot } from "./support/objects.js"

type Node = readonly [CoreV1.Node, ...ReadonlyArray<PodInfo.PodInfo>]

const explain = (info: PodInfo.PodInfo, ...nodes: ReadonlyArray<Node>) => Explanation.of(Profile.builtIn, info, snapshot(...nodes))

/** The plugins that object to the only node, with what would have to change. */
const remedies = (info: PodInfo.PodInfo, only: CoreV1.Node, ...placed: ReadonlyArray<PodInfo.PodInfo>): Record<string, ReadonlyArray<string>> =>
  Object.fromEntries((explain(info, [only, ...placed]).nodes[0]?.objections ?? []).map((each) => [each.plugin, each.remedies]))

describe("Explanation", () => {
  it("asks every filter about every node, and says the first objection in the message", () => {
    const taints = [{ key: "team", value: "blue", effect: "NoSchedule" as const }]
    const explained = explain(podInfo("p", { cpu: "3" }), [node("b", { cpu: "2", taints, unschedulable: true })], [node("a", { cpu: "1" })])
    assert.deepStrictEqual(explained.nodes.map(({ name, objections }) => [name, objections.map(({ plugin }) => plugin)]), [
      ["a", ["NodeResourcesFit"]],
      ["b", ["NodeUnschedulable", "TaintToleration", "NodeResourcesFit"]]
    ])
    assert.strictEqual(explained.message, "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.")
    assert.strictEqual(explained.feasible, 0)
    assert.deepStrictEqual(explained.best, [])
  })

  it("shows how each score comes to the total", () => {
    const explained = explain(podInfo("p", { cpu: "1" }), [node("full", { cpu: "4" }), podInfo("other", { cpu: "2" })], [node("empty", { cpu: "4" })])
    assert.deepStrictEqual(explained.best, ["empty"])
    for (const { scores, total } of explained.nodes) {
      assert.strictEqual(total, scores.reduce((sum, { normalized, weight }) => sum + normalized * weight, 0))
    }
    const fit = explained.nodes.map(({ scores }) => scores.find(({ plugin }) => plugin === "NodeResourcesFit")?.normalized)
    assert.deepStrictEqual(fit, [86, 60])
  })

  it("explains a pod that has a node as if it had none", () => {
    const placed = podInfo("p", { cpu: "3", spec: { nodeName: "a" } })
    const explained = explain(placed, [node("a"), placed], [node("b")])
    assert.strictEqual(explained.placedOn, "a")
    assert.strictEqual(explained.feasible, 2)
    assert.deepStrictEqual(explained.best, ["a", "b"])
  })

  it("says what is wrong with the pod itself", () => {
    const explained = explain(podInfo("p", { annotations: { "reddwarf.io/zone-brand": "lx" }, spec: { runtimeClassName: "bhyve" } }), [node("a")])
    assert.deepStrictEqual(explained.refusals.map(({ plugin }) => plugin), ["ZoneBrand"])
    assert.strictEqual(explained.feasible, 0)
    assert.match(explained.message, /^0\/1 nodes are available: pod asks for different zone brands/)
  })

  it("counts the pods that have been promised room", () => {
    const waiting = podInfo("waiting", { cpu: "3", spec: { priority: 5 } })
    const nominated = Snapshot.make([NodeInfo.make(node("a"))], { nominated: new Map([["a", [waiting]]]) })
    assert.strictEqual(Explanation.of(Profile.builtIn, podInfo("p", { cpu: "2" }), nominated).message, "0/1 nodes are available: 1 Insufficient cpu.")
    assert.strictEqual(Explanation.of(Profile.builtIn, podInfo("p", { cpu: "2", spec: { priority: 9 } }), nominated).feasible, 1)
  })

  it("takes remedies for plugins of one's own", () => {
    const own = { name: "Own", filter: () => Rejection.unresolvable("node(s) were not mine") }
    const profile = { ...Profile.builtIn, plugins: [...Profile.builtIn.plugins, own] }
    const explained = Explanation.of(profile, podInfo("p"), snapshot([node("a")]), { Own: (_, { name }) => [`buy ${name}`] })
    assert.deepStrictEqual(explained.nodes[0]?.objections.map(({ remedies: all }) => all), [["buy a"]])
  })

  it("has a remedy for each rule", () => {
    assert.deepStrictEqual(remedies(podInfo("p", { cpu: "3" }), node("a"), podInfo("o", { cpu: "2" })), {
      NodeResourcesFit: ["free 1 cpu on the node: the pod asks for 3, 2 are left"]
    })
    assert.deepStrictEqual(remedies(podInfo("p", { memory: "16Gi" }), node("a", { pods: "1" }), podInfo("o")), {
      NodeResourcesFit: ["remove 1 of the node's 1 pods: it takes 1", "ask for at most 8Gi memory, which is all that the node has; the pod asks for 16Gi"]
    })
    assert.deepStrictEqual(remedies(podInfo("p", { hostPorts: [{ hostPort: 80 }] }), node("a"), podInfo("o", { hostPorts: [{ hostPort: 80 }] })), {
      NodePorts: ["free host port 80/TCP, which default/o uses"]
    })
    assert.deepStrictEqual(remedies(podInfo("p", { spec: { nodeSelector: { disk: "fast" } } }), node("a")), {
      NodeAffinity: ["label the node: kubectl label node a disk=fast --overwrite"]
    })
    assert.deepStrictEqual(remedies(podInfo("p"), node("a", { ready: "False" })), { NodeReady: ["make node a ready: Ready is False"] })
    assert.deepStrictEqual(remedies(podInfo("p", { annotations: { "reddwarf.io/zone-brand": "lx" } }), node("a", { labels: { "reddwarf.io/zone-brands": "sparse.bhyve" } })), {
      ZoneBrand: ["the node offers sparse, bhyve: ask for one of these, or set its label reddwarf.io/zone-brands once a can make lx zones"]
    })
    const near: CoreV1.PodAffinityTerm = { topologyKey: "zone", labelSelector: { matchLabels: { app: "db" } } }
    assert.deepStrictEqual(
      remedies(podInfo("p", { spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near] } } } }), node("a")),
      { InterPodAffinity: ["run the pods that it must be with in the same zone, and label the node with it"] }
    )
    const constraint = { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" as const, labelSelector: { matchLabels: { app: "db" } } }
    assert.deepStrictEqual(remedies(podInfo("p", { spec: { topologySpreadConstraints: [constraint] } }), node("a")), {
      PodTopologySpread: ["label the node with zone"]
    })
  })
})
