/** The terms of a pod that is to be placed, as counts to ask for. */
import type { Listers } from "../../Listers.js"
import type { PodShape } from "../../PodShape.js"
import * as AffinityTerms from "./affinityTerms.js"
import { domainOf } from "./nodeLabels.js"
import type { PodCounts } from "./podCountsIndex.js"
import * as PodSelection from "./podSelection.js"
import type { Topology, TopologyCounts } from "./topologyCounts.js"

/** Pods of a selection by the domains of a topology. */
export interface Count {
  readonly selection: PodSelection.Selection
  readonly topology: Topology
}

/** A preferred term; the weight is negative for anti-affinity. */
export interface WeightedCount extends Count {
  readonly weight: number
}

/** What to count for a pod. */
export interface AffinityPlan {
  readonly terms: AffinityTerms.AffinityTerms
  /** Pods that all required terms select, once for each topology of these terms. */
  readonly required: ReadonlyArray<Count>
  /** Whether the pod itself is one of them: then it may be the first of its kind. */
  readonly selectsItself: boolean
  readonly requiredAnti: ReadonlyArray<Count>
  readonly preferred: ReadonlyArray<WeightedCount>
}

/** All nodes with the label. */
const topologyOf = (topologyKey: string): Topology => ({
  key: topologyKey,
  topologyKey,
  domainOf: (node) => domainOf(node, topologyKey),
  countsEmpty: false
})

const make = (shape: PodShape, terms: AffinityTerms.AffinityTerms, listers: Listers): AffinityPlan => {
  const countOf = (term: AffinityTerms.AffinityTerm): Count => ({
    selection: PodSelection.make([AffinityTerms.clauseOf(term, listers)], false),
    topology: topologyOf(term.topologyKey)
  })
  const clauses = terms.required.map((term) => AffinityTerms.clauseOf(term, listers))
  const all = PodSelection.make(clauses, false)
  return {
    terms,
    required: [...new Set(terms.required.map(({ topologyKey }) => topologyKey))].map((key) => ({ selection: all, topology: topologyOf(key) })),
    selectsItself: clauses.every((clause) => PodSelection.clauseSelects(clause, shape)),
    requiredAnti: terms.requiredAnti.map(countOf),
    preferred: terms.preferred.map(({ term, weight }) => ({ ...countOf(term), weight }))
  }
}

const memo = new WeakMap<PodShape, AffinityPlan>()

const dependsOnNamespaces = ({ preferred, required, requiredAnti }: AffinityTerms.AffinityTerms): boolean =>
  [...required, ...requiredAnti, ...preferred.map(({ term }) => term)].some(({ namespaceSelector }) => namespaceSelector !== undefined)

/** The plan for pods of a shape. It is kept, unless namespaces and their labels change it. */
export const of = (shape: PodShape, listers: Listers): AffinityPlan => {
  const known = memo.get(shape)
  if (known !== undefined) return known
  const terms = AffinityTerms.of(shape)
  const plan = make(shape, terms, listers)
  if (!dependsOnNamespaces(terms)) memo.set(shape, plan)
  return plan
}

/** The counts as they are now. */
export const counted = (counts: ReadonlyArray<Count>, index: PodCounts): ReadonlyArray<TopologyCounts> =>
  counts.map(({ selection, topology }) => index.byDomain(selection, topology))
