/** Preferred affinity and anti-affinity, both ways, as a score of nodes. */
import type { PodInfo } from "../../PodInfo.js"
import type { NodeScore } from "../../SchedulerPlugin.js"
import type { Snapshot } from "../../Snapshot.js"
import * as AffinityFilter from "./affinityFilter.js"
import * as AffinityPlan from "./affinityPlan.js"
import * as AffinityTerms from "./affinityTerms.js"
import { domainOf } from "./nodeLabels.js"
import * as OwnedTermsIndex from "./ownedTermsIndex.js"
import * as PodCountsIndex from "./podCountsIndex.js"
import type { TopologyCounts } from "./topologyCounts.js"

/** The arguments of the plugin that bear on scores. */
export interface Options {
  /** The weight of a placed pod's required affinity for the pods that it wants near. */
  readonly hardPodAffinityWeight: number
  /** Wishes of placed pods count only for pods that have some themselves. */
  readonly ignorePreferredTermsOfExistingPods: boolean
}

/** What one term is worth in each domain. */
type Part =
  | { readonly _tag: "Counts"; readonly weight: number; readonly counts: TopologyCounts }
  | { readonly _tag: "Sums"; readonly weight: number; readonly sums: ReadonlyMap<string, number> }

interface Parts {
  readonly topologyKey: string
  readonly parts: ReadonlyArray<Part>
}

/** More parts than this are put into one, so that a node costs one look. */
const manyParts = 4

const summed = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> => {
  if (parts.length <= manyParts) return parts
  const sums = new Map<string, number>()
  const add = (weight: number) => (amount: number, domain: string): void => void sums.set(domain, (sums.get(domain) ?? 0) + weight * amount)
  for (const part of parts) {
    if (part._tag === "Counts") part.counts.forEach(add(part.weight))
    else part.sums.forEach(add(part.weight))
  }
  return [{ _tag: "Sums", weight: 1, sums }]
}

const valueOf = (parts: ReadonlyArray<Part>, domain: string): number => {
  let sum = 0
  for (const part of parts) sum += part.weight * (part._tag === "Counts" ? part.counts.in(domain) : part.sums.get(domain) ?? 0)
  return sum
}

const partsOf = (pod: PodInfo, snapshot: Snapshot, options: Options): ReadonlyArray<Parts> => {
  const owned = snapshot.index(OwnedTermsIndex.index)
  const { preferred } = AffinityTerms.of(pod.shape)
  if (preferred.length === 0 && (options.ignorePreferredTermsOfExistingPods || (owned.required.size() === 0 && owned.preferred.size() === 0))) return []
  const plan = AffinityPlan.of(pod.shape, snapshot.listers)
  const byKey = new Map<string, Array<Part>>()
  const add = (topologyKey: string, part: Part): void => {
    const known = byKey.get(topologyKey)
    if (known === undefined) byKey.set(topologyKey, [part])
    else known.push(part)
  }
  for (const { selection, topology, weight } of plan.preferred) {
    const counts = snapshot.index(PodCountsIndex.index).byDomain(selection, topology)
    if (counts.total() > 0) add(topology.topologyKey, { _tag: "Counts", weight, counts })
  }
  const namespaceLabels = AffinityFilter.namespaceLabelsOf(pod, snapshot)
  const addOwned = (terms: OwnedTermsIndex.Terms, weight: number): void => {
    if (weight === 0 || terms.size() === 0) return
    for (const { byDomain, term } of terms.selecting(pod.shape, namespaceLabels)) {
      if (byDomain.size > 0) add(term.topologyKey, { _tag: "Sums", weight, sums: byDomain })
    }
  }
  addOwned(owned.required, options.hardPodAffinityWeight)
  addOwned(owned.preferred, 1)
  return [...byKey].map(([topologyKey, parts]) => ({ topologyKey, parts: summed(parts) }))
}

/** The score for a pod; undefined when all nodes are the same. */
export const make = (pod: PodInfo, snapshot: Snapshot, options: Options): NodeScore | undefined => {
  const all = partsOf(pod, snapshot, options)
  if (all.length === 0) return undefined
  return ({ node }) => {
    let sum = 0
    for (const { parts, topologyKey } of all) {
      const domain = domainOf(node, topologyKey)
      if (domain !== undefined) sum += valueOf(parts, domain)
    }
    return sum
  }
}

/** Brings the lowest to 0 and the highest to 100; all to 0 when they are equal. In place. */
export const normalize = (scores: Float64Array): void => {
  let low = Infinity
  let high = -Infinity
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? 0
    if (score < low) low = score
    if (score > high) high = score
  }
  const range = high - low
  for (let i = 0; i < scores.length; i++) scores[i] = range > 0 ? Math.floor(100 * (((scores[i] ?? 0) - low) / range)) : 0
}
