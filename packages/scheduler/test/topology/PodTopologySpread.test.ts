import { assert, describe, it } from "@effect/vitest"
import type { AppsV1, CoreV1 } from "@reddwarf/api-types"
import { Either } from "effect"
import { ClusterEvent, Listers, NodeInfo, type PodInfo, PodTopologySpread, Snapshot } from "../../src/index.js"
import { configured, filtered, host, node, pod, scored, type Shape, whatIf, zone } from "../support/topology.js"

const { plugin } = PodTopologySpread

type Constraint = CoreV1.TopologySpreadConstraint

const byZone = (further: Partial<Constraint> = {}): Constraint => ({
  maxSkew: 1,
  topologyKey: zone,
  whenUnsatisfiable: "DoNotSchedule",
  labelSelector: { matchLabels: { app: "web" } },
  ...further
})
const byHost = (further: Partial<Constraint> = {}): Constraint => byZone({ topologyKey: host, ...further })
const soft = (further: Partial<Constraint> = {}): Constraint => byZone({ whenUnsatisfiable: "ScheduleAnyway", ...further })

const web = (name: string, further: Shape = {}): PodInfo.PodInfo => pod(name, { labels: { app: "web" }, ...further })
const spreading = (...constraints: ReadonlyArray<Constraint>): PodInfo.PodInfo => web("p", { spec: { topologySpreadConstraints: constraints } })
const webs = (count: number, prefix = "w"): ReadonlyArray<PodInfo.PodInfo> => Array.from({ length: count }, (_, i) => web(`${prefix}${i}`))

const tooMany = "node(s) didn't match pod topology spread constraints"
const noLabel = `!${tooMany} (missing required label)`

/** Zones x, y and z with so many pods each, on one node each. */
const zones = (x: number, y: number, z: number): Snapshot.Snapshot =>
  Snapshot.make([node("x1", "x", webs(x, "x")), node("y1", "y", webs(y, "y")), node("z1", "z", webs(z, "z"))])

