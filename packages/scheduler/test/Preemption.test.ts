import { assert, describe, it } from "@effect/vitest"
import type { PolicyV1 } from "@reddwarf/api-types"
import { FakeApi } from "@reddwarf/client"
import { Effect, FastCheck as fc } from "effect"
import { Candidates, DefaultPreemption, DisruptionBudgets, Listers, NodeInfo, type PodInfo, Profile, SchedulingCycle, Snapshot, Victims } from "../src/index.js"
import { feasible } from "./support/naive.js"
import { node, podInfo, type PodShape } from "./support/objects.js"

const args = { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 }

interface Placed extends PodShape {
  readonly priority?: number
  readonly app?: string
  readonly startTime?: string
}

const placed = (name: string, { app, priority = 0, startTime, ...shape }: Placed): PodInfo.PodInfo =>
  podInfo(name, {
    ...shape,
    spec: { priority },
    ...(app === undefined ? {} : { labels: { app } }),
    ...(startTime === undefined ? {} : { status: { startTime } })
  })

const budget = (app: string, disruptionsAllowed: number, disruptedPods: Record<string, string> = {}): PolicyV1.PodDisruptionBudget => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: app, namespace: "default" },
  spec: { selector: { matchLabels: { app } } },
  status: { disruptionsAllowed, disruptedPods, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }
})

type Cluster = ReadonlyArray<readonly [name: string, cpu: string, ...pods: ReadonlyArray<PodInfo.PodInfo>]>

const snapshotOf = (cluster: Cluster, budgets: ReadonlyArray<PolicyV1.PodDisruptionBudget> = []): Snapshot.Snapshot =>
  Snapshot.make(
    cluster.map(([name, cpu, ...pods]) => NodeInfo.make(node(name, { cpu }), pods)),
    { listers: { ...Listers.empty, podDisruptionBudgets: Listers.of(budgets) } }
  )

const findFor = (pod: PodInfo.PodInfo, snapshot: Snapshot.Snapshot) => {
  const decision = SchedulingCycle.schedule(Profile.builtIn, pod, snapshot, { random: () => 0 })
  assert(decision._tag === "Unschedulable")
  return DefaultPreemption.candidates({ pod, snapshot, diagnosis: decision.diagnosis, trial: decision.trial, offset: 0 }, args)
}

/** The node and the victims for a pod of priority 10 that asks for so much CPU. */
const choose = (cpu: string, cluster: Cluster, budgets?: ReadonlyArray<PolicyV1.PodDisruptionBudget>): string => {
  const chosen = Candidates.choose(findFor(placed("p", { cpu, priority: 10 }), snapshotOf(cluster, budgets)).found)
  return chosen === undefined ? "none" : [chosen.node, ...chosen.victims.pods.map(({ pod }) => pod.metadata.name)].join(" ")
}

describe("victims on one node", () => {
  it("are as few as possible, the least important ones", () => {
    assert.strictEqual(choose("1", [["n", "3", placed("a", { cpu: "1", priority: 3 }), placed("b", { cpu: "1", priority: 1 }), placed("c", { cpu: "1", priority: 2 })]]), "n b")
    assert.strictEqual(choose("2", [["n", "3", placed("a", { cpu: "1", priority: 3 }), placed("b", { cpu: "1", priority: 1 }), placed("c", { cpu: "1", priority: 2 })]]), "n c b")
    // Of the same priority the youngest goes.
    assert.strictEqual(
      choose("1", [["n", "2", placed("old", { cpu: "1", startTime: "2026-01-01T00:00:00Z" }), placed("new", { cpu: "1", startTime: "2026-02-01T00:00:00Z" })]]),
      "n new"
    )
  })

  it("are never of the same or a higher priority", () => {
    assert.strictEqual(choose("1", [["n", "2", placed("same", { cpu: "1", priority: 10 }), placed("higher", { cpu: "1", priority: 11 })]]), "none")
    assert.strictEqual(choose("2", [["n", "2", placed("same", { cpu: "1", priority: 10 }), placed("lower", { cpu: "1" })]]), "none")
  })

  it("are pods of a budget only when nothing else helps", () => {
    const pods = [placed("a", { cpu: "1", app: "kept", priority: 0 }), placed("b", { cpu: "1", priority: 5 })] as const
    assert.strictEqual(choose("1", [["n", "2", ...pods]], [budget("kept", 0)]), "n b")
    assert.strictEqual(choose("1", [["n", "2", ...pods]], [budget("kept", 1)]), "n a")
    assert.strictEqual(choose("2", [["n", "2", ...pods]], [budget("kept", 0)]), "n b a")
    // The budget counts this pod as gone already.
    assert.strictEqual(choose("1", [["n", "2", ...pods]], [budget("kept", 0, { a: "2026-01-01T00:00:00Z" })]), "n a")
    // A budget of another namespace is not asked.
    assert.strictEqual(choose("1", [["n", "2", ...pods]], [{ ...budget("kept", 0), metadata: { name: "kept", namespace: "other" } }]), "n a")
  })
})

