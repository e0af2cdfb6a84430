import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { Either } from "effect"
import { ClusterEvent, InterPodAffinity, NodeInfo, type PodInfo, Snapshot } from "../../src/index.js"
import { configured, filtered, host, namespaces, node, pod, scored, type Shape, whatIf, zone } from "../support/topology.js"

const { plugin } = InterPodAffinity

type Term = CoreV1.PodAffinityTerm

const app = (name: string, topologyKey = zone, further: Partial<Term> = {}): Term => ({ labelSelector: { matchLabels: { app: name } }, topologyKey, ...further })
const near = (...terms: ReadonlyArray<Term>): Partial<CoreV1.PodSpec> => ({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } })
const away = (...terms: ReadonlyArray<Term>): Partial<CoreV1.PodSpec> => ({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } })
const like = (weight: number, term: Term): Partial<CoreV1.PodSpec> => ({
  affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term }] } }
})
const dislike = (weight: number, term: Term): Partial<CoreV1.PodSpec> => ({
  affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term }] } }
})

const noAffinity = "!node(s) didn't match pod affinity rules"
const noAnti = "node(s) didn't match pod anti-affinity rules"
const noExisting = "node(s) didn't satisfy existing pods anti-affinity rules"

const web = (name: string, further: Shape = {}) => pod(name, { labels: { app: "web" }, ...further })

/** Two nodes in zone x, of which the first has the pods, one in zone y, one in none. */
const cluster = (...pods: ReadonlyArray<PodInfo.PodInfo>) =>
  Snapshot.make([node("x1", "x", pods), node("x2", "x"), node("y1", "y"), node("n1", undefined)], {
    listers: namespaces({ default: {}, blue: { team: "blue" }, red: { team: "red" } })
  })

