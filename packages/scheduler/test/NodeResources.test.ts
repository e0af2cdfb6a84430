/** How nodes are compared by their resources: the strategies of NodeResourcesFit, and balance. */
import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { BalancedAllocation, ClusterEvent, NodeInfo, NodeResourcesFit, type PluginFactory, type PodInfo, type SchedulerPlugin, Snapshot } from "../src/index.js"
import { node, type NodeShape, podInfo } from "./support/objects.js"
import { configured, scored } from "./support/topology.js"

const made = (factory: PluginFactory.PluginFactory, args: unknown): SchedulerPlugin.SchedulerPlugin => Either.getOrThrow(configured(factory, args))
const problem = (factory: PluginFactory.PluginFactory, args: unknown): string =>
  Either.match(configured(factory, args), { onLeft: (error) => error.message, onRight: () => "" })

const on = (shape: NodeShape, ...pods: ReadonlyArray<PodInfo.PodInfo>): NodeInfo.NodeInfo => NodeInfo.make(node("n", shape), pods)
const strategy = (scoringStrategy: unknown) => made(NodeResourcesFit.factory, { scoringStrategy })
const score = ({ score: scoreOf }: SchedulerPlugin.SchedulerPlugin, pod: PodInfo.PodInfo, info: NodeInfo.NodeInfo): number | undefined => scoreOf?.(pod, info)

const half = podInfo("half", { cpu: "1", memory: "1Gi" })
const twoByTwo: NodeShape = { cpu: "2", memory: "2Gi", extra: { "example.com/gpu": "4", "ephemeral-storage": "10Gi" } }

describe("NodeResourcesFit strategies", () => {
  it("LeastAllocated: the share that stays free", () => {
    const plugin = strategy({ type: "LeastAllocated" })
    assert.strictEqual(score(plugin, half, on(twoByTwo)), 50)
    assert.strictEqual(score(plugin, half, on(twoByTwo, podInfo("a", { cpu: "500m", memory: "512Mi" }))), 25)
    assert.strictEqual(score(plugin, podInfo("p", { cpu: "1", memory: "512Mi" }), on(twoByTwo)), Math.floor((50 + 75) / 2))
    // What a container does not ask for counts as 100m and 200Mi.
    assert.strictEqual(score(plugin, podInfo("p"), on({ cpu: "1", memory: "2000Mi" })), 90)
    assert.strictEqual(score(plugin, half, on({ cpu: "500m", memory: "2Gi" })), Math.floor((0 + 50) / 2))
  })

  it("LeastAllocated with resources and weights", () => {
    const weighted = strategy({ type: "LeastAllocated", resources: [{ name: "cpu", weight: 3 }, { name: "memory", weight: 1 }] })
    assert.strictEqual(score(weighted, podInfo("p", { cpu: "1500m", memory: "512Mi" }), on(twoByTwo)), Math.floor((25 * 3 + 75) / 4))
    const gpus = strategy({ resources: [{ name: "example.com/gpu" }] })
    assert.strictEqual(score(gpus, podInfo("p", { requests: { "example.com/gpu": "1" } }), on(twoByTwo)), 75)
    // A pod that asks for none does not mind how many there are.
    assert.strictEqual(score(gpus, half, on(twoByTwo)), 0)
    const disk = strategy({ resources: [{ name: "ephemeral-storage" }] })
    assert.strictEqual(score(disk, podInfo("p", { requests: { "ephemeral-storage": "4Gi" } }), on(twoByTwo)), 60)
    const both = strategy({ resources: [{ name: "cpu" }, { name: "memory" }] })
    for (const info of [on(twoByTwo), on(twoByTwo, half), on({ cpu: "0", memory: "2Gi" })]) {
      assert.strictEqual(score(both, half, info), NodeResourcesFit.leastAllocated(half, info))
    }
  })

  it("MostAllocated: the share that is taken", () => {
    const plugin = strategy({ type: "MostAllocated" })
    assert.strictEqual(score(plugin, half, on(twoByTwo)), 50)
    assert.strictEqual(score(plugin, half, on(twoByTwo, half)), 100)
    assert.strictEqual(score(plugin, half, on({ cpu: "500m", memory: "2Gi" })), Math.floor((100 + 50) / 2))
    assert.strictEqual(score(plugin, half, on({ cpu: "0", memory: "2Gi" })), 50)
  })

  it("RequestedToCapacityRatio: along the lines of the shape", () => {
    const shape = [{ utilization: 0, score: 0 }, { utilization: 40, score: 8 }, { utilization: 100, score: 2 }]
    const plugin = strategy({ type: "RequestedToCapacityRatio", requestedToCapacityRatio: { shape }, resources: [{ name: "cpu", weight: 1 }] })
    const at = (cpu: string): number | undefined => score(plugin, podInfo("p", { cpu }), on({ cpu: "1" }))
    assert.deepStrictEqual(["200m", "400m", "700m", "1", "2"].map(at), [40, 80, 50, 20, 20])
    const flat = strategy({ type: "RequestedToCapacityRatio", requestedToCapacityRatio: { shape: [{ utilization: 50, score: 5 }] } })
    assert.strictEqual(score(flat, half, on(twoByTwo)), 50)
  })

  it("RequestedToCapacityRatio leaves out resources without a score, and rounds", () => {
    const shape = [{ utilization: 50, score: 0 }, { utilization: 100, score: 10 }]
    const plugin = strategy({ type: "RequestedToCapacityRatio", requestedToCapacityRatio: { shape } })
    assert.strictEqual(score(plugin, podInfo("p", { cpu: "200m", memory: "1536Mi" }), on(twoByTwo)), 50)
    assert.strictEqual(score(plugin, podInfo("p", { cpu: "1500m", memory: "1556Mi" }), on(twoByTwo)), 50)
    assert.strictEqual(score(plugin, podInfo("p", { cpu: "1500m", memory: "1567Mi" }), on(twoByTwo)), 51)
  })

  it("ignores extended resources that others take care of", () => {
    const wanting = podInfo("p", { requests: { "example.com/tpu": "1", "other.org/x": "1", "hugepages-2Mi": "1" } })
    const plain = on({ cpu: "2" })
    const reasons = (args: unknown) => made(NodeResourcesFit.factory, args).filter?.(wanting, plain)?.reasons
    assert.sameMembers([...(reasons({}) ?? [])], ["Insufficient example.com/tpu", "Insufficient other.org/x", "Insufficient hugepages-2Mi"])
    assert.deepStrictEqual(reasons({ ignoredResources: ["example.com/tpu", "hugepages-2Mi"], ignoredResourceGroups: ["other.org"] }), ["Insufficient hugepages-2Mi"])
  })

  it("says what is wrong with its arguments", () => {
    const bad = (scoringStrategy: unknown) => problem(NodeResourcesFit.factory, { scoringStrategy })
    assert.match(bad({ type: "Random" }), /scoringStrategy\.type/)
    assert.match(bad({ type: "RequestedToCapacityRatio" }), /scoringStrategy\.requestedToCapacityRatio: .*needs a shape/)
    assert.match(bad({ resources: [{ name: "cpu", weight: 101 }] }), /scoringStrategy\.resources\.0\.weight/)
    const falling = [{ utilization: 50, score: 1 }, { utilization: 50, score: 2 }]
    assert.match(bad({ type: "RequestedToCapacityRatio", requestedToCapacityRatio: { shape: falling } }), /shape\.1\.utilization: .*not above/)
    assert.match(problem(NodeResourcesFit.factory, { ignored: [] }), /arguments of plugin NodeResourcesFit, ignored/)
    assert.strictEqual(problem(NodeResourcesFit.factory, { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "NodeResourcesFitArgs" }), "")
  })

  it("wakes for nodes that could hold the pod if they were empty", () => {
    const wakes = (change: ClusterEvent.Change) => ClusterEvent.wakes(NodeResourcesFit.plugin.requeueOn, half, change)
    assert.isTrue(wakes({ event: "NodeAdd", old: undefined, next: node("n", twoByTwo) }))
    assert.isFalse(wakes({ event: "NodeAdd", old: undefined, next: node("n", { cpu: "500m" }) }))
    assert.isTrue(wakes({ event: "NodeUpdateAllocatable", old: node("n", { cpu: "500m" }), next: node("n", twoByTwo) }))
    assert.isFalse(wakes({ event: "NodeUpdateAllocatable", old: node("n", twoByTwo), next: node("n", { cpu: "500m" }) }))
    assert.isTrue(wakes({ event: "AssignedPodDelete", old: half, next: undefined }))
    assert.isFalse(wakes({ event: "NodeUpdateLabels", old: node("n"), next: node("n") }))
  })
})

