/** Which taints of a node a pod tolerates. Plain functions: the scheduler calls them for every pod and node. */
import type * as CoreV1 from "./generated/CoreV1.js"

const integer = /^(0|[-+]?[1-9]\d*)$/

const compares = (toleration: CoreV1.Toleration, taint: CoreV1.Taint): boolean => {
  const bound = toleration.value ?? ""
  const actual = taint.value ?? ""
  if (!integer.test(bound) || !integer.test(actual)) return false
  return toleration.operator === "Lt" ? BigInt(actual) < BigInt(bound) : BigInt(actual) > BigInt(bound)
}

/** An empty effect or key of the toleration matches any; the operator is `Equal` unless given. @category combinators */
export const tolerates = (toleration: CoreV1.Toleration, taint: CoreV1.Taint): boolean => {
  const { effect = "", key = "", operator = "" } = toleration
  if (effect !== "" && effect !== taint.effect) return false
  if (key !== "" && key !== taint.key) return false
  switch (operator) {
    case "":
    case "Equal":
      return key !== "" && (toleration.value ?? "") === (taint.value ?? "")
    case "Exists":
      return true
    case "Lt":
    case "Gt":
      return compares(toleration, taint)
    default:
      return false
  }
}

/** The first taint with one of these effects that no toleration covers; undefined when all are tolerated. @category combinators */
export const findUntolerated = (
  tolerations: ReadonlyArray<CoreV1.Toleration>,
  taints: ReadonlyArray<CoreV1.Taint>,
  effects: ReadonlyArray<CoreV1.TaintEffect>
): CoreV1.Taint | undefined =>
  taints.find((taint) => effects.includes(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint)))

/** Whether every taint with one of these effects is tolerated. @category combinators */
export const toleratesAll = (
  tolerations: ReadonlyArray<CoreV1.Toleration>,
  taints: ReadonlyArray<CoreV1.Taint>,
  effects: ReadonlyArray<CoreV1.TaintEffect>
): boolean => findUntolerated(tolerations, taints, effects) === undefined

/**
 * Seconds a pod may stay on a node with this NoExecute taint: 0 when it is not tolerated, undefined when there is no limit.
 *
 * @category combinators
 */
export const tolerationSeconds = (tolerations: ReadonlyArray<CoreV1.Toleration>, taint: CoreV1.Taint): number | undefined => {
  let tolerated = false
  let shortest: number | undefined
  for (const toleration of tolerations) {
    if (!tolerates(toleration, taint)) continue
    tolerated = true
    const seconds = toleration.tolerationSeconds
    if (seconds !== undefined) shortest = Math.max(0, Math.min(shortest ?? seconds, seconds))
  }
  return tolerated ? shortest : 0
}
