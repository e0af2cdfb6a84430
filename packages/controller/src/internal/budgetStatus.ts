/** What a PodDisruptionBudget says of its pods. Pure. */
import { type CoreV1, PodPhase, type PolicyV1, Timestamp } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { roundedUp } from "./shares.js"

const isShare = (value: number | string | undefined): boolean => typeof value === "string" && value.endsWith("%")

/** Whether it matters how many pods there should be, and not just how many there are. */
export const needsScale = ({ spec }: PolicyV1.PodDisruptionBudget): boolean => spec?.maxUnavailable !== undefined || isShare(spec?.minAvailable)

/** Pods that are to be there, and how many of them must be healthy. */
const expectation = ({ spec }: PolicyV1.PodDisruptionBudget, scale: number): { readonly expected: number; readonly desired: number } => {
  if (spec?.maxUnavailable !== undefined) return { expected: scale, desired: Math.max(0, scale - roundedUp(spec.maxUnavailable, scale)) }
  return { expected: scale, desired: spec?.minAvailable === undefined ? 0 : roundedUp(spec.minAvailable, scale) }
}

const conditionType = "DisruptionAllowed"

const withCondition = (
  before: PolicyV1.PodDisruptionBudgetStatus["conditions"],
  condition: { readonly status: "True" | "False"; readonly reason: string; readonly message: string },
  observedGeneration: number,
  now: number
): NonNullable<PolicyV1.PodDisruptionBudgetStatus["conditions"]> => {
  const others = (before ?? []).filter(({ type }) => type !== conditionType)
  const old = before?.find(({ type }) => type === conditionType)
  const lastTransitionTime = old?.status === condition.status ? old.lastTransitionTime : Timestamp.secondsFromMillis(now)
  return [...others, { type: conditionType, ...condition, lastTransitionTime, observedGeneration }]
}

/**
 * The status. `scale` is how many pods their controllers want, or why that is unknown; `disrupted` are evictions without an effect yet.
 * `now` is milliseconds since the epoch.
 */
export const describe = (
  budget: PolicyV1.PodDisruptionBudget,
  pods: ReadonlyArray<CoreV1.Pod>,
  scale: Either.Either<number, string>,
  disrupted: Readonly<Record<string, string>>,
  now: number
): PolicyV1.PodDisruptionBudgetStatus => {
  const { disruptedPods: _, ...before } = budget.status ?? {}
  const observedGeneration = budget.metadata.generation ?? 0
  if (Either.isLeft(scale)) {
    // What is allowed is unknown, so nothing is.
    return {
      ...before,
      disruptionsAllowed: 0,
      currentHealthy: before.currentHealthy ?? 0,
      desiredHealthy: before.desiredHealthy ?? 0,
      expectedPods: before.expectedPods ?? 0,
      observedGeneration,
      conditions: withCondition(before.conditions, { status: "False", reason: "SyncFailed", message: scale.left }, observedGeneration, now)
    }
  }
  const healthy = pods.filter((pod) =>
    !PodPhase.isTerminating(pod) && disrupted[pod.metadata.name ?? ""] === undefined && PodPhase.isReady(pod)).length
  const { desired, expected } = expectation(budget, scale.right)
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired)
  return {
    ...before,
    ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    disruptionsAllowed: allowed,
    observedGeneration,
    conditions: withCondition(
      before.conditions,
      allowed > 0 ? { status: "True", reason: "SufficientPods", message: "" } : { status: "False", reason: "InsufficientPods", message: "" },
      observedGeneration,
      now
    )
  }
}