describe("NodeResourcesBalancedAllocation", () => {
  const { plugin } = BalancedAllocation
  const scores = (pod: PodInfo.PodInfo, info: NodeInfo.NodeInfo) => scored(plugin, pod, Snapshot.make([info]), "raw")

  it("is 75 for a pod that changes nothing, more when use gets more even, less when it gets less so", () => {
    assert.deepStrictEqual(scores(half, on(twoByTwo)), [75])
    assert.deepStrictEqual(scores(podInfo("p", { memory: "1Gi" }), on(twoByTwo, podInfo("a", { cpu: "1" }))), [50 + Math.trunc((50 + 100 - 75) / 2)])
    assert.deepStrictEqual(scores(podInfo("p", { cpu: "1" }), on(twoByTwo, podInfo("a", { memory: "1Gi" }))), [87])
    assert.deepStrictEqual(scores(podInfo("p", { cpu: "2" }), on(twoByTwo)), [50])
    assert.deepStrictEqual(scores(podInfo("p", { memory: "2Gi" }), on(twoByTwo, podInfo("a", { cpu: "2" }))), [100])
  })

  it("leaves out pods that ask for nothing, and nodes without one of the resources", () => {
    assert.strictEqual(scores(podInfo("p"), on(twoByTwo)), "skip")
    assert.deepStrictEqual(scores(half, on({ cpu: "0", memory: "2Gi" })), [75])
  })

  it("balances other resources, if it is told to", () => {
    const three = made(BalancedAllocation.factory, { resources: [{ name: "cpu", weight: 1 }, { name: "memory" }, { name: "example.com/gpu" }] })
    const pod = podInfo("p", { cpu: "1", memory: "1Gi", requests: { "example.com/gpu": "4" } })
    const after = Math.trunc((1 - Math.sqrt((2 * (1 / 6) ** 2 + (1 / 3) ** 2) / 3)) * 100)
    assert.deepStrictEqual(scored(three, pod, Snapshot.make([on(twoByTwo)]), "raw"), [50 + Math.trunc((50 + after - 100) / 2)])
    assert.strictEqual(scored(three, podInfo("p"), Snapshot.make([on(twoByTwo)])), "skip")
    const disk = made(BalancedAllocation.factory, { resources: [{ name: "cpu" }, { name: "ephemeral-storage" }] })
    assert.deepStrictEqual(scored(disk, podInfo("p", { cpu: "1", requests: { "ephemeral-storage": "5Gi" } }), Snapshot.make([on(twoByTwo)]), "raw"), [75])
    assert.match(problem(BalancedAllocation.factory, { resources: [{ name: "cpu", weight: 2 }] }), /resources\.0\.weight/)
  })
})
