/** Label selectors: the text of `?labelSelector=` and the object of a spec. Plain functions: lists and watches match every object. */
import * as Either from "effect/Either"
import type * as MetaV1 from "./generated/MetaV1.js"
import { parseRequirements } from "./internal/labelSelectorParser.js"
import * as Names from "./Names.js"
import { SelectorError } from "./SelectorError.js"

/** @category models */
export type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt"

/** @category models */
export interface Requirement {
  readonly key: string
  readonly operator: Operator
  readonly values: ReadonlyArray<string>
}

/** All requirements must hold; `undefined` matches nothing (an absent selector object). @category models */
export interface LabelSelector {
  readonly requirements: ReadonlyArray<Requirement> | undefined
}

/** Matches every object. @category constructors */
export const everything: LabelSelector = { requirements: [] }

/** Matches no object. @category constructors */
export const nothing: LabelSelector = { requirements: undefined }

/** Reads `a=b,c in (d,e),!f`; the error carries the text of Kubernetes. @category constructors */
export const parse = (text: string): Either.Either<LabelSelector, SelectorError> =>
  text === "" ? Either.right(everything) : Either.map(parseRequirements(text), (requirements) => ({ requirements }))

/** Selects exactly these labels. @category constructors */
export const fromLabels = (labels: Readonly<Record<string, string>>): LabelSelector => ({
  requirements: Object.entries(labels).map(([key, value]) => ({ key, operator: "In", values: [value] }))
})

const operators: Readonly<Record<string, Operator>> = { In: "In", NotIn: "NotIn", Exists: "Exists", DoesNotExist: "DoesNotExist" }

/**
 * Reads the selector of a spec: absent matches nothing, `{}` matches everything. Fails on an unknown operator or a malformed key or value.
 *
 * @category constructors
 */
export const fromObject = (object: MetaV1.LabelSelector | undefined): Either.Either<LabelSelector, SelectorError> => {
  if (object === undefined) return Either.right(nothing)
  const requirements: Array<Requirement> = []
  for (const [key, value] of Object.entries(object.matchLabels ?? {})) requirements.push({ key, operator: "In", values: [value] })
  for (const { key, operator: name, values = [] } of object.matchExpressions ?? []) {
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
    if (operator === undefined) return Either.left(new SelectorError({ message: `${JSON.stringify(name)} is not a valid label selector operator` }))
    requirements.push({ key, operator, values })
  }
  for (const requirement of requirements) {
    const problem = problemOf(requirement)
    if (problem !== undefined) return Either.left(new SelectorError({ message: problem }))
  }
  return Either.right({ requirements })
}

const problemOf = ({ key, operator, values }: Requirement): string | undefined => {
  const keyProblems = Names.isQualifiedName(key)
  if (keyProblems.length > 0) return `key: Invalid value: ${JSON.stringify(key)}: ${keyProblems.join("; ")}`
  if ((operator === "In" || operator === "NotIn") && values.length === 0) {
    return "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"
  }
  if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) {
    return `values: Invalid value: ${JSON.stringify(values)}: values set must be empty for exists and does not exist`
  }
  for (const [index, value] of values.entries()) {
    const problems = Names.isLabelValue(value)
    if (problems.length > 0) return `values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problems.join("; ")}`
  }
  return undefined
}

const integer = /^[+-]?\d{1,19}$/

const compares = (value: string, operator: "Gt" | "Lt", bound: string | undefined): boolean => {
  if (bound === undefined || !integer.test(value) || !integer.test(bound)) return false
  return operator === "Gt" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
}

const holds = ({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>): boolean => {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  if (value === undefined) return operator === "DoesNotExist" || operator === "NotIn"
  if (operator === "In") return values.includes(value)
  if (operator === "NotIn") return !values.includes(value)
  return operator === "Exists" || (operator !== "DoesNotExist" && compares(value, operator, values[0]))
}

const none: Readonly<Record<string, string>> = {}

/** Whether an object with these labels is selected. @category combinators */
export const matches = (selector: LabelSelector, labels: Readonly<Record<string, string>> | undefined): boolean =>
  selector.requirements !== undefined && selector.requirements.every((requirement) => holds(requirement, labels ?? none))

/** Whether the selector has no requirement, so that matching can be left out. @category combinators */
export const isEverything = (selector: LabelSelector): boolean => selector.requirements?.length === 0

const formatRequirement = ({ key, operator, values }: Requirement): string => {
  const list = values.toSorted().join(",")
  if (operator === "Exists") return key
  if (operator === "DoesNotExist") return `!${key}`
  if (operator === "Gt" || operator === "Lt") return `${key}${operator === "Gt" ? ">" : "<"}${list}`
  const [equals, among] = operator === "In" ? ["=", "in"] : ["!=", "notin"]
  return values.length === 1 ? `${key}${equals}${list}` : `${key} ${among} (${list})`
}

/** The text that `parse` reads back, requirements in order of their keys. @category combinators */
export const format = (selector: LabelSelector): string =>
  (selector.requirements ?? [])
    .toSorted((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
    .map(formatRequirement)
    .join(",")