const filters: ReadonlyArray<readonly [string, PodInfo.PodInfo, Snapshot.Snapshot, ReadonlyArray<string> | "skip"]> = [
  ["nothing is asked for a pod without constraints", web("p"), zones(5, 0, 0), "skip"],
  ["nothing is asked where the constraint is a wish", spreading(soft()), zones(5, 0, 0), "skip"],
  ["the emptiest domain sets the measure", spreading(byZone()), zones(2, 1, 1), [tooMany, "", ""]],
  ["empty domains count", spreading(byZone()), zones(1, 1, 0), [tooMany, tooMany, ""]],
  ["a greater skew", spreading(byZone({ maxSkew: 2 })), zones(2, 1, 0), [tooMany, "", ""]],
  ["a pod that does not count itself", pod("p", { spec: { topologySpreadConstraints: [byZone()] } }), zones(2, 1, 0), [tooMany, "", ""]],
  ["a node without the label", spreading(byZone()), Snapshot.make([node("x1", "x"), node("n", undefined)]), ["", noLabel]],
  ["two constraints must both hold", spreading(byZone(), byHost()), Snapshot.make([node("x1", "x", webs(1)), node("x2", "x"), node("y1", "y", webs(1, "y"))]), [tooMany, "", tooMany]],
  ["a node that lacks one of the labels makes no domain for the others", spreading(byZone(), byZone({ topologyKey: "rack" })),
    Snapshot.make([node("x1", "x", webs(1), { labels: { rack: "1" } }), node("y1", "y")]), ["", noLabel]],
  ["fewer domains than wanted: the measure is 0", spreading(byZone({ minDomains: 4 })), zones(1, 1, 1), [tooMany, tooMany, tooMany]],
  ["as many domains as wanted", spreading(byZone({ minDomains: 3 })), zones(1, 1, 1), ["", "", ""]],
  ["pods of other namespaces do not count", spreading(byZone()), Snapshot.make([node("x1", "x", [web("a", { namespace: "other" })]), node("y1", "y")]), ["", ""]],
  ["pods that are going do not count", spreading(byZone()), Snapshot.make([node("x1", "x", [web("a", { terminating: true })]), node("y1", "y")]), ["", ""]],
  ["an empty selector counts nobody", spreading(byZone({ labelSelector: {} })), zones(5, 0, 0), ["", "", ""]],
  ["no selector counts nobody", web("p", { spec: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: "DoNotSchedule" }] } }), zones(5, 0, 0), ["", "", ""]],
  ["matchLabelKeys", web("p", { labels: { app: "web", version: "2" }, spec: { topologySpreadConstraints: [byZone({ matchLabelKeys: ["version", "absent"] })] } }),
    Snapshot.make([node("x1", "x", webs(3)), node("y1", "y", [web("a", { labels: { app: "web", version: "2" } })])]), ["", tooMany]],
  ["matchLabelKeys that the API server has merged, of a label that is another one by now", web("p", {
    labels: { app: "web", version: "3" },
    spec: {
      topologySpreadConstraints: [byZone({
        labelSelector: { matchLabels: { app: "web" }, matchExpressions: [{ key: "version", operator: "In", values: ["2"] }] },
        matchLabelKeys: ["version"]
      })]
    }
  }), Snapshot.make([node("x1", "x", [web("a", { labels: { app: "web", version: "2" } }), web("b", { labels: { app: "web", version: "2" } })]), node("y1", "y", webs(3))]), [tooMany, ""]],
  ["nodes that the pod does not select make no domain", web("p", { spec: { nodeSelector: { disk: "ssd" }, topologySpreadConstraints: [byZone()] } }),
    Snapshot.make([node("x1", "x", webs(1), { labels: { disk: "ssd" } }), node("y1", "y")]), ["", ""]],
  ["nodeAffinityPolicy Ignore", web("p", { spec: { nodeSelector: { disk: "ssd" }, topologySpreadConstraints: [byZone({ nodeAffinityPolicy: "Ignore" })] } }),
    Snapshot.make([node("x1", "x", webs(1), { labels: { disk: "ssd" } }), node("y1", "y")]), [tooMany, ""]],
  ["tainted nodes make domains", spreading(byZone()), Snapshot.make([node("x1", "x", webs(1)), node("y1", "y", [], { taints: [{ key: "t", effect: "NoSchedule" }] })]), [tooMany, ""]],
  ["nodeTaintsPolicy Honor", spreading(byZone({ nodeTaintsPolicy: "Honor" })), Snapshot.make([node("x1", "x", webs(1)), node("y1", "y", [], { taints: [{ key: "t", effect: "NoSchedule" }] })]), ["", ""]],
  ["nodeTaintsPolicy Honor and a toleration", web("p", { spec: { tolerations: [{ operator: "Exists" }], topologySpreadConstraints: [byZone({ nodeTaintsPolicy: "Honor" })] } }),
    Snapshot.make([node("x1", "x", webs(1)), node("y1", "y", [], { taints: [{ key: "t", effect: "NoSchedule" }] })]), [tooMany, ""]],
  ["no node has the label", spreading(byZone()), Snapshot.make([node("n", undefined)]), [noLabel]]
]

describe("PodTopologySpread filter", () => {
  it.each(filters)("%s", (_, incoming, snapshot, wanted) => assert.deepStrictEqual(filtered(plugin, incoming, snapshot), wanted))
})

describe("PodTopologySpread what-if", () => {
  it("lets the measure rise and fall", () => {
    const question = whatIf(plugin, spreading(byZone()), zones(1, 1, 0))
    assert.deepStrictEqual(question.ask(), [tooMany, tooMany, ""])
    question.add(web("new"), "z1")
    assert.deepStrictEqual(question.ask(), ["", "", ""])
    question.add(web("newer"), "z1")
    assert.deepStrictEqual(question.ask(), ["", "", tooMany])
    question.remove(web("new"), "z1")
    question.remove(web("newer"), "z1")
    assert.deepStrictEqual(question.ask(), [tooMany, tooMany, ""])
  })

  it("counts only pods that count", () => {
    const question = whatIf(plugin, spreading(byZone()), zones(1, 1, 0))
    question.add(pod("other", { labels: { app: "db" } }), "z1")
    question.add(web("elsewhere", { namespace: "other" }), "z1")
    question.add(web("going", { terminating: true }), "z1")
    assert.deepStrictEqual(question.ask(), [tooMany, tooMany, ""])
  })
})

const ofReplicaSet = (name: string, further: Shape = {}): PodInfo.PodInfo =>
  web(name, { owner: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "rs", controller: true }], ...further })

