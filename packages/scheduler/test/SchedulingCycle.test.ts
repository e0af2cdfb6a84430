import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import { ClusterCache, NodeInfo, PodInfo, Profile, Rejection, SchedulerPlugin, SchedulingCycle, Snapshot } from "../src/index.js"
import * as clusters from "./support/clusters.js"
import * as naive from "./support/naive.js"
import { node, podInfo, snapshot } from "./support/objects.js"

/** What the model in `naive` knows; the whole profile is compared with the reference model elsewhere. */
const withoutStorage: Profile.Profile = { ...Profile.builtIn, plugins: Profile.builtInPlugins.filter(({ name }) => name !== "ZfsCapacity") }

const first = { random: () => 0.999 }

describe("SchedulingCycle", () => {
  it("finds exactly the nodes that the rules allow, and one of the best of them", () => {
    fc.assert(
      fc.property(clusters.nodes, clusters.pods, fc.integer(), (nodes, pods, seed) => {
        const placed = new Map(nodes.map((each) => [each.metadata.name ?? "", new Array<PodInfo.PodInfo>()]))
        let state = seed
        const random = () => ((state = (state * 1_103_515_245 + 12_345) & 0x7fffffff), state / 0x80000000)
        const cache = ClusterCache.make()
        for (const each of nodes) cache.setNode(each)
        for (const each of pods) {
          const info = PodInfo.make(each)
          const decision = SchedulingCycle.schedule(withoutStorage, info, cache.snapshot(), { random })
          const candidates = nodes
            .map((object) => ({ node: object, placed: (placed.get(object.metadata.name ?? "") ?? []).map((other) => other.pod) }))
            .filter((candidate) => naive.feasible(each, candidate.node, candidate.placed))
          const names = candidates.map((candidate) => candidate.node.metadata.name ?? "")
          if (decision._tag === "Unschedulable") {
            assert.deepStrictEqual(names, [])
            assert.strictEqual(decision.diagnosis.rejections.length, nodes.length)
            assert.isTrue(decision.diagnosis.rejections.every((rejection) => (rejection?.reasons.length ?? 0) > 0))
            continue
          }
          assert.deepStrictEqual(decision.feasible.map((feasible) => feasible.name), names)
          const totals = naive.totals(each, candidates)
          assert.strictEqual(totals[names.indexOf(decision.node)], Math.max(...totals))
          cache.assume(info, decision.node)
          placed.get(decision.node)?.push(PodInfo.lean(info, decision.node))
        }
        // The sums kept along the way are those of the pods that are there.
        for (const info of cache.snapshot().nodes) {
          const afresh = NodeInfo.make(info.node, placed.get(info.name))
          assert.deepStrictEqual(info, afresh)
        }
      }),
      { numRuns: 300 }
    )
  })

  it("looks at part of a large cluster and takes turns", () => {
    assert.deepStrictEqual([10, 99, 100, 250, 1000, 5000, 6000].map((n) => SchedulingCycle.feasibleNodesToFind(n)), [10, 99, 100, 120, 420, 500, 300])
    assert.strictEqual(SchedulingCycle.feasibleNodesToFind(1000, 20), 200)
    assert.strictEqual(SchedulingCycle.feasibleNodesToFind(1000, 100), 1000)
    const large = Snapshot.make(Array.from({ length: 1000 }, (_, i) => NodeInfo.make(node(`n${i}`))))
    const one = SchedulingCycle.schedule(Profile.builtIn, podInfo("p"), large, { start: 900, random: Math.random })
    assert(one._tag === "Placed")
    assert.strictEqual(one.evaluated, 420)
    assert.strictEqual(one.feasible[0]?.name, "n900")
    assert.strictEqual(one.nextStart, 320)
  })

  it("gives equal nodes equal chances", () => {
    const counts = new Map<number, number>()
    let state = 7
    const random = () => ((state = (state * 48_271) % 2_147_483_647), state / 2_147_483_647)
    for (let i = 0; i < 30_000; i++) {
      const at = SchedulingCycle.pickHighest([1, 5, 5, 0, 5], random)
      counts.set(at, (counts.get(at) ?? 0) + 1)
    }
    assert.deepStrictEqual([...counts.keys()].sort((a, b) => a - b), [1, 2, 4])
    for (const count of counts.values()) assert.approximately(count, 10_000, 400)
    assert.strictEqual(SchedulingCycle.pickHighest([], random), -1)
  })

  it("weights count", () => {
    const prefer = (name: string, favourite: string): SchedulerPlugin.SchedulerPlugin => ({
      name,
      score: (_, info) => info.name === favourite ? 100 : 0
    })
    const profile = (weights: Record<string, number>) =>
      Either.getOrThrow(Profile.make({ schedulerName: "s", plugins: [prefer("A", "a"), prefer("B", "b")], weights }))
    const two = snapshot([node("a")], [node("b")])
    for (const [weights, winner] of [[{ A: 2 }, "a"], [{ B: 2 }, "b"], [{ A: 3, B: 4 }, "b"]] as const) {
      const decision = SchedulingCycle.schedule(profile(weights), podInfo("p"), two, first)
      assert(decision._tag === "Placed")
      assert.strictEqual(decision.node, winner)
    }
  })

  it("names a plugin that scores out of range", () => {
    const profile = Either.getOrThrow(Profile.make({ schedulerName: "s", plugins: [{ name: "Loud", score: () => 101 }] }))
    assert.throws(
      () => SchedulingCycle.schedule(profile, podInfo("p"), snapshot([node("a")], [node("b")]), first),
      "plugin Loud gave node a the score 101; give 0 to 100, or add normalizeScores"
    )
  })

  it("a plugin without preparation filters, one that skips is not asked", () => {
    const plugins: ReadonlyArray<SchedulerPlugin.SchedulerPlugin> = [
      { name: "OnlyB", filter: (_, info) => info.name === "b" ? undefined : Rejection.unschedulable("node(s) were not b") },
      { name: "Skips", preFilter: () => SchedulerPlugin.skip, filter: () => assert.fail("asked") }
    ]
    const profile = Either.getOrThrow(Profile.make({ schedulerName: "s", plugins }))
    const decision = SchedulingCycle.schedule(profile, podInfo("p"), snapshot([node("a")], [node("b")]), first)
    assert(decision._tag === "Placed")
    assert.strictEqual(decision.node, "b")
  })
})