describe("the node", () => {
  const one = (name: string, shape: Placed) => [name, "1", placed(`on-${name}`, { cpu: "1", ...shape })] as const

  it("is that with the fewest violated budgets", () => {
    assert.strictEqual(choose("1", [one("a", { app: "kept" }), one("b", { priority: 9 })], [budget("kept", 0)]), "b on-b")
  })

  it("then that with the lowest of the highest priorities", () => {
    assert.strictEqual(choose("1", [one("a", { priority: 5 }), one("b", { priority: 4 })]), "b on-b")
  })

  it("then that with the smallest sum of priorities", () => {
    const two = (name: string, second: number) => [name, "1", placed(`${name}1`, { cpu: "500m", priority: 5 }), placed(`${name}2`, { cpu: "500m", priority: second })] as const
    assert.strictEqual(choose("1", [two("a", 4), two("b", 3)]), "b b1 b2")
    // One pod less counts more than a lower priority.
    assert.strictEqual(choose("1", [two("a", -5), one("b", { priority: 5 })]), "b on-b")
  })

  it("then that whose most important victims began last", () => {
    assert.strictEqual(choose("1", [one("a", { startTime: "2026-01-01T00:00:00Z" }), one("b", { startTime: "2026-02-01T00:00:00Z" })]), "b on-b")
  })

  it("then the first that was looked at", () => {
    assert.strictEqual(choose("1", [one("a", {}), one("b", {})]), "a on-a")
  })
})

describe("what other filters count", () => {
  const zoned = (zone: string, ...pods: ReadonlyArray<PodInfo.PodInfo>) => (name: string) => NodeInfo.make(node(name, { cpu: "2", labels: { zone } }), pods)
  const term = (topologyKey: string) => ({ topologyKey, labelSelector: { matchLabels: { app: "web" } } })
  const preempting = (affinity: NonNullable<NonNullable<PodShape["spec"]>["affinity"]>, cpu: string, ...nodes: ReadonlyArray<(name: string) => NodeInfo.NodeInfo>) => {
    const pod = podInfo("p", { cpu, spec: { priority: 10, affinity } })
    const { found, rejections } = findFor(pod, Snapshot.make(nodes.map((make, i) => make(`n${i}`))))
    const chosen = Candidates.choose(found)
    return chosen === undefined ? rejections.map(({ reasons }) => reasons.join()) : [chosen.node, ...chosen.victims.pods.map(({ pod: { metadata } }) => metadata.name)]
  }
  const apart = (topologyKey: string) => ({ podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(topologyKey)] } })
  const together = (topologyKey: string) => ({ podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(topologyKey)] } })

  it("goes with the pods that leave: a pod to keep away from", () => {
    const web = placed("web", { app: "web" })
    assert.deepStrictEqual(preempting(apart("zone"), "1", zoned("a"), zoned("a", web, placed("other", {}))), ["n1", "web"])
    assert.deepStrictEqual(preempting(apart("zone"), "1", zoned("a", placed("web", { app: "web", priority: 10 }))), ["No preemption victims found for incoming pod"])
  })

  it("goes with the pods that leave: a pod to be with", () => {
    const web = placed("web", { app: "web", cpu: "1" })
    // It stays when another can go instead.
    assert.deepStrictEqual(preempting(together("zone"), "1500m", zoned("a", web), zoned("a", placed("other", { cpu: "2" }))), ["n1", "other"])
    assert.deepStrictEqual(preempting(together("zone"), "1500m", zoned("a", web)), ["node(s) didn't match pod affinity rules"])
  })
})

describe("the search", () => {
  const cluster: Cluster = Array.from({ length: 300 }, (_, i) => [`n${i}`, "1", placed(`p${i}`, { cpu: "1", app: i < 150 ? "kept" : "free" })] as const)
  const search = (offset: number, percentage: number, absolute: number, budgets: ReadonlyArray<PolicyV1.PodDisruptionBudget> = []) => {
    const pod = placed("p", { cpu: "1", priority: 10 })
    const snapshot = snapshotOf(cluster, budgets)
    const decision = SchedulingCycle.schedule(Profile.builtIn, pod, snapshot, { random: () => 0 })
    assert(decision._tag === "Unschedulable")
    const context = { pod, snapshot, diagnosis: decision.diagnosis, trial: decision.trial, offset }
    return DefaultPreemption.candidates(context, { minCandidateNodesPercentage: percentage, minCandidateNodesAbsolute: absolute }).found
  }

  it("ends when there are enough candidates", () => {
    assert.strictEqual(search(0, 10, 100).length, 100)
    assert.strictEqual(search(0, 50, 100).length, 150)
    assert.deepStrictEqual(search(299, 0, 2).map((each) => each.node), ["n299", "n0"])
  })

  it("goes on until one of them violates no budget", () => {
    assert.strictEqual(search(0, 10, 10, [budget("kept", 0)]).length, 151)
  })
})