const service: CoreV1.Service = { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "default" }, spec: { selector: { app: "web" } } }
const replicaSet: AppsV1.ReplicaSet = {
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { name: "web", namespace: "default" },
  spec: { selector: { matchLabels: { app: "web" } } }
}
const controlled = (snapshot: Snapshot.Snapshot, what: Partial<Listers.Listers>): Snapshot.Snapshot =>
  Snapshot.make(snapshot.nodes, { listers: { ...Listers.empty, ...what } })
const withReplicaSet = (snapshot: Snapshot.Snapshot) => controlled(snapshot, { replicaSets: Listers.of([replicaSet]) })
const withService = (snapshot: Snapshot.Snapshot) => controlled(snapshot, { services: Listers.of([service]) })

/** As documented: pods × ln(domains + 2) + maxSkew − 1 for each constraint. */
const raw = (...parts: ReadonlyArray<readonly [pods: number, domains: number, maxSkew: number]>): number =>
  Math.round(parts.reduce((sum, [pods, domains, maxSkew]) => sum + pods * Math.log(domains + 2) + maxSkew - 1, 0))

const scores: ReadonlyArray<readonly [string, PodInfo.PodInfo, Snapshot.Snapshot, ReadonlyArray<number> | "skip"]> = [
  ["nothing to spread by", web("p"), zones(1, 0, 0), "skip"],
  ["hard constraints are not scored", spreading(byZone()), zones(1, 0, 0), "skip"],
  ["pods by zone", spreading(soft()), zones(2, 1, 0), [raw([2, 3, 1]), raw([1, 3, 1]), 0]],
  ["pods by node count where they are", spreading(soft({ topologyKey: host })), Snapshot.make([node("x1", "x", webs(2)), node("x2", "x")]), [raw([2, 2, 1]), 0]],
  ["two constraints", spreading(soft(), soft({ topologyKey: host, maxSkew: 3 })), Snapshot.make([node("x1", "x", webs(2)), node("x2", "x"), node("y1", "y")]),
    [raw([2, 2, 1], [2, 3, 3]), raw([2, 2, 1], [0, 3, 3]), raw([0, 2, 1], [0, 3, 3])]],
  ["nodes that are left out make no domain", spreading(soft(), soft({ topologyKey: "rack" })),
    Snapshot.make([node("x1", "x", webs(1), { labels: { rack: "1" } }), node("y1", "y")]), [raw([1, 1, 1], [1, 1, 1]), -1]],
  ["a node without the label is left out", spreading(soft()), Snapshot.make([node("x1", "x", webs(1)), node("n", undefined)]), [raw([1, 1, 1]), -1]],
  ["of a service", web("p"), withService(zones(2, 1, 0)), [raw([2, 3, 3], [2, 3, 5]), raw([1, 3, 3], [1, 3, 5]), raw([0, 3, 3], [0, 3, 5])]],
  ["of a ReplicaSet", ofReplicaSet("p"), withReplicaSet(zones(2, 1, 0)), [raw([2, 3, 3], [2, 3, 5]), raw([1, 3, 3], [1, 3, 5]), raw([0, 3, 3], [0, 3, 5])]],
  ["of a ReplicaSet that is not known", ofReplicaSet("p"), zones(2, 1, 0), "skip"],
  ["of a service of another namespace", web("p", { namespace: "other" }), withService(zones(2, 1, 0)), "skip"],
  ["by default a node without a zone still takes part", web("p"), withService(Snapshot.make([node("x1", "x", webs(1)), node("n", undefined)])),
    [raw([1, 2, 3], [1, 2, 5]), raw([0, 2, 3])]],
  ["own constraints replace the defaults", spreading(byZone({ maxSkew: 5 })), withService(zones(2, 1, 0)), "skip"]
]

describe("PodTopologySpread score", () => {
  it.each(scores)("%s", (_, incoming, snapshot, wanted) => assert.deepStrictEqual(scored(plugin, incoming, snapshot, "raw"), wanted))

  it("makes the fewest pods 100", () => {
    assert.deepStrictEqual(scored(plugin, spreading(soft()), zones(4, 2, 0)), [0, 50, 100])
    assert.deepStrictEqual(scored(plugin, spreading(soft()), zones(0, 0, 0)), [100, 100, 100])
    assert.deepStrictEqual(scored(plugin, spreading(soft()), Snapshot.make([node("x1", "x", webs(1)), node("y1", "y", webs(1, "y")), node("n", undefined)])), [100, 100, 0])
  })
})

