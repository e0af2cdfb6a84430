import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { ClusterCache, ClusterEvent, NodeInfo, PodInfo, Snapshot } from "../src/index.js"
import { node, pod, podInfo } from "./support/objects.js"

const sizes = ["100m", "250m", "1"]
const ports = [80, 443]

const operation = fc.oneof(
  fc.record({ type: fc.constant("setNode" as const), node: fc.nat(3), cpu: fc.constantFrom("1", "2") }),
  fc.record({ type: fc.constant("removeNode" as const), node: fc.nat(3) }),
  fc.record({ type: fc.constantFrom("setPod" as const, "assume" as const), node: fc.nat(3), pod: fc.nat(6), size: fc.nat(2) }),
  fc.record({ type: fc.constantFrom("removePod" as const, "forget" as const), pod: fc.nat(6) }),
  fc.record({ type: fc.constant("expire" as const), pod: fc.nat(6) }),
  fc.record({ type: fc.constant("snapshot" as const) })
)

const infoOf = (index: number, size: number): PodInfo.PodInfo =>
  podInfo(`p${index}`, { cpu: sizes[size] ?? "1", requests: index % 2 === 0 ? { "example.com/gpu": "1" } : {}, hostPorts: [{ hostPort: ports[index % 2] ?? 1 }] })

const idOf = (index: number): string => PodInfo.idOf(pod(`p${index}`))

describe("ClusterCache", () => {
  it("keeps by increments what counting afresh would give", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: "max" }), (operations) => {
        const cache = ClusterCache.make()
        const nodes = new Map<string, string>()
        const placed = new Map<string, { readonly info: PodInfo.PodInfo; readonly node: string; readonly assumed: boolean }>()
        for (const each of operations) {
          if (each.type === "setNode") {
            nodes.set(`n${each.node}`, each.cpu)
            cache.setNode(node(`n${each.node}`, { cpu: each.cpu }))
          } else if (each.type === "removeNode") {
            nodes.delete(`n${each.node}`)
            cache.removeNode(`n${each.node}`)
          } else if (each.type === "setPod" || each.type === "assume") {
            const info = infoOf(each.pod, each.size)
            placed.delete(info.id)
            placed.set(info.id, { info, node: `n${each.node}`, assumed: each.type === "assume" })
            cache[each.type](info, `n${each.node}`)
          } else if (each.type === "removePod") {
            placed.delete(idOf(each.pod))
            cache.removePod(idOf(each.pod))
          } else if (each.type === "forget") {
            if (placed.get(idOf(each.pod))?.assumed === true) placed.delete(idOf(each.pod))
            cache.forget(idOf(each.pod))
          } else if (each.type === "expire") {
            const id = idOf(each.pod)
            cache.expireAt(id, 100)
            assert.deepStrictEqual(cache.dropExpired(99), [])
            assert.strictEqual(cache.dropExpired(100).length, placed.get(id)?.assumed === true ? 1 : 0)
            if (placed.get(id)?.assumed === true) placed.delete(id)
          }
          if (each.type !== "snapshot") continue
          const snapshot = cache.snapshot()
          assert.deepStrictEqual(snapshot.nodes.map((info) => info.name).sort(), [...nodes.keys()].sort())
          for (const info of snapshot.nodes) {
            assert.strictEqual(Snapshot.get(snapshot, info.name), info)
            const pods = [...placed.values()].filter((placement) => placement.node === info.name).map((placement) => placement.info)
            const afresh = NodeInfo.make(node(info.name, { cpu: nodes.get(info.name) ?? "" }), pods)
            const sorted = (of: NodeInfo.NodeInfo) => ({
              ...of,
              pods: of.pods.map((each) => each.id).sort(),
              usedPorts: of.usedPorts.map((port) => port.port).sort((a, b) => a - b)
            })
            assert.deepStrictEqual(sorted(info), sorted(afresh))
          }
        }
      }),
      { numRuns: 300 }
    )
  })

  it("shares between snapshots what did not change, and never changes a snapshot", () => {
    const cache = ClusterCache.make()
    for (const name of ["a", "b"]) cache.setNode(node(name))
    const before = cache.snapshot()
    assert.strictEqual(cache.snapshot(), before)
    cache.assume(podInfo("p"), "a")
    const after = cache.snapshot()
    assert.strictEqual(after.generation, before.generation + 1)
    assert.strictEqual(Snapshot.get(after, "b"), Snapshot.get(before, "b"))
    assert.strictEqual(Snapshot.get(before, "a")?.pods.length, 0)
    assert.strictEqual(Snapshot.get(after, "a")?.pods.length, 1)
  })

  it("tells what each change means for waiting pods", () => {
    const cache = ClusterCache.make()
    const events = (changes: ReadonlyArray<ClusterEvent.Change>) => changes.map(({ event }) => event)
    assert.deepStrictEqual(events(cache.setNode(node("a"))), ["NodeAdd"])
    assert.deepStrictEqual(events(cache.setNode(node("a", { cpu: "8", labels: { x: "y" } }))), ["NodeUpdateAllocatable", "NodeUpdateLabels"])
    assert.deepStrictEqual(events(cache.setPod(podInfo("p"), "a")), ["AssignedPodAdd"])
    assert.deepStrictEqual(events(cache.setPod(podInfo("p"), "a")), [])
    assert.deepStrictEqual(events(cache.setPod(podInfo("p", { cpu: "1" }), "a")), [])
    assert.deepStrictEqual(events(cache.setPod(podInfo("p", { cpu: "500m", annotations: { a: "b" } }), "a")), ["AssignedPodScaleDown"])
    const labelled = pod("p", { cpu: "500m" })
    const [change] = cache.setPod(PodInfo.make({ ...labelled, metadata: { ...labelled.metadata, labels: { a: "b" } } }), "a")
    assert.deepStrictEqual([change?.event, change?.old, change?.next].map((each) => typeof each === "object" && "key" in each ? each.key : each), [
      "AssignedPodUpdateLabels",
      "default/p",
      "default/p"
    ])
    assert.deepStrictEqual(events(cache.removePod(podInfo("p").id)), ["AssignedPodDelete"])
    assert.deepStrictEqual(events(cache.removePod(podInfo("p").id)), [])
    assert.deepStrictEqual(events(cache.removeNode("a")), ["NodeDelete"])
  })

  it("corrects an assumption that turns out wrong", () => {
    const cache = ClusterCache.make()
    for (const name of ["a", "b"]) cache.setNode(node(name))
    const info = podInfo("p", { cpu: "1" })
    cache.assume(info, "a")
    assert.isTrue(cache.isAssumed(info.id))
    cache.setPod(info, "b")
    assert.isFalse(cache.isAssumed(info.id))
    assert.deepStrictEqual(cache.forget(info.id), [])
    assert.deepStrictEqual(cache.snapshot().nodes.map((each) => each.requested.cpuMillis), [0, 1000])
  })

  it("heartbeats are no event", () => {
    const old = node("a")
    const beat = { ...old, status: { ...old.status, conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: "2025-01-01T00:00:00Z" }] } }
    assert.deepStrictEqual(ClusterEvent.ofNodeUpdate(old, beat), [])
    assert.deepStrictEqual(ClusterEvent.ofNodeUpdate(old, node("a", { ready: "False" })), ["NodeUpdateConditions"])
    assert.deepStrictEqual(ClusterEvent.ofNodeUpdate(old, node("a", { unschedulable: true })), ["NodeUpdateTaints"])
  })
})
