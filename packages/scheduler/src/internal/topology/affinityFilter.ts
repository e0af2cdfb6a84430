/** Required affinity and anti-affinity, both ways, as one test of nodes; and the same with pods that come and go. */
import type { NodeInfo } from "../../NodeInfo.js"
import type { PodInfo } from "../../PodInfo.js"
import * as Rejection from "../../Rejection.js"
import type { NodeTest, WhatIf } from "../../SchedulerPlugin.js"
import type { Snapshot } from "../../Snapshot.js"
import * as AffinityPlan from "./affinityPlan.js"
import * as AffinityTerms from "./affinityTerms.js"
import { domainOf } from "./nodeLabels.js"
import * as OwnedTermsIndex from "./ownedTermsIndex.js"
import * as PodCountsIndex from "./podCountsIndex.js"
import * as PodSelection from "./podSelection.js"
import type { Deltas, TopologyCounts } from "./topologyCounts.js"

const affinity = Rejection.unresolvable("node(s) didn't match pod affinity rules")
const antiAffinity = Rejection.unschedulable("node(s) didn't match pod anti-affinity rules")
const existing = Rejection.unschedulable("node(s) didn't satisfy existing pods anti-affinity rules")

/** Domains that pods with anti-affinity keep this pod out of. */
interface Forbidden {
  readonly topologyKey: string
  readonly owners: ReadonlyArray<ReadonlyMap<string, number>>
}

interface State {
  readonly pod: PodInfo
  readonly plan: AffinityPlan.AffinityPlan
  readonly required: ReadonlyArray<TopologyCounts>
  readonly requiredAnti: ReadonlyArray<TopologyCounts>
  readonly forbidden: ReadonlyArray<Forbidden>
  readonly namespaceLabels: PodSelection.Labels | undefined
}

/** What a what-if question changes, parallel to the counts of the state; `forbidden` by topology. */
interface Changes {
  readonly required: ReadonlyArray<Deltas>
  readonly requiredAnti: ReadonlyArray<Deltas>
  readonly forbidden: Map<string, Deltas>
}

const bump = (deltas: Deltas, domain: string, by: number): void => void deltas.set(domain, (deltas.get(domain) ?? 0) + by)

/** More maps than this are put into one, so that a node costs one look. */
const manyOwners = 4

const summed = (owners: ReadonlyArray<ReadonlyMap<string, number>>): ReadonlyArray<ReadonlyMap<string, number>> => {
  if (owners.length <= manyOwners) return owners
  const sum: Deltas = new Map()
  for (const byDomain of owners) for (const [domain, count] of byDomain) bump(sum, domain, count)
  return [sum]
}

const forbiddenFor = (terms: ReadonlyArray<OwnedTermsIndex.OwnedTerm>): ReadonlyArray<Forbidden> => {
  const byKey = new Map<string, Array<ReadonlyMap<string, number>>>()
  for (const { byDomain, term } of terms) {
    if (byDomain.size === 0) continue
    const known = byKey.get(term.topologyKey)
    if (known === undefined) byKey.set(term.topologyKey, [byDomain])
    else known.push(byDomain)
  }
  return [...byKey].map(([topologyKey, owners]) => ({ topologyKey, owners: summed(owners) }))
}

const sum = (deltas: Deltas | undefined): number => {
  let total = 0
  for (const delta of deltas?.values() ?? []) total += delta
  return total
}

const isFirstOfItsKind = ({ plan, required }: State, changes: Changes | undefined): boolean =>
  plan.selectsItself && required.every((counts, i) => counts.total() + sum(changes?.required[i]) <= 0)

const affinityFails = (state: State, { node }: NodeInfo, changes: Changes | undefined): boolean => {
  const { required } = state
  let missing = false
  for (let i = 0; i < required.length; i++) {
    const counts = required[i]
    if (counts === undefined) continue
    const domain = domainOf(node, counts.topology.topologyKey)
    if (domain === undefined) return true
    if (counts.in(domain) + (changes?.required[i]?.get(domain) ?? 0) <= 0) missing = true
  }
  return missing && !isFirstOfItsKind(state, changes)
}

const antiAffinityFails = ({ requiredAnti }: State, { node }: NodeInfo, changes: Changes | undefined): boolean => {
  for (let i = 0; i < requiredAnti.length; i++) {
    const counts = requiredAnti[i]
    if (counts === undefined) continue
    const domain = domainOf(node, counts.topology.topologyKey)
    if (domain !== undefined && counts.in(domain) + (changes?.requiredAnti[i]?.get(domain) ?? 0) > 0) return true
  }
  return false
}

const ownersIn = (owners: ReadonlyArray<ReadonlyMap<string, number>>, domain: string): number => {
  let count = 0
  for (const byDomain of owners) count += byDomain.get(domain) ?? 0
  return count
}

