/** Which nodes a pod may or prefers to run on. Plain functions: the scheduler calls them for every pod and node. */
import type * as CoreV1 from "./generated/CoreV1.js"

const integer = /^[+-]?\d{1,19}$/

const holds = (requirement: CoreV1.NodeSelectorRequirement, value: string | undefined): boolean => {
  const values = requirement.values ?? []
  switch (requirement.operator) {
    case "In":
      return value !== undefined && values.includes(value)
    case "NotIn":
      return value === undefined || !values.includes(value)
    case "Exists":
      return value !== undefined
    case "DoesNotExist":
      return value === undefined
    case "Gt":
    case "Lt": {
      const bound = values[0]
      if (value === undefined || bound === undefined || !integer.test(value) || !integer.test(bound)) return false
      return requirement.operator === "Gt" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
    }
    default:
      return false
  }
}

const labelOf = (node: CoreV1.Node, key: string): string | undefined => {
  const labels = node.metadata.labels
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
}

/** All expressions and fields must hold; a term without any matches no node. @category combinators */
export const matchesTerm = (term: CoreV1.NodeSelectorTerm, node: CoreV1.Node): boolean => {
  const { matchExpressions = [], matchFields = [] } = term
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  return (
    matchExpressions.every((requirement) => holds(requirement, labelOf(node, requirement.key))) &&
    matchFields.every(
      (requirement) => requirement.key === "metadata.name" && holds(requirement, node.metadata.name ?? "")
    )
  )
}

/** One of the terms must match. @category combinators */
export const matches = (selector: CoreV1.NodeSelector, node: CoreV1.Node): boolean =>
  selector.nodeSelectorTerms.some((term) => matchesTerm(term, node))

/** Whether `nodeSelector` and the required node affinity of a pod admit this node. @category combinators */
export const admits = (pod: CoreV1.Pod, node: CoreV1.Node): boolean => {
  const wanted = pod.spec?.nodeSelector
  if (wanted !== undefined) for (const key of Object.keys(wanted)) if (labelOf(node, key) !== wanted[key]) return false
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || matches(required, node)
}

/** Sum of the weights of the preferred terms that this node matches. @category combinators */
export const preference = (pod: CoreV1.Pod, node: CoreV1.Node): number => {
  let total = 0
  for (const { preference: term, weight } of pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
    const empty = (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0
    // Unlike a required term, an empty preferred one counts for every node.
    if (empty || matchesTerm(term, node)) total += weight
  }
  return total
}