const filters: ReadonlyArray<readonly [string, PodInfo.PodInfo, Snapshot.Snapshot, ReadonlyArray<string> | "skip"]> = [
  ["nothing is asked for a pod without terms where nobody has any", web("p"), cluster(web("a")), "skip"],
  ["affinity: only the domain of the other pod will do", pod("p", { spec: near(app("web")) }), cluster(web("a")), ["", "", noAffinity, noAffinity]],
  ["affinity by node", pod("p", { spec: near(app("web", host)) }), cluster(web("a")), ["", noAffinity, noAffinity, noAffinity]],
  ["affinity: nobody is there to be near", pod("p", { spec: near(app("web")) }), cluster(), Array.from({ length: 4 }, () => noAffinity)],
  ["affinity: the first of its kind may go anywhere with the label", web("p", { spec: near(app("web")) }), cluster(), ["", "", "", noAffinity]],
  ["affinity: the second of its kind must follow", web("p", { spec: near(app("web")) }), cluster(web("a")), ["", "", noAffinity, noAffinity]],
  ["affinity: the first of a kind that is of two labels, one of them elsewhere",
    pod("p", { labels: { app: "web", tier: "front" }, spec: near(app("web"), { labelSelector: { matchLabels: { tier: "front" } }, topologyKey: host }) }),
    cluster(web("a")), ["", "", "", noAffinity]],
  ["affinity: a pod that only some of its terms select is not the first of its kind",
    web("p", { spec: near(app("web"), { labelSelector: { matchLabels: { tier: "front" } }, topologyKey: zone }) }), cluster(), Array.from({ length: 4 }, () => noAffinity)],
  ["affinity: one pod must match all terms", pod("p", { spec: near(app("web"), { labelSelector: { matchLabels: { tier: "front" } }, topologyKey: zone }) }),
    cluster(web("a"), pod("b", { labels: { tier: "front" } })), Array.from({ length: 4 }, () => noAffinity)],
  ["affinity: of two topologies both must hold", pod("p", { spec: near(app("web"), app("web", host)) }), cluster(web("a")), ["", noAffinity, noAffinity, noAffinity]],
  ["affinity: pods of other namespaces do not count", pod("p", { spec: near(app("web")) }), cluster(web("a", { namespace: "blue" })), Array.from({ length: 4 }, () => noAffinity)],
  ["affinity: named namespaces", pod("p", { spec: near(app("web", zone, { namespaces: ["blue"] })) }), cluster(web("a", { namespace: "blue" })), ["", "", noAffinity, noAffinity]],
  ["affinity: named namespaces do not include the own one", pod("p", { spec: near(app("web", zone, { namespaces: ["blue"] })) }), cluster(web("a")), Array.from({ length: 4 }, () => noAffinity)],
  ["affinity: selected namespaces", pod("p", { spec: near(app("web", zone, { namespaceSelector: { matchLabels: { team: "blue" } } })) }), cluster(web("a", { namespace: "blue" })),
    ["", "", noAffinity, noAffinity]],
  ["affinity: selected namespaces are not all", pod("p", { spec: near(app("web", zone, { namespaceSelector: { matchLabels: { team: "blue" } } })) }), cluster(web("a", { namespace: "red" })),
    Array.from({ length: 4 }, () => noAffinity)],
  ["affinity: named and selected namespaces are added", pod("p", { spec: near(app("web", zone, { namespaces: ["red"], namespaceSelector: { matchLabels: { team: "blue" } } })) }),
    cluster(web("a", { namespace: "red" })), ["", "", noAffinity, noAffinity]],
  ["affinity: an empty selector of namespaces is all of them", pod("p", { spec: near(app("web", zone, { namespaceSelector: {} })) }), cluster(web("a", { namespace: "unheard-of" })),
    ["", "", noAffinity, noAffinity]],
  ["affinity: no selector selects nobody", pod("p", { spec: near({ topologyKey: zone }) }), cluster(web("a")), Array.from({ length: 4 }, () => noAffinity)],
  ["affinity: an empty selector selects everybody", pod("p", { spec: near({ topologyKey: zone, labelSelector: {} }) }), cluster(pod("a")), ["", "", noAffinity, noAffinity]],
  ["affinity: a pod that is going still counts", pod("p", { spec: near(app("web")) }), cluster(web("a", { terminating: true })), ["", "", noAffinity, noAffinity]],
  ["affinity: matchLabelKeys", pod("p", { labels: { version: "2" }, spec: near(app("web", zone, { matchLabelKeys: ["version", "absent"] })) }),
    cluster(pod("a", { labels: { app: "web", version: "1" } })), Array.from({ length: 4 }, () => noAffinity)],
  ["affinity: matchLabelKeys of the same value", pod("p", { labels: { version: "2" }, spec: near(app("web", zone, { matchLabelKeys: ["version"] })) }),
    cluster(pod("a", { labels: { app: "web", version: "2" } })), ["", "", noAffinity, noAffinity]],
  ["affinity: what the API server has merged counts, whatever the label is by now", pod("p", {
    labels: { version: "3" },
    spec: near(app("web", zone, {
      labelSelector: { matchLabels: { app: "web" }, matchExpressions: [{ key: "version", operator: "In", values: ["2"] }] },
      matchLabelKeys: ["version"]
    }))
  }), cluster(pod("a", { labels: { app: "web", version: "2" } })), ["", "", noAffinity, noAffinity]],
  ["anti-affinity: not in the domain of the other pod", pod("p", { spec: away(app("web")) }), cluster(web("a")), [noAnti, noAnti, "", ""]],
  ["anti-affinity by node", pod("p", { spec: away(app("web", host)) }), cluster(web("a")), [noAnti, "", "", ""]],
  ["anti-affinity: each term by itself", pod("p", { spec: away(app("db", host), app("web")) }), cluster(web("a")), [noAnti, noAnti, "", ""]],
  ["anti-affinity: mismatchLabelKeys spares pods of the same value", pod("p", { labels: { tenant: "1" }, spec: away({ labelSelector: {}, topologyKey: zone, mismatchLabelKeys: ["tenant"] }) }),
    cluster(pod("a", { labels: { tenant: "1" } })), ["", "", "", ""]],
  ["anti-affinity: mismatchLabelKeys keeps out of other values' domains", pod("p", { labels: { tenant: "1" }, spec: away({ labelSelector: {}, topologyKey: zone, mismatchLabelKeys: ["tenant"] }) }),
    cluster(pod("a", { labels: { tenant: "2" } })), [noAnti, noAnti, "", ""]],
  ["affinity is blamed before anti-affinity", pod("p", { spec: { affinity: { ...near(app("db")).affinity, ...away(app("web")).affinity } } }), cluster(web("a")), Array.from({ length: 4 }, () => noAffinity)],
  ["placed pods keep others away", web("p"), cluster(pod("a", { spec: away(app("web")) })), [noExisting, noExisting, "", ""]],
  ["placed pods keep others away from one node", web("p"), cluster(pod("a", { spec: away(app("web", host)) })), [noExisting, "", "", ""]],
  ["placed pods of other namespaces keep nobody away here", web("p"), cluster(pod("a", { namespace: "blue", spec: away(app("web")) })), "skip"],
  ["placed pods keep pods of selected namespaces away", web("p", { namespace: "blue" }),
    cluster(pod("a", { spec: away(app("web", zone, { namespaceSelector: { matchLabels: { team: "blue" } } })) })), [noExisting, noExisting, "", ""]],
  ["placed pods keep pods of all namespaces away", web("p", { namespace: "unheard-of" }), cluster(pod("a", { spec: away(app("web", zone, { namespaceSelector: {} })) })), [noExisting, noExisting, "", ""]],
  ["placed pods keep pods of named and of selected namespaces away", web("p", { namespace: "blue" }),
    cluster(pod("a", { spec: away(app("web", zone, { namespaces: ["red"], namespaceSelector: { matchLabels: { team: "blue" } } })) })), [noExisting, noExisting, "", ""]],
  ["placed pods without a matching term do not matter", pod("p", { labels: { app: "db" } }), cluster(pod("a", { spec: away(app("web")) })), "skip"],
  ["placed pods' selectors without a plain label", web("p"),
    cluster(pod("a", { spec: away({ labelSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["db"] }] }, topologyKey: zone }) })), [noExisting, noExisting, "", ""]],
  ["placed pods' required affinity keeps nobody away", web("p"), cluster(pod("a", { spec: near(app("web")) })), "skip"]
]