describe("PodTopologySpread arguments", () => {
  const list = (...defaultConstraints: ReadonlyArray<unknown>) => configured(PodTopologySpread.factory, { defaultingType: "List", defaultConstraints })

  it("has defaults of its own choice, or none", () => {
    const none = Either.getOrThrow(list())
    assert.strictEqual(scored(none, web("p"), withService(zones(1, 0, 0))), "skip")
    assert.isUndefined(none.uses)
    const hard = Either.getOrThrow(list({ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: "DoNotSchedule" }))
    assert.deepStrictEqual(filtered(hard, web("p"), withService(zones(1, 0, 0))), [tooMany, "", ""])
    assert.deepStrictEqual(filtered(hard, web("p"), zones(1, 0, 0)), "skip")
    assert.deepStrictEqual(filtered(hard, spreading(byZone({ maxSkew: 2 })), withService(zones(1, 0, 0))), ["", "", ""])
    const own = Either.getOrThrow(list({ maxSkew: 2, topologyKey: zone, whenUnsatisfiable: "ScheduleAnyway" }))
    assert.deepStrictEqual(scored(own, web("p"), withService(Snapshot.make([node("x1", "x", webs(1)), node("n", undefined)])), "raw"), [raw([1, 1, 2]), -1])
  })

  it("says what is wrong with them", () => {
    const problem = (args: unknown) => Either.match(configured(PodTopologySpread.factory, args), { onLeft: (error) => error.message, onRight: () => "" })
    const one = { maxSkew: 1, topologyKey: zone, whenUnsatisfiable: "DoNotSchedule" }
    assert.match(problem({ defaultConstraints: [one] }), /defaultConstraints: there are constraints though defaultingType is "System"/)
    assert.match(problem({ defaultingType: "List", defaultConstraints: [one, { ...one, maxSkew: 2 }] }), /defaultConstraints\.1: another constraint has the same/)
    assert.match(problem({ defaultingType: "List", defaultConstraints: [{ ...one, maxSkew: 0 }] }), /defaultConstraints\.0\.maxSkew/)
    assert.match(problem({ defaultingType: "List", defaultConstraints: [{ ...one, labelSelector: {} }] }), /labelSelector/)
  })
})

describe("PodTopologySpread queueing hints", () => {
  const incoming = spreading(byZone())
  const wakes = (change: ClusterEvent.Change): boolean => ClusterEvent.wakes(plugin.requeueOn, incoming, change)
  const db = pod("b", { labels: { app: "db" } })

  it("wakes for pods that count", () => {
    assert.isTrue(wakes({ event: "AssignedPodAdd", old: undefined, next: web("a") }))
    assert.isTrue(wakes({ event: "AssignedPodDelete", old: web("a", { terminating: true }), next: undefined }))
    assert.isFalse(wakes({ event: "AssignedPodAdd", old: undefined, next: db }))
    assert.isFalse(wakes({ event: "AssignedPodDelete", old: web("a", { namespace: "other" }), next: undefined }))
    assert.isTrue(wakes({ event: "AssignedPodUpdateLabels", old: web("a"), next: db }))
    assert.isFalse(wakes({ event: "AssignedPodUpdateLabels", old: web("a"), next: web("a", { labels: { app: "web", more: "x" } }) }))
  })

  it("wakes for nodes that make a difference to the domains", () => {
    const [inX, inY, outside] = [node("n", "x").node, node("n", "y").node, node("n", undefined).node]
    assert.isTrue(wakes({ event: "NodeAdd", old: undefined, next: inX }))
    assert.isFalse(wakes({ event: "NodeAdd", old: undefined, next: outside }))
    assert.isTrue(wakes({ event: "NodeUpdateLabels", old: inX, next: inY }))
    assert.isTrue(wakes({ event: "NodeUpdateLabels", old: outside, next: inY }))
    assert.isFalse(wakes({ event: "NodeUpdateLabels", old: inX, next: node("n", "x", [], { labels: { other: "1" } }).node }))
    assert.isTrue(wakes({ event: "NodeDelete", old: inX, next: undefined }))
    const tainted = NodeInfo.make({ ...inX, spec: { taints: [{ key: "t", effect: "NoSchedule" }] } }).node
    assert.isFalse(wakes({ event: "NodeUpdateTaints", old: tainted, next: inX }))
    const honoring = spreading(byZone({ nodeTaintsPolicy: "Honor" }))
    assert.isTrue(ClusterEvent.wakes(plugin.requeueOn, honoring, { event: "NodeUpdateTaints", old: tainted, next: inX }))
  })
})
