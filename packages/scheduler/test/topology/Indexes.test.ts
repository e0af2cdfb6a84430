/** The counts kept from pod to pod are those that a walk over everything gives, whatever has come and gone. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as OwnedTermsIndex from "../../src/internal/topology/ownedTermsIndex.js"
import * as AffinityTerms from "../../src/internal/topology/affinityTerms.js"
import * as PodCountsIndex from "../../src/internal/topology/podCountsIndex.js"
import * as PodSelection from "../../src/internal/topology/podSelection.js"
import type { Topology } from "../../src/internal/topology/topologyCounts.js"
import type { NodeInfo, PodInfo, SnapshotIndex } from "../../src/index.js"
import * as topology from "../support/topology.js"

interface World {
  readonly nodes: Map<string, NodeInfo.NodeInfo>
  readonly placed: Map<string, { readonly pod: PodInfo.PodInfo; readonly node: string }>
}

const namespaces = ["default", "other"]
const apps = ["a", "b", undefined]

const term = (app: string, topologyKey: string, selectsAll: boolean) => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
  ...(selectsAll ? { namespaceSelector: {} } : {})
})

const shape = fc.record({
  namespace: fc.constantFrom(...namespaces),
  app: fc.constantFrom(...apps),
  own: fc.boolean(),
  terminating: fc.nat(4).map((n) => n === 0),
  wish: fc.constantFrom("none", "none", "anti", "affinity", "preferred"),
  key: fc.constantFrom(topology.zone, topology.host),
  selectsAll: fc.boolean()
})
type Shape = typeof shape extends fc.Arbitrary<infer A> ? A : never

const podOf = (name: string, { app, key, namespace, own, selectsAll, terminating, wish }: Shape): PodInfo.PodInfo => {
  const one = term(app ?? "a", key, selectsAll)
  const affinity = wish === "anti" ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [one] } }
    : wish === "affinity" ? { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [one] } }
    : wish === "preferred" ? {
      podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 7, podAffinityTerm: one }] },
      podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 3, podAffinityTerm: term("b", key, false) }] }
    }
    : undefined
  return topology.pod(name, {
    namespace,
    terminating,
    labels: { ...(app === undefined ? {} : { app }), ...(own ? { own: name } : {}) },
    ...(affinity === undefined ? {} : { spec: { affinity } })
  })
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ _tag: fc.constant("Place" as const), pod: fc.nat(11), node: fc.nat(4), shape }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Remove" as const), pod: fc.nat(11) }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Node" as const), node: fc.nat(4), zone: fc.constantFrom("x", "y", undefined), tainted: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Drop" as const), node: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Ask" as const), question: fc.nat(30) }) }
)
type Step = typeof step extends fc.Arbitrary<infer A> ? A : never

const apply = (world: World, tell: ReadonlyArray<SnapshotIndex.Maintained<unknown>>, one: Step): void => {
  const remove = (name: string): void => {
    const known = world.placed.get(name)
    const info = known === undefined ? undefined : world.nodes.get(known.node)
    if (known === undefined || info === undefined) return
    world.placed.delete(name)
    for (const index of tell) index.podRemoved(known.pod, info)
  }
  if (one._tag === "Place") {
    const info = world.nodes.get(`n${one.node}`)
    if (info === undefined) return
    // A pod that is there already is relabelled or moved.
    remove(`p${one.pod}`)
    const pod = podOf(`p${one.pod}`, one.shape)
    world.placed.set(`p${one.pod}`, { pod, node: info.name })
    for (const index of tell) index.podAdded(pod, info)
  } else if (one._tag === "Remove") {
    remove(`p${one.pod}`)
  } else if (one._tag === "Node") {
    const name = `n${one.node}`
    const old = world.nodes.get(name)
    const next = topology.node(name, one.zone, [], one.tainted ? { taints: [{ key: "t", effect: "NoSchedule" }] } : {})
    world.nodes.set(name, next)
    for (const index of tell) {
      if (old === undefined) index.nodeAdded(next)
      else index.nodeChanged(old, next)
    }
  } else if (one._tag === "Drop") {
    const old = world.nodes.get(`n${one.node}`)
    if (old === undefined) return
    for (const [name, { node }] of world.placed) if (node === old.name) remove(name)
    world.nodes.delete(old.name)
    for (const index of tell) index.nodeRemoved(old)
  }
}

const selections = namespaces.flatMap((namespace) =>
  ["a", "b"].flatMap((app) => [true, false].map((withoutTerminating) =>
    PodSelection.make(
      [{ namespaces: namespace === "other" ? undefined : new Set([namespace]), selector: PodSelection.selectorOf({ matchLabels: { app } }) }],
      withoutTerminating
    )
  ))
)

const untainted: Topology = {
  key: "untainted",
  topologyKey: topology.zone,
  countsEmpty: true,
  domainOf: ({ metadata, spec }) => (spec?.taints ?? []).length > 0 ? undefined : metadata.labels?.[topology.zone]
}
const topologies: ReadonlyArray<Topology> = [
  untainted,
  ...[topology.zone, topology.host].flatMap((topologyKey) => [true, false].map((countsEmpty): Topology => ({
    key: `${topologyKey} ${countsEmpty}`,
    topologyKey,
    countsEmpty,
    domainOf: ({ metadata }) => metadata.labels?.[topologyKey]
  })))
]

const check = (world: World, counts: PodCountsIndex.PodCounts, question: number): void => {
  const selection = selections[question % selections.length]
  const one = topologies[question % topologies.length]
  if (selection === undefined || one === undefined) return
  const wanted = new Map<string, number>()
  const byNode = new Map<string, number>()
  for (const { node } of world.nodes.values()) {
    const domain = one.domainOf(node)
    if (domain !== undefined && one.countsEmpty) wanted.set(domain, 0)
  }
  for (const { node, pod } of world.placed.values()) {
    const info = world.nodes.get(node)
    if (info === undefined || !PodSelection.selects(selection, pod.shape, pod.pod.metadata.deletionTimestamp !== undefined)) continue
    byNode.set(node, (byNode.get(node) ?? 0) + 1)
    const domain = one.domainOf(info.node)
    if (domain !== undefined) wanted.set(domain, (wanted.get(domain) ?? 0) + 1)
  }
  const given = counts.byDomain(selection, one)
  assert.deepStrictEqual(Object.fromEntries(counts.byNode(selection)), Object.fromEntries(byNode))
  const seen: Record<string, number> = {}
  given.forEach((pods, domain) => void (seen[domain] = pods))
  assert.deepStrictEqual(seen, Object.fromEntries(wanted))
  assert.strictEqual(given.domains(), wanted.size)
  assert.strictEqual(given.total(), [...wanted.values()].reduce((sum, each) => sum + each, 0))
  assert.strictEqual(given.minimum(new Map()), wanted.size === 0 ? 0 : Math.min(...wanted.values()))
  const deltas = new Map([["x", 2], ["n1", -1], ["nowhere", 5]])
  const changed = [...wanted].map(([domain, pods]) => pods + (deltas.get(domain) ?? 0))
  assert.strictEqual(given.minimum(deltas), changed.length === 0 ? 0 : Math.min(...changed))
}

const checkOwned = (world: World, owned: OwnedTermsIndex.OwnedTerms, incoming: PodInfo.PodInfo): void => {
  const kinds = { requiredAnti: owned.requiredAnti, required: owned.required, preferred: owned.preferred }
  for (const [kind, terms] of Object.entries(kinds)) {
    const wanted: Record<string, number> = {}
    for (const { node, pod } of world.placed.values()) {
      const all = AffinityTerms.of(pod.shape)
      const own = kind === "requiredAnti" ? all.requiredAnti.map((each) => ({ term: each, weight: 1 }))
        : kind === "required" ? all.required.map((each) => ({ term: each, weight: 1 }))
        : all.preferred
      for (const { term: one, weight } of own) {
        const domain = world.nodes.get(node)?.node.metadata.labels?.[one.topologyKey]
        if (domain === undefined || !AffinityTerms.selects(one, incoming.shape, undefined)) continue
        wanted[`${one.topologyKey} ${domain}`] = (wanted[`${one.topologyKey} ${domain}`] ?? 0) + weight
      }
    }
    const seen: Record<string, number> = {}
    for (const { byDomain, term: one } of terms.selecting(incoming.shape, undefined)) {
      for (const [domain, sum] of byDomain) seen[`${one.topologyKey} ${domain}`] = (seen[`${one.topologyKey} ${domain}`] ?? 0) + sum
    }
    const nonZero = (sums: Record<string, number>) => Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0))
    assert.deepStrictEqual(nonZero(seen), nonZero(wanted), kind)
  }
}

const asking = fc.record({ namespace: fc.constantFrom(...namespaces), labels: fc.constantFrom({ app: "a" }, { app: "b" }, { own: "p1" }, {}) })

describe("indexes of placed pods", () => {
  for (const [what, capacity] of [["room for all", 1e6], ["room for two counts", 1]] as const) {
    it(`count as a walk over all pods does, with ${what}`, () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 5, maxLength: 60, size: "max" }), asking, (steps, who) => {
          const world: World = { nodes: new Map(), placed: new Map() }
          const counts = PodCountsIndex.make(capacity, 2)
          const owned = OwnedTermsIndex.make()
          for (const one of steps) {
            if (one._tag === "Ask") check(world, counts.view, one.question)
            else apply(world, [counts, owned], one)
          }
          for (let question = 0; question < 40; question++) check(world, counts.view, question)
          checkOwned(world, owned.view, topology.pod("asking", who))
          for (const name of world.nodes.keys()) apply(world, [counts, owned], { _tag: "Drop", node: Number(name.slice(1)) })
          for (const each of [owned.view.requiredAnti, owned.view.required, owned.view.preferred]) assert.strictEqual(each.size(), 0)
        }),
        { numRuns: 300 }
      )
    })
  }

  it("forgets counts that nobody asks for, and keeps a few whatever they cost", () => {
    const { nodeAdded, view } = PodCountsIndex.make(2000)
    nodeAdded(topology.node("n1", "x"))
    for (let i = 0; i < 100; i++) {
      view.byNode(PodSelection.make([{ namespaces: new Set(["default"]), selector: PodSelection.selectorOf({ matchLabels: { app: `${i}` } }) }], true))
    }
    assert.isAtMost(view.kept(), 20)
    assert.isAtLeast(view.kept(), 16)
  })

  it("does not hold on to pods that are gone", () => {
    const index = PodCountsIndex.make(2000, 1)
    const info = topology.node("n1", "x")
    index.nodeAdded(info)
    const byApp = (app: string) => index.view.byNode(PodSelection.make([{ namespaces: undefined, selector: PodSelection.selectorOf({ matchLabels: { app } }) }], true))
    byApp("a")
    for (let i = 0; i < 3000; i++) {
      const pod = topology.pod(`p${i}`, { labels: { app: "a", own: `${i}` } })
      index.podAdded(pod, info)
      index.podRemoved(pod, info)
    }
    byApp("b")
    assert.strictEqual(index.view.kept(), 2)
  })
})