describe("InterPodAffinity filter", () => {
  it.each(filters)("%s", (_, incoming, snapshot, wanted) => assert.deepStrictEqual(filtered(plugin, incoming, snapshot), wanted))

  it("sums up many terms that keep a pod away", () => {
    const owners = Array.from({ length: 7 }, (_, i) =>
      pod(`a${i}`, { spec: away({ labelSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["web", `${i}`] }] }, topologyKey: zone }) }))
    assert.deepStrictEqual(filtered(plugin, web("p"), cluster(...owners)), [noExisting, noExisting, "", ""])
  })
})

describe("InterPodAffinity what-if", () => {
  it("frees a domain when the last pod leaves it", () => {
    const [a, b] = [web("a"), web("b")]
    const question = whatIf(plugin, pod("p", { spec: away(app("web")) }), cluster(a, b))
    question.remove(a, "x1")
    assert.deepStrictEqual(question.ask(), [noAnti, noAnti, "", ""])
    question.remove(b, "x1")
    assert.deepStrictEqual(question.ask(), ["", "", "", ""])
    question.add(b, "y1")
    assert.deepStrictEqual(question.ask(), ["", "", noAnti, ""])
  })

  it("counts pods for affinity, and sees when the pod becomes the first of its kind", () => {
    const a = web("a")
    const question = whatIf(plugin, web("p", { spec: near(app("web")) }), cluster(a))
    question.add(web("b"), "y1")
    assert.deepStrictEqual(question.ask(), ["", "", "", noAffinity])
    question.remove(a, "x1")
    assert.deepStrictEqual(question.ask(), [noAffinity, noAffinity, "", noAffinity])
    question.remove(web("b"), "y1")
    assert.deepStrictEqual(question.ask(), ["", "", "", noAffinity])
  })

  it("counts the anti-affinity of pods that come and go", () => {
    const a = pod("a", { spec: away(app("web")) })
    const question = whatIf(plugin, web("p"), cluster(a))
    question.remove(a, "x1")
    assert.deepStrictEqual(question.ask(), ["", "", "", ""])
    question.add(pod("b", { spec: away(app("web", host)) }), "y1")
    assert.deepStrictEqual(question.ask(), ["", "", noExisting, ""])
  })

  it("does not touch the counts, and each question is its own", () => {
    const a = web("a")
    const incoming = pod("p", { spec: away(app("web")) })
    const snapshot = cluster(a)
    whatIf(plugin, incoming, snapshot).remove(a, "x1")
    assert.deepStrictEqual(whatIf(plugin, incoming, snapshot).ask(), [noAnti, noAnti, "", ""])
    assert.deepStrictEqual(filtered(plugin, incoming, snapshot), [noAnti, noAnti, "", ""])
  })

  it("asks about nominated pods' anti-affinity where nothing placed has any", () => {
    const nominated = pod("nominated", { spec: away(app("web", host)) })
    const { nodes } = cluster()
    const snapshot = Snapshot.make(nodes, { nominated: new Map([["x1", [nominated]]]) })
    const question = whatIf(plugin, web("p"), snapshot)
    question.add(nominated, "x1")
    assert.deepStrictEqual(question.ask(), [noExisting, "", "", ""])
  })
})

