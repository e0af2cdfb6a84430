/** Selectors and tolerations. */
import type { CoreV1, MetaV1 } from "@reddwarf/api-types"
import { labelsOf, nameOf } from "./world.js"

type Labels = Readonly<Record<string, string>>

interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: ReadonlyArray<string> | undefined
}

const holds = ({ key, operator, values = [] }: Requirement, labels: Labels): boolean => {
  const value = labels[key]
  if (operator === "In") return value !== undefined && values.includes(value)
  if (operator === "NotIn") return value === undefined || !values.includes(value)
  if (operator === "Exists") return value !== undefined
  if (operator === "DoesNotExist") return value === undefined
  if (value === undefined) return false
  return operator === "Gt" ? Number(value) > Number(values[0]) : Number(value) < Number(values[0])
}

/** No selector selects nothing; an empty one selects everything. */
export const selects = (selector: MetaV1.LabelSelector | undefined, labels: Labels): boolean =>
  selector !== undefined &&
  Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
  (selector.matchExpressions ?? []).every((requirement) => holds(requirement, labels))

export const isEmptySelector = (selector: MetaV1.LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0

/** A term without requirements matches nothing. */
export const termMatches = (term: CoreV1.NodeSelectorTerm, node: CoreV1.Node): boolean =>
  (term.matchExpressions ?? []).length + (term.matchFields ?? []).length > 0 &&
  (term.matchExpressions ?? []).every((each) => holds(each, labelsOf(node))) &&
  (term.matchFields ?? []).every((each) => holds(each, { "metadata.name": nameOf(node) }))

const requiredTerms = (pod: CoreV1.Pod): ReadonlyArray<CoreV1.NodeSelectorTerm> | undefined =>
  pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms

/** What the pod itself says about nodes it may run on. */
export const admitsNode = (pod: CoreV1.Pod, node: CoreV1.Node): boolean =>
  Object.entries(pod.spec?.nodeSelector ?? {}).every(([key, value]) => labelsOf(node)[key] === value) &&
  (requiredTerms(pod)?.some((term) => termMatches(term, node)) ?? true)

/** The only nodes that the required terms allow when each of them lists names; else undefined. */
export const namedNodes = (pod: CoreV1.Pod): ReadonlyArray<string> | undefined => {
  const terms = requiredTerms(pod) ?? []
  const ofTerms = terms.map((term) => {
    const fields = (term.matchFields ?? []).filter((each) => each.key === "metadata.name" && each.operator === "In")
    const [first, ...others] = fields.map((each) => each.values ?? [])
    return first?.filter((name) => others.every((values) => values.includes(name)))
  })
  return terms.length === 0 || ofTerms.includes(undefined) ? undefined : ofTerms.flatMap((names) => names ?? [])
}

const tolerates = (toleration: CoreV1.Toleration, taint: CoreV1.Taint): boolean =>
  ((toleration.effect ?? "") === "" || toleration.effect === taint.effect) &&
  (toleration.operator === "Exists"
    ? (toleration.key ?? "") === "" || toleration.key === taint.key
    : toleration.key === taint.key && (toleration.value ?? "") === (taint.value ?? ""))

export const toleratesTaint = (pod: CoreV1.Pod, taint: CoreV1.Taint): boolean =>
  (pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, taint))

/** The taints that keep the pod off the node. */
export const forbiddingTaints = (pod: CoreV1.Pod, node: CoreV1.Node): ReadonlyArray<CoreV1.Taint> =>
  (node.spec?.taints ?? []).filter((taint) => taint.effect !== "PreferNoSchedule" && !toleratesTaint(pod, taint))
