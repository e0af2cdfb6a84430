/** What of a pod's plans its own conditions tell. Pure. */
import { type CoreV1, PodPhase } from "@reddwarf/api-types"
import type { ZoneInstance } from "@reddwarf/plans"
import * as Either from "effect/Either"
import * as GateAnnotations from "./GateAnnotations.js"

/** Types of the conditions. @category models */
export const types = { active: "reddwarf.io/ZonePlanActive", gates: "reddwarf.io/GatesOpen" } as const

/** One condition, as it is shown. @category models */
export interface PlanCondition {
  readonly type: string
  readonly status: "True" | "False" | "Unknown"
  readonly reason?: string
  readonly message?: string
}

const gatesOf = (pod: CoreV1.Pod, instance: ZoneInstance.ZoneInstance | undefined): ReadonlyArray<PlanCondition> => {
  if (!GateAnnotations.hasGates(pod)) return []
  const gates = GateAnnotations.of(pod)
  if (Either.isLeft(gates)) return [{ type: types.gates, status: "False", reason: "GateConfigInvalid", message: gates.left }]
  const shown = instance?.status?.conditions?.find(({ type }) => type === "GatesOpen")
  return [{
    type: types.gates,
    status: shown?.status ?? "Unknown",
    reason: shown?.reason ?? "GateUnknown",
    ...(shown === undefined || shown.message === "" ? {} : { message: shown.message })
  }]
}

/**
 * The conditions to show. Whether a plan is at work is shown from the first time on that one is seen at work, so that a pod which simply starts
 * costs no further write.
 *
 * @category constructors
 */
export const of = (pod: CoreV1.Pod, instance: ZoneInstance.ZoneInstance | undefined): ReadonlyArray<PlanCondition> => {
  const plan = instance?.status?.plan
  const isActive = plan?.phase === "Active"
  const active: ReadonlyArray<PlanCondition> = isActive
    ? [{ type: types.active, status: "True", reason: plan.type.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase()) }]
    : PodPhase.condition(pod, types.active) === undefined
    ? []
    : [{ type: types.active, status: "False", reason: "Idle" }]
  return [...active, ...gatesOf(pod, instance)]
}