const make = (args: unknown) => configured(InterPodAffinity.factory, args)

const scores: ReadonlyArray<readonly [string, PodInfo.PodInfo, Snapshot.Snapshot, ReadonlyArray<number> | "skip"]> = [
  ["nobody wishes anything", web("p"), cluster(web("a")), "skip"],
  ["wishes for nobody", pod("p", { spec: like(10, app("web")) }), cluster(), "skip"],
  ["the weight for each pod in the domain", pod("p", { spec: like(10, app("web")) }), cluster(web("a"), web("b")), [20, 20, 0, 0]],
  ["less for those to keep away from", pod("p", { spec: dislike(10, app("web")) }), cluster(web("a")), [-10, -10, 0, 0]],
  ["terms are added up", pod("p", { spec: { affinity: { ...like(10, app("web")).affinity, ...dislike(3, app("web", host)).affinity } } }), cluster(web("a")), [7, 10, 0, 0]],
  ["placed pods like this one", web("p"), cluster(pod("a", { spec: like(10, app("web")) })), [10, 10, 0, 0]],
  ["placed pods dislike this one", web("p"), cluster(pod("a", { spec: dislike(10, app("web")) })), [-10, -10, 0, 0]],
  ["placed pods that require this one near count a little", web("p"), cluster(pod("a", { spec: near(app("web")) })), [1, 1, 0, 0]],
  ["placed pods of another namespace", web("p"), cluster(pod("a", { namespace: "blue", spec: like(10, app("web")) })), "skip"],
  ["placed pods that select this namespace", web("p", { namespace: "blue" }),
    cluster(pod("a", { spec: like(10, app("web", zone, { namespaceSelector: { matchLabels: { team: "blue" } } })) })), [10, 10, 0, 0]],
  ["both ways", web("p", { spec: like(10, app("web")) }), cluster(web("a", { spec: like(5, app("web", host)) })), [15, 10, 0, 0]]
]

describe("InterPodAffinity score", () => {
  it.each(scores)("%s", (_, incoming, snapshot, wanted) => assert.deepStrictEqual(scored(plugin, incoming, snapshot, "raw"), wanted))

  it("brings the lowest to 0 and the highest to 100", () => {
    const spread = Snapshot.make([node("x1", "x", [web("a"), web("b"), web("c")]), node("y1", "y", [web("d")]), node("z1", "z")])
    assert.deepStrictEqual(scored(plugin, pod("p", { spec: like(2, app("web")) }), spread), [100, 33, 0])
    assert.deepStrictEqual(scored(plugin, pod("p", { spec: dislike(2, app("web")) }), spread), [0, 66, 100])
    const even = Snapshot.make([node("x1", "x", [web("a")]), node("x2", "x")])
    assert.deepStrictEqual(scored(plugin, pod("p", { spec: like(2, app("web")) }), even), [0, 0])
  })

  it("sums up many wishes", () => {
    const owners = Array.from({ length: 7 }, (_, i) =>
      pod(`a${i}`, { spec: like(1, { labelSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["web", `${i}`] }] }, topologyKey: zone }) }))
    assert.deepStrictEqual(scored(plugin, web("p", { spec: like(10, app("absent")) }), cluster(...owners), "raw"), [7, 7, 0, 0])
  })

  it("takes its arguments", () => {
    const heavy = Either.getOrThrow(make({ hardPodAffinityWeight: 50 }))
    assert.deepStrictEqual(scored(heavy, web("p"), cluster(pod("a", { spec: near(app("web")) })), "raw"), [50, 50, 0, 0])
    const none = Either.getOrThrow(make({ hardPodAffinityWeight: 0 }))
    assert.strictEqual(scored(none, web("p"), cluster(pod("a", { spec: near(app("web")) }))), "skip")
    const ignoring = Either.getOrThrow(make({ ignorePreferredTermsOfExistingPods: true }))
    const liked = cluster(web("a", { spec: like(5, app("web")) }))
    assert.strictEqual(scored(ignoring, web("p"), liked), "skip")
    assert.deepStrictEqual(scored(ignoring, web("p", { spec: like(1, app("web")) }), liked, "raw"), [6, 6, 0, 0])
    assert.match(String(Either.getLeft(make({ hardPodAffinityWeight: 101 }))), /hardPodAffinityWeight/)
  })
})