const existingFails = ({ forbidden }: State, { node }: NodeInfo, changes: Changes | undefined): boolean => {
  for (const { owners, topologyKey } of forbidden) {
    const domain = domainOf(node, topologyKey)
    if (domain !== undefined && ownersIn(owners, domain) + (changes?.forbidden.get(topologyKey)?.get(domain) ?? 0) > 0) return true
  }
  if (changes === undefined) return false
  // Pods of the question may be the only ones with a topology.
  for (const [topologyKey, deltas] of changes.forbidden) {
    if (forbidden.some((each) => each.topologyKey === topologyKey)) continue
    const domain = domainOf(node, topologyKey)
    if (domain !== undefined && (deltas.get(domain) ?? 0) > 0) return true
  }
  return false
}

const testWith = (state: State, changes: Changes | undefined): NodeTest => (node) => {
  if (affinityFails(state, node, changes)) return affinity
  if (antiAffinityFails(state, node, changes)) return antiAffinity
  return existingFails(state, node, changes) ? existing : undefined
}

const change = (state: State, changes: Changes, other: PodInfo, { node }: NodeInfo, by: 1 | -1): void => {
  const { plan } = state
  const terminating = other.pod.metadata.deletionTimestamp !== undefined
  const count = (counts: ReadonlyArray<AffinityPlan.Count>, deltas: ReadonlyArray<Deltas>): void => {
    for (const [i, { selection, topology }] of counts.entries()) {
      const domain = topology.domainOf(node)
      const known = deltas[i]
      if (domain !== undefined && known !== undefined && PodSelection.selects(selection, other.shape, terminating)) bump(known, domain, by)
    }
  }
  count(plan.required, changes.required)
  count(plan.requiredAnti, changes.requiredAnti)
  for (const term of AffinityTerms.of(other.shape).requiredAnti) {
    const domain = domainOf(node, term.topologyKey)
    if (domain === undefined || !AffinityTerms.selects(term, state.pod.shape, state.namespaceLabels)) continue
    const known = changes.forbidden.get(term.topologyKey)
    if (known === undefined) changes.forbidden.set(term.topologyKey, new Map([[domain, by]]))
    else bump(known, domain, by)
  }
}

const whatIf = (state: State): WhatIf => {
  const changes: Changes = {
    required: state.required.map(() => new Map()),
    requiredAnti: state.requiredAnti.map(() => new Map()),
    forbidden: new Map()
  }
  return {
    addPod: (pod, node) => change(state, changes, pod, node, 1),
    removePod: (pod, node) => change(state, changes, pod, node, -1),
    test: testWith(state, changes)
  }
}

/** Nominated pods count as placed on their nodes, so their anti-affinity may matter where nothing placed has any. */
const nominatedSelect = ({ nominated }: Snapshot, pod: PodInfo, namespaceLabels: PodSelection.Labels | undefined): boolean => {
  // A crowd that waits for room has one shape.
  let asked: PodInfo["shape"] | undefined
  for (const pods of nominated.values()) {
    for (const { shape } of pods) {
      if (shape === asked) continue
      asked = shape
      for (const term of AffinityTerms.of(shape).requiredAnti) if (AffinityTerms.selects(term, pod.shape, namespaceLabels)) return true
    }
  }
  return false
}

/** The labels of the pod's namespace. */
export const namespaceLabelsOf = (pod: PodInfo, { listers }: Snapshot): PodSelection.Labels | undefined =>
  listers.namespaces.get(pod.shape.namespace)?.metadata.labels

/** The test for a pod; undefined when any node will do. */
export const make = (pod: PodInfo, snapshot: Snapshot): { readonly test: NodeTest; readonly whatIf: () => WhatIf } | undefined => {
  const namespaceLabels = namespaceLabelsOf(pod, snapshot)
  const owned = snapshot.index(OwnedTermsIndex.index).requiredAnti
  const forbidden = owned.size() === 0 ? [] : forbiddenFor(owned.selecting(pod.shape, namespaceLabels))
  const terms = AffinityTerms.of(pod.shape)
  const wishes = terms.required.length > 0 || terms.requiredAnti.length > 0
  if (!wishes && forbidden.length === 0 && !nominatedSelect(snapshot, pod, namespaceLabels)) return undefined
  const plan = AffinityPlan.of(pod.shape, snapshot.listers)
  // Without terms of its own the pod is not compared with others, which then need not be counted.
  const counted = (counts: ReadonlyArray<AffinityPlan.Count>) =>
    counts.length === 0 ? [] : AffinityPlan.counted(counts, snapshot.index(PodCountsIndex.index))
  const state: State = {
    pod,
    plan,
    required: counted(plan.required),
    requiredAnti: counted(plan.requiredAnti),
    forbidden,
    namespaceLabels
  }
  return { test: testWith(state, undefined), whatIf: () => whatIf(state) }
}