describe("budgets", () => {
  it("count each pod that leaves", () => {
    const pods = ["a", "b", "c"].map((name) => placed(name, { app: "web" }))
    const divide = (allowed: number) => DisruptionBudgets.divide(DisruptionBudgets.make([budget("web", allowed)]), pods).violating.length
    assert.deepStrictEqual([0, 1, 2, 3].map(divide), [3, 2, 1, 0])
  })

  it("that select everything select pods without labels, too", () => {
    const all = { ...budget("web", 0), spec: { selector: {} } }
    assert.strictEqual(DisruptionBudgets.divide(DisruptionBudgets.make([all]), [placed("a", {})]).violating.length, 1)
    const broken = { ...all, spec: { selector: { matchExpressions: [{ key: "a", operator: "Like" }] } } }
    assert.strictEqual(DisruptionBudgets.divide(DisruptionBudgets.make([broken]), [placed("a", {})]).violating.length, 0)
  })
})

const placedPod = fc.record({
  cpu: fc.constantFrom("250m", "500m", "1", "2"),
  priority: fc.integer({ min: -2, max: 12 }),
  app: fc.constantFrom("kept", "free", "other"),
  hostPorts: fc.constantFrom<NonNullable<PodShape["hostPorts"]>>([], [], [], [{ hostPort: 80 }])
})
const world = fc.record({
  nodes: fc.array(fc.record({ cpu: fc.constantFrom("1", "2", "3"), pods: fc.array(placedPod, { maxLength: 5 }) }), { minLength: 1, maxLength: 6, size: "max" }),
  pod: fc.record({ cpu: fc.constantFrom("500m", "1", "2"), priority: fc.integer({ min: 0, max: 10 }), hostPorts: fc.constantFrom<NonNullable<PodShape["hostPorts"]>>([], [{ hostPort: 80 }]) })
})

describe("preemption over random clusters", () => {
  it.prop("takes only what is less important, leaves the pod a place, takes nobody in vain, and breaks no budget that it need not break", [world], ([{ nodes, pod: shape }]) => {
    const cluster: Cluster = nodes.map(({ cpu, pods }, i) => [`n${i}`, cpu, ...pods.map((each, j) => placed(`p${i}-${j}`, each))])
    const snapshot = snapshotOf(cluster, [budget("kept", 0), budget("free", 1000)])
    const pod = placed("preemptor", shape)
    const decision = SchedulingCycle.schedule(Profile.builtIn, pod, snapshot, { random: () => 0 })
    if (decision._tag === "Placed") return
    const { found } = findFor(pod, snapshot)
    const fits = (info: NodeInfo.NodeInfo, staying: ReadonlyArray<PodInfo.PodInfo>) => feasible(pod.pod, info.node, staying.map((each) => each.pod))
    const isLower = (other: PodInfo.PodInfo) => other.priority < pod.priority
    const isKept = (other: PodInfo.PodInfo) => other.pod.metadata.labels?.["app"] === "kept"
    const possible = snapshot.nodes.filter((info) => fits(info, info.pods.filter((other) => !isLower(other))))
    assert.deepStrictEqual(found.map((each) => each.node), possible.map((info) => info.name))

    for (const { node: name, victims } of found) {
      const info = Snapshot.get(snapshot, name)
      assert(info !== undefined)
      const staying = info.pods.filter((other) => !victims.pods.includes(other))
      assert.isTrue(victims.pods.length > 0 && victims.pods.every(isLower))
      assert.isTrue(fits(info, staying))
      for (const victim of victims.pods) assert.isFalse(fits(info, [...staying, victim]), `${victim.key} goes in vain`)
      assert.strictEqual(victims.violations, victims.pods.filter(isKept).length)
      assert.deepStrictEqual(victims.pods, victims.pods.toSorted(Victims.byImportance))
    }
    const harmless = possible.some((info) => fits(info, info.pods.filter((other) => !isLower(other) || isKept(other))))
    assert.strictEqual(Candidates.choose(found)?.victims.violations === 0, harmless)
  }, { fastCheck: { numRuns: 500 } })
})

describe("arguments", () => {
  it.effect("are those of the plugin's configuration", () =>
    Effect.gen(function*() {
      const make = (args: unknown) => Effect.flip(DefaultPreemption.factory.make(args)).pipe(Effect.map(({ message }) => message), Effect.scoped)
      assert.match(yield* make({ minCandidateNodesPercentage: 101 }), /arguments of plugin DefaultPreemption, minCandidateNodesPercentage: /)
      assert.match(yield* make({ minCandidates: 1 }), /arguments of plugin DefaultPreemption, minCandidates: /)
      const plugin = yield* Effect.scoped(DefaultPreemption.factory.make({ kind: "DefaultPreemptionArgs", minCandidateNodesAbsolute: 5 }))
      assert.strictEqual(plugin.name, "DefaultPreemption")
    }).pipe(Effect.provide(FakeApi.layer())))
})
