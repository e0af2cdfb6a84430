/** The wishes of a pod about other pods, read once. */
import { LabelSelector } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { Listers } from "../../Listers.js"
import type { PodShape } from "../../PodShape.js"
import * as PodSelection from "./podSelection.js"

/** One term: pods of namespaces, named or selected by their labels, and the node label whose values are the domains. */
export interface AffinityTerm {
  /** The same for terms that mean the same, whoever has them. */
  readonly key: string
  readonly topologyKey: string
  readonly namespaces: ReadonlySet<string>
  /** Namespaces besides the named ones; absent when there are none. */
  readonly namespaceSelector: LabelSelector.LabelSelector | undefined
  readonly selector: PodSelection.Selector
}

/** A preferred term; the weight is negative for anti-affinity. */
export interface WeightedTerm {
  readonly term: AffinityTerm
  readonly weight: number
}

/** All terms of a pod. */
export interface AffinityTerms {
  readonly required: ReadonlyArray<AffinityTerm>
  readonly requiredAnti: ReadonlyArray<AffinityTerm>
  readonly preferred: ReadonlyArray<WeightedTerm>
}

/** A pod that wishes nothing: most of them. */
export const none: AffinityTerms = { required: [], requiredAnti: [], preferred: [] }

const termOf = (term: CoreV1.PodAffinityTerm, namespace: string, labels: PodSelection.Labels): AffinityTerm => {
  const named = term.namespaces ?? []
  const namespaces = new Set(named.length === 0 && term.namespaceSelector === undefined ? [namespace] : named)
  const namespaceSelector = term.namespaceSelector === undefined
    ? undefined
    : Either.getOrElse(LabelSelector.fromObject(term.namespaceSelector), () => LabelSelector.nothing)
  const selector = PodSelection.selectorOf(term.labelSelector, [
    ...PodSelection.sameLabels(term.matchLabelKeys, labels, "In", term.labelSelector),
    ...PodSelection.sameLabels(term.mismatchLabelKeys, labels, "NotIn", term.labelSelector)
  ])
  const selected = namespaceSelector === undefined ? "" : `?${LabelSelector.format(namespaceSelector)}`
  return {
    key: `${term.topologyKey}\v${[...namespaces].sort().join(",")}${selected}\v${selector.key}`,
    topologyKey: term.topologyKey,
    namespaces,
    namespaceSelector,
    selector
  }
}

const readShape = ({ labels, namespace, spec }: PodShape): AffinityTerms => {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {}
  if (podAffinity === undefined && podAntiAffinity === undefined) return none
  const one = (term: CoreV1.PodAffinityTerm): AffinityTerm => termOf(term, namespace, labels)
  const weighted = (terms: ReadonlyArray<CoreV1.WeightedPodAffinityTerm> | undefined, sign: 1 | -1): ReadonlyArray<WeightedTerm> =>
    (terms ?? []).map(({ podAffinityTerm, weight }) => ({ term: one(podAffinityTerm), weight: sign * weight }))
  return {
    required: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(one),
    requiredAnti: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(one),
    preferred: [
      ...weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1),
      ...weighted(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1)
    ]
  }
}

const memo = new WeakMap<PodShape, AffinityTerms>()

/** The terms of pods of a shape, read when they are first asked for. */
export const of = (shape: PodShape): AffinityTerms => {
  if (shape.spec.affinity === undefined) return none
  const known = memo.get(shape)
  if (known !== undefined) return known
  const terms = readShape(shape)
  memo.set(shape, terms)
  return terms
}

/** What a term selects in the cluster as it is: the namespaces with fitting labels by name. */
export const clauseOf = ({ namespaceSelector, namespaces, selector }: AffinityTerm, listers: Listers): PodSelection.Clause => {
  if (namespaceSelector === undefined || namespaceSelector.requirements === undefined) return { namespaces, selector }
  if (LabelSelector.isEverything(namespaceSelector)) return { namespaces: undefined, selector }
  const all = new Set(namespaces)
  for (const { metadata } of listers.namespaces.list()) {
    if (LabelSelector.matches(namespaceSelector, metadata.labels)) all.add(metadata.name ?? "")
  }
  return { namespaces: all, selector }
}

/** Whether a term of some other pod selects this one, whose namespace has these labels. */
export const selects = (term: AffinityTerm, pod: PodSelection.Selected, namespaceLabels: PodSelection.Labels | undefined): boolean =>
  (term.namespaces.has(pod.namespace) ||
    (term.namespaceSelector !== undefined && LabelSelector.matches(term.namespaceSelector, namespaceLabels))) &&
  LabelSelector.matches(term.selector.selector, pod.labels)
