/** What pods say about nodes themselves: images they have, labels added by the scheduler, taints and ports; and what wakes those that found none. */
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { Either } from "effect"
import { ClusterCache, ClusterEvent, ImageLocality, NodeAffinity, NodeInfo, NodePorts, NodeUnschedulable, PodInfo, type SchedulerPlugin, Snapshot, TaintToleration } from "../src/index.js"
import { node, type NodeShape, pod, podInfo } from "./support/objects.js"
import { configured, filtered, scored } from "./support/topology.js"

const mebibyte = 1024 * 1024

const holding = (name: string, images: Readonly<Record<string, number>>): NodeInfo.NodeInfo => {
  const object = node(name)
  const held = Object.entries(images).map(([image, mebibytes]): CoreV1.ContainerImage => ({ names: [image], sizeBytes: mebibytes * mebibyte }))
  return NodeInfo.make({ ...object, status: { ...object.status, images: held } })
}
const running = (images: ReadonlyArray<string>, spec: Partial<CoreV1.PodSpec> = {}): PodInfo.PodInfo =>
  PodInfo.make(pod("p", { spec: { containers: images.map((image, i) => ({ name: `c${i}`, image })), ...spec } }))

const imageScore = (bytes: number, images: number): number => {
  const [least, most] = [23 * mebibyte, 1000 * mebibyte * images]
  return Math.floor((100 * (Math.min(Math.max(bytes, least), most) - least)) / (most - least))
}

describe("ImageLocality", () => {
  const scores = (incoming: PodInfo.PodInfo, ...nodes: ReadonlyArray<NodeInfo.NodeInfo>) => scored(ImageLocality.plugin, incoming, Snapshot.make(nodes))

  it("prefers nodes that have the image, the less the fewer have it", () => {
    assert.deepStrictEqual(scores(running(["app:1"]), holding("a", { "app:1": 500 }), holding("b", { "app:1": 500 })), [imageScore(500 * mebibyte, 1), imageScore(500 * mebibyte, 1)])
    assert.deepStrictEqual(scores(running(["app:1"]), holding("a", { "app:1": 500 }), holding("b", {})), [imageScore(250 * mebibyte, 1), 0])
    assert.deepStrictEqual(scores(running(["app:1", "db:2"]), holding("a", { "app:1": 500, "db:2": 700 }), holding("b", { "db:2": 700 })), [
      imageScore((250 + 700) * mebibyte, 2),
      imageScore(700 * mebibyte, 2)
    ])
  })

  it("knows images by their names with tag", () => {
    assert.deepStrictEqual(scores(running(["registry:5000/app"]), holding("a", { "registry:5000/app:latest": 2000 })), [100])
    assert.strictEqual(ImageLocality.normalizedName("app"), "app:latest")
    assert.strictEqual(ImageLocality.normalizedName("registry:5000/app:1"), "registry:5000/app:1")
    assert.strictEqual(ImageLocality.normalizedName("app@sha256:00"), "app@sha256:00")
  })

  it("counts init containers and mounted images", () => {
    const mounting = running(["app:1"], { initContainers: [{ name: "i", image: "init:1" }], volumes: [{ name: "v", image: { reference: "data:1" } }] })
    assert.deepStrictEqual(scores(mounting, holding("a", { "init:1": 600, "data:1": 400 })), [imageScore(1000 * mebibyte, 3)])
  })

  it("follows what nodes fetch and drop", () => {
    const cache = ClusterCache.make()
    const now = () => scored(ImageLocality.plugin, running(["app:1"]), cache.snapshot())
    for (const name of ["a", "b"]) cache.setNode(holding(name, { "app:1": 500 }).node)
    assert.deepStrictEqual(now(), [imageScore(500 * mebibyte, 1), imageScore(500 * mebibyte, 1)])
    cache.setNode(holding("a", { "other:1": 100 }).node)
    assert.deepStrictEqual(now(), [0, imageScore(250 * mebibyte, 1)])
    cache.setNode(holding("a", { "other:1": 100, "app:1": 900 }).node)
    assert.deepStrictEqual(now(), [imageScore(900 * mebibyte, 1), imageScore(500 * mebibyte, 1)])
    cache.removeNode("b")
    assert.deepStrictEqual(now(), [imageScore(900 * mebibyte, 1)])
    cache.setNode(holding("a", {}).node)
    assert.strictEqual(now(), "skip")
  })

  it("ignores small images, and is left out where no node has any", () => {
    assert.deepStrictEqual(scores(running(["app:1"]), holding("a", { "app:1": 23 }), holding("b", { "app:1": 23 })), [0, 0])
    assert.strictEqual(scores(running(["app:1"]), holding("a", { "other:1": 500 })), "skip")
  })
})

