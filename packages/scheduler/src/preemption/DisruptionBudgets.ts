/** Which pods may leave without breaking a PodDisruptionBudget. */
import { LabelSelector, type PolicyV1 } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { PodInfo } from "../PodInfo.js"

interface Budget {
  readonly namespace: string
  readonly selector: LabelSelector.LabelSelector
  readonly disruptionsAllowed: number
  readonly disruptedPods: Readonly<Record<string, string>>
}

/**
 * Budgets with their selectors read once. A budget whose selector cannot be read protects nothing, as its controller sees it.
 *
 * @category models
 */
export interface DisruptionBudgets {
  readonly byNamespace: ReadonlyMap<string, ReadonlyArray<Budget>>
}

/**
 * Pods whose leaving a budget does not allow, and the others; both in the order they were given in.
 *
 * @category models
 */
export interface Division {
  readonly violating: ReadonlyArray<PodInfo>
  readonly allowed: ReadonlyArray<PodInfo>
}

/**
 * Reads budgets.
 *
 * @category constructors
 */
export const make = (budgets: Iterable<PolicyV1.PodDisruptionBudget>): DisruptionBudgets => {
  const byNamespace = new Map<string, Array<Budget>>()
  for (const { metadata, spec, status } of budgets) {
    const selector = LabelSelector.fromObject(spec?.selector)
    if (Either.isLeft(selector)) continue
    const { namespace = "" } = metadata
    const budget: Budget = {
      namespace,
      selector: selector.right,
      disruptionsAllowed: status?.disruptionsAllowed ?? 0,
      disruptedPods: status?.disruptedPods ?? {}
    }
    const others = byNamespace.get(namespace)
    if (others === undefined) byNamespace.set(namespace, [budget])
    else others.push(budget)
  }
  return { byNamespace }
}

/**
 * Lets pods leave one after the other, each taking one disruption of the budgets that select it, and says which of them found none left.
 * A pod that a budget counts as disrupted already takes nothing of that budget.
 *
 * @category combinators
 */
export const divide = ({ byNamespace }: DisruptionBudgets, pods: ReadonlyArray<PodInfo>): Division => {
  if (byNamespace.size === 0) return { violating: [], allowed: pods }
  const left = new Map<Budget, number>()
  const violating: Array<PodInfo> = []
  const allowed: Array<PodInfo> = []
  for (const info of pods) {
    const { labels, name = "", namespace = "" } = info.pod.metadata
    let violates = false
    for (const budget of byNamespace.get(namespace) ?? []) {
      if (Object.hasOwn(budget.disruptedPods, name) || !LabelSelector.matches(budget.selector, labels)) continue
      const remaining = (left.get(budget) ?? budget.disruptionsAllowed) - 1
      left.set(budget, remaining)
      if (remaining < 0) violates = true
    }
    if (violates) violating.push(info)
    else allowed.push(info)
  }
  return { violating, allowed }
}