const wakes = (incoming: PodInfo.PodInfo, change: ClusterEvent.Change): boolean => ClusterEvent.wakes(plugin.requeueOn, incoming, change)

describe("InterPodAffinity queueing hints", () => {
  const lonely = pod("p", { spec: near(app("web")) })
  const shy = pod("p", { spec: away(app("web")) })
  const db = pod("b", { labels: { app: "db" } })

  it("wakes for pods that come only when they are wanted near", () => {
    assert.isTrue(wakes(lonely, { event: "AssignedPodAdd", old: undefined, next: web("a") }))
    assert.isFalse(wakes(lonely, { event: "AssignedPodAdd", old: undefined, next: db }))
    assert.isFalse(wakes(shy, { event: "AssignedPodAdd", old: undefined, next: web("a") }))
  })

  it("wakes for pods that leave only when they were in the way", () => {
    assert.isTrue(wakes(shy, { event: "AssignedPodDelete", old: web("a"), next: undefined }))
    assert.isFalse(wakes(shy, { event: "AssignedPodDelete", old: db, next: undefined }))
    assert.isTrue(wakes(web("p"), { event: "AssignedPodDelete", old: pod("a", { spec: away(app("web")) }), next: undefined }))
    assert.isFalse(wakes(lonely, { event: "AssignedPodDelete", old: web("a"), next: undefined }))
  })

  it("wakes for new labels that make the difference", () => {
    assert.isTrue(wakes(lonely, { event: "AssignedPodUpdateLabels", old: db, next: web("b") }))
    assert.isFalse(wakes(lonely, { event: "AssignedPodUpdateLabels", old: web("b"), next: db }))
    assert.isTrue(wakes(shy, { event: "AssignedPodUpdateLabels", old: web("b"), next: db }))
    assert.isTrue(wakes(lonely, { event: "PodUpdateLabels", old: lonely, next: web("p") }))
  })

  it("wakes for nodes with the label that the affinity needs", () => {
    assert.isTrue(wakes(lonely, { event: "NodeAdd", old: undefined, next: node("n", "x").node }))
    assert.isFalse(wakes(lonely, { event: "NodeAdd", old: undefined, next: node("n", undefined).node }))
    assert.isTrue(wakes(shy, { event: "NodeAdd", old: undefined, next: node("n", undefined).node }))
  })

  it("wakes for namespaces when they are selected, or hold the pod", () => {
    const blue: CoreV1.Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "blue", labels: { team: "blue" } } }
    assert.isFalse(wakes(lonely, { event: "NamespaceUpdateLabels", old: blue, next: blue }))
    assert.isTrue(wakes(web("p", { namespace: "blue" }), { event: "NamespaceUpdateLabels", old: blue, next: blue }))
    const selecting = pod("p", { spec: near(app("web", zone, { namespaceSelector: { matchLabels: { team: "blue" } } })) })
    assert.isTrue(wakes(selecting, { event: "NamespaceAdd", old: undefined, next: blue }))
  })
})

describe("InterPodAffinity over a node whose labels change", () => {
  it("follows the labels", () => {
    const incoming = pod("p", { spec: away(app("web")) })
    const moved = Snapshot.make([NodeInfo.withNode(node("x1", "x", [web("a")]), node("x1", "y").node), node("x2", "x")])
    assert.deepStrictEqual(filtered(plugin, incoming, moved), [noAnti, ""])
  })
})
