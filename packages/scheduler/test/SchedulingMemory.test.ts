import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import { ClusterCache, DefaultPreemption, NodeInfo, PodInfo, Profile, Rejection, SchedulerPlugin, SchedulingCycle, Snapshot, VictimMemory } from "../src/index.js"
import * as clusters from "./support/clusters.js"
import { node, pod, podInfo, snapshot } from "./support/objects.js"
import { seeded } from "./support/random.js"

/** A rule that depends on the whole cluster, between rules that do not: its blame must not get lost. */
const scarce: SchedulerPlugin.SchedulerPlugin = {
  name: "Scarce",
  preFilter: (_, { nodes }) => {
    const placed = nodes.reduce((sum, info) => sum + info.pods.length, 0)
    return SchedulerPlugin.filterBy((info) => (info.pods.length + placed) % 3 === 0 ? Rejection.unschedulable("node(s) were scarce") : undefined)
  },
  preScore: (_, feasible) => (info) => (info.pods.length * 7) % 10 + feasible.length % 5
}
const withScarce = Either.getOrThrow(Profile.make({
  schedulerName: "default-scheduler",
  plugins: [...Profile.builtInPlugins.slice(0, 7), scarce, ...Profile.builtInPlugins.slice(7)],
  weights: Profile.builtInWeights
}))

const summary = (decision: SchedulingCycle.Decision) =>
  decision._tag === "Placed"
    ? { node: decision.node, feasible: decision.feasible.map(({ name }) => name), next: decision.nextStart }
    : { rejections: decision.diagnosis.rejections, by: [...decision.diagnosis.rejectedBy].sort(), next: decision.nextStart }

/** Whom it would make leave, if the pod found no node. */
const preemption = (decision: SchedulingCycle.Decision, pod: PodInfo.PodInfo, snapshot: Snapshot.Snapshot, memory?: VictimMemory.VictimMemory) =>
  decision._tag === "Placed"
    ? []
    : DefaultPreemption.candidates({ ...decision, pod, snapshot, offset: 0 }, DefaultPreemption.usual, memory)
      .found.map(({ node, victims }) => [node, victims.pods.map(({ id }) => id), victims.violations])

describe("what decisions remember", () => {
  it.each([["a rule for the whole cluster", withScarce], ["rules for nodes alone", Profile.builtIn]])("changes no decision, however the cluster changes in between (%s)", (_, profile) => {
    const change = fc.record({ at: fc.nat(10), what: fc.constantFrom("cordon", "relabel", "leave", "remove", "nominate", "again", "none", "none") })
    fc.assert(
      fc.property(clusters.nodes, clusters.pods, fc.array(change, { minLength: 1, maxLength: 40, size: "max" }), fc.integer(), (nodes, templates, changes, seed) => {
        const cache = ClusterCache.make()
        for (const each of nodes) cache.setNode(each)
        const memory = SchedulingCycle.memory()
        const victims = VictimMemory.make()
        const placed: Array<string> = []
        let nominee: PodInfo.PodInfo | undefined
        let start = 0
        for (const [i, { at, what }] of changes.entries()) {
          // Few templates, each again and again.
          const template = templates[i % Math.min(3, templates.length)]
          if (template === undefined) continue
          const spec = { containers: [], ...template.spec, priority: i % Math.min(3, templates.length) }
          const fresh = PodInfo.make({ ...template, spec, metadata: { ...template.metadata, uid: `u${i}`, name: `q${i}` } })
          const info: PodInfo.PodInfo = what === "again" && nominee !== undefined ? nominee : fresh
          const now = cache.snapshot()
          const nominatedNode = cache.nominatedNode(info.id)
          const options = { start, ...(nominatedNode === undefined ? {} : { nominatedNode }) }
          const afresh = SchedulingCycle.schedule(profile, info, now, { ...options, random: seeded(seed + i) })
          const remembering = SchedulingCycle.schedule(profile, info, now, { ...options, random: seeded(seed + i), memory })
          assert.deepStrictEqual(summary(remembering), summary(afresh))
          assert.deepStrictEqual(preemption(remembering, info, now, victims), preemption(afresh, info, now))
          start = afresh.nextStart
          const target = nodes[at % Math.max(1, nodes.length)]
          if (what === "nominate" && target !== undefined) {
            nominee = info
            cache.nominate(info, target.metadata.name ?? "")
          } else if (afresh._tag === "Placed") {
            cache.assume(info, afresh.node)
            placed.push(info.id)
            if (info === nominee) nominee = undefined
          }
          if (target === undefined) continue
          if (what === "cordon") cache.setNode({ ...target, spec: { ...target.spec, unschedulable: i % 2 === 0 } })
          if (what === "relabel") cache.setNode({ ...target, metadata: { ...target.metadata, labels: { zone: i % 2 === 0 ? "a" : "b" } } })
          if (what === "remove") cache.removeNode(target.metadata.name ?? "")
          if (what === "leave") cache.removePod(placed.shift() ?? "")
        }
      }),
      { numRuns: 150 }
    )
  })

  it("asks a node-local plugin again only about nodes that changed", () => {
    let asked = 0
    const counting: SchedulerPlugin.SchedulerPlugin = {
      name: "Counting",
      nodeLocal: true,
      filter: () => {
        asked += 1
        return undefined
      },
      score: () => 1
    }
    const counted = Either.getOrThrow(Profile.make({ schedulerName: "s", plugins: [counting] }))
    const cache = ClusterCache.make()
    for (let i = 0; i < 50; i++) cache.setNode(node(`n${i}`))
    const memory = SchedulingCycle.memory()
    const place = (i: number) => {
      const { metadata, ...rest } = pod("p")
      const info = PodInfo.make({ ...rest, metadata: { ...metadata, name: `p${i}`, uid: `u${i}` } })
      const decision = SchedulingCycle.schedule(counted, info, cache.current(), { random: seeded(i), memory })
      assert(decision._tag === "Placed")
      cache.assume(info, decision.node)
    }
    place(0)
    place(1)
    asked = 0
    for (let i = 2; i < 12; i++) place(i)
    assert.strictEqual(asked, 10)
  })
})

