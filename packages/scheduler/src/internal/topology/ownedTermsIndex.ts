/**
 * What placed pods wish about others: each distinct term once, with the number or weight of its owners by domain. A term is found by the labels
 * of the pod it might select, so a pod is compared with few of them, however many there are.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import type { PodInfo } from "../../PodInfo.js"
import * as SnapshotIndex from "../../SnapshotIndex.js"
import * as AffinityTerms from "./affinityTerms.js"
import * as NodeLabels from "./nodeLabels.js"
import * as PodSelection from "./podSelection.js"

/** A term of placed pods. */
export interface OwnedTerm {
  readonly term: AffinityTerms.AffinityTerm
  /** Owners, or the sum of their weights, by domain. Domains without are not there. */
  readonly byDomain: ReadonlyMap<string, number>
}

/** The terms of one kind. */
export interface Terms {
  readonly size: () => number
  /** Those that select a pod, whose namespace has these labels. */
  readonly selecting: (pod: PodSelection.Selected, namespaceLabels: PodSelection.Labels | undefined) => ReadonlyArray<OwnedTerm>
}

/** What plugins read: the terms of placed pods by kind. */
export interface OwnedTerms {
  readonly requiredAnti: Terms
  readonly required: Terms
  /** Weights of anti-affinity are negative. */
  readonly preferred: Terms
}

interface Entry {
  readonly term: AffinityTerms.AffinityTerm
  readonly byDomain: Map<string, number>
  readonly place: string
  owners: number
}

const anywhere = "*"
const noEntries: ReadonlyArray<Entry> = []

const placeOf = ({ namespaceSelector, namespaces, selector }: AffinityTerms.AffinityTerm): string => {
  const [namespace, another] = namespaces
  const inOne = namespaceSelector === undefined && namespace !== undefined && another === undefined
  return `${inOne ? namespace : anywhere}/${selector.anchor ?? ""}`
}

const bump = (sums: Map<string, number>, domain: string, by: number): void => {
  const sum = (sums.get(domain) ?? 0) + by
  if (sum === 0) sums.delete(domain)
  else sums.set(domain, sum)
}

const kind = () => {
  const entries = new Map<string, Entry>()
  /** By namespace and a label that the selected pods have. */
  const places = new Map<string, Set<Entry>>()

  const entryOf = (term: AffinityTerms.AffinityTerm): Entry => {
    const known = entries.get(term.key)
    if (known !== undefined) return known
    const entry: Entry = { term, byDomain: new Map(), place: placeOf(term), owners: 0 }
    entries.set(term.key, entry)
    const place = places.get(entry.place)
    if (place === undefined) places.set(entry.place, new Set([entry]))
    else place.add(entry)
    return entry
  }

  const drop = (entry: Entry): void => {
    entries.delete(entry.term.key)
    const place = places.get(entry.place)
    place?.delete(entry)
    if (place?.size === 0) places.delete(entry.place)
  }

  const selecting: Terms["selecting"] = (pod, namespaceLabels) => {
    if (entries.size === 0) return noEntries
    const found: Array<Entry> = []
    const look = (place: string): void => {
      for (const entry of places.get(place) ?? noEntries) {
        if (AffinityTerms.selects(entry.term, pod, namespaceLabels)) found.push(entry)
      }
    }
    for (const namespace of [anywhere, pod.namespace]) {
      look(`${namespace}/`)
      for (const [key, value] of Object.entries(pod.labels)) look(`${namespace}/${PodSelection.anchorOf(key, value)}`)
    }
    return found
  }

  return {
    terms: { size: () => entries.size, selecting } satisfies Terms,
    change: (term: AffinityTerms.AffinityTerm, node: CoreV1.Node | undefined, sign: 1 | -1, weight: number): void => {
      const entry = entryOf(term)
      entry.owners += sign
      const domain = node === undefined ? undefined : NodeLabels.domainOf(node, term.topologyKey)
      if (domain !== undefined) bump(entry.byDomain, domain, sign * weight)
      if (entry.owners === 0) drop(entry)
    }
  }
}

/** An empty index. */
export const make = (): SnapshotIndex.Maintained<OwnedTerms> => {
  const nodes = new Map<string, CoreV1.Node>()
  /** The pods with terms, by node. */
  const owners = new Map<string, Map<string, PodInfo>>()
  const requiredAnti = kind()
  const required = kind()
  const preferred = kind()

  const change = (pod: PodInfo, node: CoreV1.Node | undefined, sign: 1 | -1): void => {
    const terms = AffinityTerms.of(pod.shape)
    for (const term of terms.requiredAnti) requiredAnti.change(term, node, sign, 1)
    for (const term of terms.required) required.change(term, node, sign, 1)
    for (const { term, weight } of terms.preferred) preferred.change(term, node, sign, weight)
  }

  const setNode = (name: string, node: CoreV1.Node | undefined): void => {
    const old = nodes.get(name)
    const moves = old === undefined || node === undefined || !NodeLabels.sameLabels(old, node)
    const pods = moves ? owners.get(name) : undefined
    for (const pod of pods?.values() ?? []) change(pod, old, -1)
    if (node === undefined) nodes.delete(name)
    else nodes.set(name, node)
    for (const pod of pods?.values() ?? []) change(pod, node, 1)
  }

  return {
    view: { requiredAnti: requiredAnti.terms, required: required.terms, preferred: preferred.terms },
    nodeAdded: ({ name, node }) => setNode(name, node),
    nodeChanged: (_, { name, node }) => setNode(name, node),
    nodeRemoved: ({ name }) => setNode(name, undefined),
    podAdded: (pod, { name }) => {
      if (AffinityTerms.of(pod.shape) === AffinityTerms.none) return
      const pods = owners.get(name)
      if (pods === undefined) owners.set(name, new Map([[pod.id, pod]]))
      else pods.set(pod.id, pod)
      change(pod, nodes.get(name), 1)
    },
    podRemoved: (pod, { name }) => {
      const pods = owners.get(name)
      const known = pods?.get(pod.id)
      if (known === undefined) return
      pods?.delete(pod.id)
      if (pods?.size === 0) owners.delete(name)
      change(known, nodes.get(name), -1)
    }
  }
}

/** The terms of the placed pods of a cluster. */
export const index: SnapshotIndex.SnapshotIndex<OwnedTerms> = SnapshotIndex.define("OwnedTerms", make)
