/** Whether a zone is at rest: nothing of its plans changes by the time that passes. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ZoneInstance } from "@reddwarf/plans"
import * as EnvironmentSources from "../container/EnvironmentSources.js"
import * as ConfigLook from "./ConfigLook.js"
import * as GateAnnotations from "./GateAnnotations.js"

/**
 * No plan is active or waits, no failure is remembered for a while, no gate is to be asked, and no environment is compared with its sources.
 *
 * @category combinators
 */
export const isAtRest = (pod: CoreV1.Pod, instance: ZoneInstance.ZoneInstance): boolean => {
  const { spec, status } = instance
  return status?.phase === "Running" &&
    status.plan === undefined &&
    status.nextPlanNotBefore === undefined &&
    status.backoffTarget === undefined &&
    status.healthySince === undefined &&
    status.failedDigests === undefined &&
    Object.keys(status.consecutiveFailures ?? {}).length === 0 &&
    instance.metadata.deletionTimestamp === undefined &&
    (spec.gates ?? []).length === 0 &&
    !GateAnnotations.hasGates(pod) &&
    !(ConfigLook.applies(pod, instance) && EnvironmentSources.concerns(pod))
}