describe("nominated pods", () => {
  const important = podInfo("important", { cpu: "3", spec: { priority: 10 } })
  const nodes = [NodeInfo.make(node("a", { cpu: "4" }))]
  const at = (pods: ReadonlyArray<PodInfo.PodInfo>) => Snapshot.make(nodes, { nominated: new Map([["a", pods]]) })
  const place = (info: PodInfo.PodInfo, cluster: Snapshot.Snapshot) => SchedulingCycle.schedule(Profile.builtIn, info, cluster, { random: () => 0 })._tag

  it("hold their room against pods that do not go before them", () => {
    for (const [priority, outcome] of [[0, "Unschedulable"], [10, "Unschedulable"], [11, "Placed"]] as const) {
      assert.strictEqual(place(podInfo("p", { cpu: "2", spec: { priority } }), at([important])), outcome)
    }
    assert.strictEqual(place(podInfo("p", { cpu: "1" }), at([important])), "Placed")
    assert.strictEqual(place(important, at([important])), "Placed")
  })

  it("go to their node when they fit there, though others would be better", () => {
    const cluster = snapshot([node("full", { cpu: "4" }), podInfo("other", { cpu: "3" })], [node("empty", { cpu: "4" })])
    const options = { random: () => 0 }
    const decide = (nominatedNode: string) => SchedulingCycle.schedule(Profile.builtIn, podInfo("p", { cpu: "1" }), cluster, { ...options, nominatedNode })
    const to = (decision: SchedulingCycle.Decision) => decision._tag === "Placed" ? decision.node : "none"
    assert.strictEqual(to(decide("full")), "full")
    assert.strictEqual(to(decide("gone")), "empty")
    const large = podInfo("large", { cpu: "2" })
    assert.strictEqual(to(SchedulingCycle.schedule(Profile.builtIn, large, cluster, { ...options, nominatedNode: "full" })), "empty")
  })

  it("a trial shows the node with pods gone and back", () => {
    const tenant = podInfo("tenant", { cpu: "3" })
    const cluster = snapshot([node("a", { cpu: "4" }), tenant])
    const decision = SchedulingCycle.schedule(Profile.builtIn, podInfo("p", { cpu: "2" }), cluster, { random: () => 0 })
    assert(decision._tag === "Unschedulable")
    const [info] = cluster.nodes
    assert(info !== undefined)
    const trial = decision.trial(info)
    assert.deepStrictEqual(trial.test()?.reasons, ["Insufficient cpu"])
    trial.removePod(tenant)
    assert.isUndefined(trial.test())
    assert.strictEqual(trial.node().pods.length, 0)
    trial.removePod(tenant)
    trial.addPod(tenant)
    assert.deepStrictEqual(trial.test()?.reasons, ["Insufficient cpu"])
    assert.strictEqual(info.pods.length, 1)
  })
})
