/** Which placed pods are meant: namespaces and labels, in a form that is the same for all that mean the same pods. */
import { LabelSelector } from "@reddwarf/api-types"
import type { MetaV1 } from "@reddwarf/api-types"
import * as Either from "effect/Either"

/** Labels of a pod, a node or a namespace. */
export type Labels = Readonly<Record<string, string>>

/** A label selector with its canonical text. */
export interface Selector {
  readonly key: string
  readonly selector: LabelSelector.LabelSelector
  /** A label that everything selected has, as `key=value`: finds selectors by the labels of a pod. */
  readonly anchor: string | undefined
}

/** A label with its value, as anchors are written. */
export const anchorOf = (key: string, value: string): string => `${key}=${value}`

const requirementKey = ({ key, operator, values }: LabelSelector.Requirement): string => `${key}\t${operator}\t${values.toSorted().join("\t")}`

const anchorOfAll = (requirements: ReadonlyArray<LabelSelector.Requirement>): string | undefined => {
  for (const { key, operator, values: [value, another] } of requirements) {
    if (operator === "In" && value !== undefined && another === undefined) return anchorOf(key, value)
  }
  return undefined
}

const ofRequirements = (requirements: ReadonlyArray<LabelSelector.Requirement> | undefined): Selector => ({
  key: requirements === undefined ? "nothing" : requirements.map(requirementKey).sort().join("\n"),
  selector: { requirements },
  anchor: requirements === undefined ? undefined : anchorOfAll(requirements)
})

/**
 * The selector of a specification with further requirements. No selector selects nothing, whatever is required besides; neither does one that
 * cannot be read, which the API server does not admit.
 */
export const selectorOf = (object: MetaV1.LabelSelector | undefined, further: ReadonlyArray<LabelSelector.Requirement> = []): Selector => {
  const read = Either.getOrElse(LabelSelector.fromObject(object), () => LabelSelector.nothing)
  return ofRequirements(read.requirements === undefined ? undefined : [...read.requirements, ...further])
}

/**
 * The requirements that hold for pods with the same values of these labels; a label the pod does not have requires nothing. Neither does one that the
 * selector requires already: the API server wrote it there when the pod was created, and the label may be another one by now.
 */
export const sameLabels = (
  keys: ReadonlyArray<string> | undefined,
  labels: Labels,
  operator: "In" | "NotIn",
  selector: MetaV1.LabelSelector | undefined
): ReadonlyArray<LabelSelector.Requirement> => {
  const requirements: Array<LabelSelector.Requirement> = []
  for (const key of keys ?? []) {
    if (selector?.matchExpressions?.some((written) => written.key === key && written.operator === operator) === true) continue
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined
    if (value !== undefined) requirements.push({ key, operator, values: [value] })
  }
  return requirements
}

/** Pods of some namespaces, of all when there is no set, with matching labels. */
export interface Clause {
  readonly namespaces: ReadonlySet<string> | undefined
  readonly selector: Selector
}

/** Pods that every clause selects. */
export interface Selection {
  readonly key: string
  readonly clauses: ReadonlyArray<Clause>
  /** Pods that are being deleted do not count. */
  readonly withoutTerminating: boolean
}

const clauseKey = ({ namespaces, selector }: Clause): string => `${namespaces === undefined ? "*" : [...namespaces].sort().join(",")}\v${selector.key}`

/** The pods that all of these clauses select. */
export const make = (clauses: ReadonlyArray<Clause>, withoutTerminating: boolean): Selection => ({
  key: `${withoutTerminating ? "-" : "+"}${[...new Set(clauses.map(clauseKey))].sort().join("\f")}`,
  clauses,
  withoutTerminating
})

/** What of a pod a clause looks at. A shape is one. */
export interface Selected {
  readonly namespace: string
  readonly labels: Labels
}

/** Whether the pod is of the namespaces and has matching labels. */
export const clauseSelects = ({ namespaces, selector }: Clause, pod: Selected): boolean =>
  (namespaces === undefined || namespaces.has(pod.namespace)) && LabelSelector.matches(selector.selector, pod.labels)

/** Whether the selection counts the pod, which may be about to go. */
export const selects = (selection: Selection, pod: Selected, terminating: boolean): boolean =>
  !(selection.withoutTerminating && terminating) && selection.clauses.every((clause) => clauseSelects(clause, pod))
