/** How the status of a pod shows that all its containers start anew. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** The condition, True while containers are being ended for it. @category models */
export interface Condition {
  readonly type: "AllContainersRestarting"
  readonly status: "True" | "False"
  readonly reason?: string
  readonly message?: string
}

const mayHappen = ({ spec }: CoreV1.Pod): boolean =>
  [...spec?.initContainers ?? [], ...spec?.containers ?? []].some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === "RestartAllContainers"))

const endOf: Readonly<Record<string, string>> = { Succeeded: "PodCompleted", Failed: "PodFailed" }

/**
 * Only pods with such a rule have the condition. It lasts as long as it takes to end the containers, which may be too short to be seen.
 *
 * @category combinators
 */
export const condition = (pod: CoreV1.Pod, phase: string, state: Files.PodState | undefined): ReadonlyArray<Condition> => {
  if (!mayHappen(pod)) return []
  const type = "AllContainersRestarting"
  const reason = endOf[phase]
  if (reason !== undefined) return [{ type, status: "False", reason }]
  return state?.restarting === undefined
    ? [{ type, status: "False" }]
    : [{ type, status: "True", reason: "RestartAllContainersStarted", message: "container exited with restart policy rule" }]
}

/** Whether a main container has run before: then the init containers had done their part, whatever they do now. @category combinators */
export const hasStarted = (statuses: ReadonlyArray<CoreV1.ContainerStatus>): boolean =>
  statuses.some(({ lastState, state }) => state?.running !== undefined || lastState?.terminated !== undefined)