describe("NodeAffinity with affinity added by the scheduler", () => {
  const inZone = (zone: string) => ({ matchExpressions: [{ key: "zone", operator: "In", values: [zone] }] })
  const added = (addedAffinity: unknown): SchedulerPlugin.SchedulerPlugin => Either.getOrThrow(configured(NodeAffinity.factory, { addedAffinity }))
  const nodes = (...shapes: ReadonlyArray<NodeShape>): Snapshot.Snapshot => Snapshot.make(shapes.map((shape, i) => NodeInfo.make(node(`n${i}`, shape))))
  const three = nodes({ labels: { zone: "a", disk: "ssd" } }, { labels: { zone: "a" } }, { labels: { zone: "b", disk: "ssd" } })

  it("must match besides the pod's own", () => {
    const plugin = added({ requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [inZone("a")] } })
    assert.deepStrictEqual(filtered(plugin, podInfo("p"), three), ["", "", "!node(s) didn't match scheduler-enforced node affinity"])
    assert.deepStrictEqual(filtered(plugin, podInfo("p", { spec: { nodeSelector: { disk: "ssd" } } }), three), [
      "",
      "!node(s) didn't match Pod's node affinity/selector",
      "!node(s) didn't match scheduler-enforced node affinity"
    ])
    assert.strictEqual(filtered(NodeAffinity.plugin, podInfo("p"), three), "skip")
  })

  it("adds its weights", () => {
    const plugin = added({ preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 3, preference: inZone("b") }] })
    const wishing = podInfo("p", {
      spec: { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 2, preference: { matchExpressions: [{ key: "disk", operator: "Exists" }] } }] } } }
    })
    assert.deepStrictEqual(scored(plugin, wishing, three, "raw"), [2, 0, 5])
    assert.deepStrictEqual(scored(plugin, podInfo("p"), three), [0, 0, 100])
    assert.strictEqual(scored(NodeAffinity.plugin, podInfo("p"), three), "skip")
  })

  it("wakes for nodes that begin to match", () => {
    const choosy = podInfo("p", { spec: { nodeSelector: { disk: "ssd" } } })
    const wakes = (change: ClusterEvent.Change) => ClusterEvent.wakes(NodeAffinity.plugin.requeueOn, choosy, change)
    const [ssd, none] = [node("n", { labels: { disk: "ssd" } }), node("n")]
    assert.isTrue(wakes({ event: "NodeAdd", old: undefined, next: ssd }))
    assert.isFalse(wakes({ event: "NodeAdd", old: undefined, next: none }))
    assert.isTrue(wakes({ event: "NodeUpdateLabels", old: none, next: ssd }))
    assert.isFalse(wakes({ event: "NodeUpdateLabels", old: ssd, next: ssd }))
  })

  it("says what is wrong with its arguments", () => {
    const problem = Either.match(configured(NodeAffinity.factory, { addedAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }] } }), {
      onLeft: (error) => error.message,
      onRight: () => ""
    })
    assert.match(problem, /arguments of plugin NodeAffinity, addedAffinity\.preferredDuringSchedulingIgnoredDuringExecution\.0\.weight/)
  })
})

describe("queueing hints of filters that look at one node", () => {
  const wakes = ({ requeueOn }: SchedulerPlugin.SchedulerPlugin, info: PodInfo.PodInfo, change: ClusterEvent.Change) => ClusterEvent.wakes(requeueOn, info, change)

  it("TaintToleration", () => {
    const { plugin } = TaintToleration
    const tainted = node("n", { taints: [{ key: "a", effect: "NoSchedule" }] })
    const tolerant = podInfo("p", { spec: { tolerations: [{ key: "a", operator: "Exists" }] } })
    assert.isFalse(wakes(plugin, podInfo("p"), { event: "NodeAdd", old: undefined, next: tainted }))
    assert.isTrue(wakes(plugin, tolerant, { event: "NodeAdd", old: undefined, next: tainted }))
    assert.isTrue(wakes(plugin, podInfo("p"), { event: "NodeUpdateTaints", old: tainted, next: node("n") }))
    assert.isFalse(wakes(plugin, podInfo("p"), { event: "NodeUpdateTaints", old: node("n"), next: tainted }))
    assert.isTrue(wakes(plugin, podInfo("p"), { event: "PodUpdateTolerations", old: podInfo("p"), next: tolerant }))
  })

  it("NodeUnschedulable", () => {
    const { plugin } = NodeUnschedulable
    const cordoned = node("n", { unschedulable: true })
    assert.isFalse(wakes(plugin, podInfo("p"), { event: "NodeAdd", old: undefined, next: cordoned }))
    assert.isTrue(wakes(plugin, podInfo("p"), { event: "NodeUpdateTaints", old: cordoned, next: node("n") }))
    assert.isFalse(wakes(plugin, podInfo("p"), { event: "NodeUpdateTaints", old: cordoned, next: cordoned }))
  })

  it("NodePorts", () => {
    const { plugin } = NodePorts
    const web = podInfo("p", { hostPorts: [{ hostPort: 80 }] })
    const on = (hostPort: number, hostIP?: string) => podInfo("other", { hostPorts: [{ hostPort, ...(hostIP === undefined ? {} : { hostIP }) }] })
    assert.isTrue(wakes(plugin, web, { event: "AssignedPodDelete", old: on(80, "10.0.0.1"), next: undefined }))
    assert.isFalse(wakes(plugin, web, { event: "AssignedPodDelete", old: on(81), next: undefined }))
    assert.isTrue(wakes(plugin, web, { event: "NodeAdd", old: undefined, next: node("n") }))
  })
})
