import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { ClusterCache, PodInfo, Snapshot, SnapshotIndex } from "../src/index.js"
import { node, pod } from "./support/objects.js"

/** Pods and nodes by zone and label, counted by the events alone. */
const make = (): SnapshotIndex.Maintained<ReadonlyMap<string, number>> => {
  const view = new Map<string, number>()
  const count = (what: string, by: number): void => {
    const now = (view.get(what) ?? 0) + by
    if (now === 0) view.delete(what)
    else view.set(what, now)
  }
  const ofNode = ({ node: { metadata } }: { readonly node: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } } }) => `zone ${metadata.labels?.["zone"]}`
  const ofPod = (info: PodInfo.PodInfo, name: string) => `app ${info.shape.labels["app"]} on ${name}`
  return {
    view,
    nodeAdded: (info) => count(ofNode(info), 1),
    nodeChanged: (old, next) => {
      count(ofNode(old), -1)
      count(ofNode(next), 1)
    },
    nodeRemoved: (info) => count(ofNode(info), -1),
    podAdded: (info, on) => count(ofPod(info, on.name), 1),
    podRemoved: (info, on) => count(ofPod(info, on.name), -1)
  }
}
const early = SnapshotIndex.define("early", make)
const late = SnapshotIndex.define("late", make)

const operation = fc.oneof(
  fc.record({ type: fc.constant("setNode" as const), node: fc.nat(3), zone: fc.constantFrom("a", "b") }),
  fc.record({ type: fc.constant("removeNode" as const), node: fc.nat(3) }),
  fc.record({ type: fc.constantFrom("setPod" as const, "assume" as const), node: fc.nat(3), pod: fc.nat(6), app: fc.constantFrom("x", "y") }),
  fc.record({ type: fc.constantFrom("removePod" as const, "forget" as const), pod: fc.nat(6) }),
  fc.record({ type: fc.constantFrom("look" as const, "lookLate" as const, "peek" as const) })
)

const infoOf = (index: number, app: string): PodInfo.PodInfo => {
  const plain = pod(`p${index}`)
  return PodInfo.make({ ...plain, metadata: { ...plain.metadata, labels: { app } } })
}

const sorted = (counts: ReadonlyMap<string, number>) => [...counts].sort(([a], [b]) => a < b ? -1 : 1)

describe("indexes over a cluster", () => {
  it("kept by increments are what building them afresh gives", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: "max" }), (operations) => {
        const cache = ClusterCache.make()
        const agree = (index: SnapshotIndex.SnapshotIndex<ReadonlyMap<string, number>>) => {
          const snapshot = cache.snapshot()
          assert.deepStrictEqual(sorted(snapshot.index(index)), sorted(Snapshot.make(snapshot.nodes).index(index)))
        }
        let kept = cache.snapshot()
        for (const each of operations) {
          if (each.type === "setNode") cache.setNode(node(`n${each.node}`, { labels: { zone: each.zone } }))
          else if (each.type === "removeNode") cache.removeNode(`n${each.node}`)
          else if (each.type === "setPod" || each.type === "assume") cache[each.type](infoOf(each.pod, each.app), `n${each.node}`)
          else if (each.type === "removePod") cache.removePod(infoOf(each.pod, "x").id)
          else if (each.type === "forget") cache.forget(infoOf(each.pod, "x").id)
          else if (each.type === "look") agree(early)
          else if (each.type === "lookLate") agree(late)
          // An index may be asked for when the cluster has gone on since the snapshot.
          else kept.index(late)
          if (each.type === "look") kept = cache.snapshot()
        }
        agree(early)
        agree(late)
      }),
      { numRuns: 300 }
    )
  })

  it("stand still while an attempt reads them", () => {
    const cache = ClusterCache.make()
    cache.setNode(node("a", { labels: { zone: "z" } }))
    const view = cache.current().index(early)
    cache.assume(infoOf(1, "x"), "a")
    assert.deepStrictEqual(sorted(view), [["zone z", 1]])
    cache.current()
    assert.deepStrictEqual(sorted(view), [["app x on a", 1], ["zone z", 1]])
  })
})
