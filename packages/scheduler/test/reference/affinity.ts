/** Pods that want to be near others, or far from them. */
import type { CoreV1 } from "@reddwarf/api-types"
import { selects } from "./matching.js"
import { labelsOf, namespaceOf, nameOf, placed, unresolvable, unschedulable, type Verdict, type World } from "./world.js"

type Term = CoreV1.PodAffinityTerm

export const required = (pod: CoreV1.Pod): ReadonlyArray<Term> => pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
export const requiredAnti = (pod: CoreV1.Pod): ReadonlyArray<Term> =>
  pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
const preferred = (pod: CoreV1.Pod): ReadonlyArray<CoreV1.WeightedPodAffinityTerm> =>
  pod.spec?.affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
const preferredAnti = (pod: CoreV1.Pod): ReadonlyArray<CoreV1.WeightedPodAffinityTerm> =>
  pod.spec?.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []

/** Whether a term of one pod is about another. */
const isAbout = (world: World, owner: CoreV1.Pod, term: Term, other: CoreV1.Pod): boolean => {
  const { namespaceSelector, namespaces = [] } = term
  const own = namespaces.length === 0 && namespaceSelector === undefined ? [namespaceOf(owner)] : namespaces
  const labels = world.namespaces.find((each) => nameOf(each) === namespaceOf(other))
  const inNamespace = own.includes(namespaceOf(other)) || selects(namespaceSelector, labels === undefined ? {} : labelsOf(labels))
  return inNamespace && selects(term.labelSelector, labelsOf(other))
}

/** Whether two nodes are at the same place, as far as both are anywhere. */
const together = (key: string, a: CoreV1.Node, b: CoreV1.Node): boolean => labelsOf(a)[key] !== undefined && labelsOf(a)[key] === labelsOf(b)[key]

export const filter = (world: World, pod: CoreV1.Pod, node: CoreV1.Node): Verdict | undefined => {
  const others = placed(world)
  // A term that nobody anywhere satisfies is satisfied by the pod itself, if it is the first of a series.
  const friends = others.filter((other) => required(pod).every((term) => isAbout(world, pod, term, other.pod)))
  const near = (term: Term): boolean => friends.some((friend) => together(term.topologyKey, friend.node, node))
  const isFirst = required(pod).every((term) => isAbout(world, pod, term, pod)) &&
    !friends.some((friend) => required(pod).some((term) => labelsOf(friend.node)[term.topologyKey] !== undefined))
  const everywhere = required(pod).every((term) => labelsOf(node)[term.topologyKey] !== undefined)
  if (!everywhere || !(required(pod).every(near) || isFirst)) return unresolvable("node(s) didn't match pod affinity rules")

  const avoided = requiredAnti(pod).some((term) =>
    others.some((other) => isAbout(world, pod, term, other.pod) && together(term.topologyKey, other.node, node))
  )
  if (avoided) return unschedulable("node(s) didn't match pod anti-affinity rules")

  const unwelcome = others.some((other) =>
    requiredAnti(other.pod).some((term) => isAbout(world, other.pod, term, pod) && together(term.topologyKey, other.node, node))
  )
  return unwelcome ? unschedulable("node(s) didn't satisfy existing pods anti-affinity rules") : undefined
}

/** Weight of another pod's required affinity. */
const hardWeight = 1

/** The sum of the weights of what speaks for the node, less those of what speaks against it. */
export const raw = (world: World, pod: CoreV1.Pod, node: CoreV1.Node): number => {
  let sum = 0
  for (const other of placed(world)) {
    const count = (owner: CoreV1.Pod, about: CoreV1.Pod, term: Term, weight: number): void => {
      if (isAbout(world, owner, term, about) && together(term.topologyKey, other.node, node)) sum += weight
    }
    for (const { podAffinityTerm, weight } of preferred(pod)) count(pod, other.pod, podAffinityTerm, weight)
    for (const { podAffinityTerm, weight } of preferredAnti(pod)) count(pod, other.pod, podAffinityTerm, -weight)
    for (const term of required(other.pod)) count(other.pod, pod, term, hardWeight)
    for (const { podAffinityTerm, weight } of preferred(other.pod)) count(other.pod, pod, podAffinityTerm, weight)
    for (const { podAffinityTerm, weight } of preferredAnti(other.pod)) count(other.pod, pod, podAffinityTerm, -weight)
  }
  return sum
}

export const normalized = (scores: ReadonlyArray<number>): ReadonlyArray<number> => {
  const least = Math.min(...scores)
  const most = Math.max(...scores)
  return scores.map((score) => most === least ? 0 : Math.trunc(100 * ((score - least) / (most - least))))
}
