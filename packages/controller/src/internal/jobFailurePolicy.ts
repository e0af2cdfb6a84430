/** What the policy of a Job says about a pod that failed. Pure. */
import type { BatchV1, CoreV1 } from "@reddwarf/api-types"

/** `counts`: the failure counts against the limit of the Job. `message` says which rule decided. */
export interface Ruling {
  readonly action: BatchV1.PodFailurePolicyAction | undefined
  readonly counts: boolean
  readonly message: string
}

const byDefault: Ruling = { action: undefined, counts: true, message: "" }

interface Exit {
  readonly container: string
  readonly code: number
}

const matchingExit = (requirement: BatchV1.PodFailurePolicyOnExitCodesRequirement, pod: CoreV1.Pod): Exit | undefined => {
  const { containerName, operator, values } = requirement
  for (const { name, state } of [...pod.status?.initContainerStatuses ?? [], ...pod.status?.containerStatuses ?? []]) {
    const code = state?.terminated?.exitCode
    if (code === undefined || code === 0 || (containerName !== undefined && containerName !== name)) continue
    if (values.includes(code) === (operator === "In")) return { container: name, code }
  }
  return undefined
}

const matchingCondition = (patterns: ReadonlyArray<BatchV1.PodFailurePolicyOnPodConditionsPattern>, pod: CoreV1.Pod) =>
  pod.status?.conditions?.find((condition) => patterns.some(({ status = "True", type }) => type === condition.type && status === condition.status))

/** The first rule that matches decides. */
export const rule = (policy: BatchV1.PodFailurePolicy | undefined, pod: CoreV1.Pod): Ruling => {
  const who = `${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""}`
  for (const [index, { action, onExitCodes, onPodConditions = [] }] of (policy?.rules ?? []).entries()) {
    const end = `matching ${action} rule at index ${index}`
    const counts = action !== "Ignore"
    if (onExitCodes !== undefined) {
      const exit = matchingExit(onExitCodes, pod)
      if (exit !== undefined) return { action, counts, message: `Container ${exit.container} for pod ${who} failed with exit code ${exit.code} ${end}` }
    } else {
      const condition = matchingCondition(onPodConditions, pod)
      if (condition !== undefined) return { action, counts, message: `Pod ${who} has condition ${condition.type} ${end}` }
    }
  }
  return byDefault
}
