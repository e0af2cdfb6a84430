/** What users are told when their pod does not come up: the event, why its containers wait, what is wrong with its sandbox. Pure. */
import type { WaitingReason } from "../pod/ContainerStatus.js"
import type { PodEvent } from "../pod/PodEvents.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import type { BringUpError } from "./PodBringUp.js"

/** @category models */
export interface Told {
  readonly event?: PodEvent
  readonly waiting: WaitingReason
  readonly sandboxProblem?: WaitingReason
}

const creating: WaitingReason = { reason: "ContainerCreating" }

/**
 * Undefined for what concerns the agent alone: the API did not answer.
 *
 * @category constructors
 */
export const of = (error: BringUpError): Told | undefined => {
  const { _tag, message } = error
  if (_tag === "ApiError" || _tag === "DecodeFailure" || _tag === "TransportFailure") return undefined
  if (_tag === "ContainerConfigError") {
    const { container, reason } = error
    return { event: { type: "Warning", reason: "Failed", message: `Error: ${message}`, container }, waiting: { reason, message } }
  }
  // What went wrong was told already, by who pulls.
  if (_tag === "ImageUnavailable") return { waiting: { reason: error.reason, message } }
  if (_tag === "VolumeSetupError") return { event: { type: "Warning", reason: "FailedMount", message }, waiting: creating }
  // No retry brings a brand that the host does not have: users must see at the container why it waits.
  const isRefused = PodSandbox.isRefused(error)
  return {
    event: { type: "Warning", reason: "FailedCreatePodSandBox", message: `Failed to create pod sandbox: ${message}` },
    waiting: isRefused ? { reason: _tag, message } : creating,
    sandboxProblem: { reason: isRefused ? _tag : "FailedCreatePodSandBox", message }
  }
}

/**
 * What is told of a pod that runs: something about it could not be changed.
 *
 * @category constructors
 */
export const whileRunning = ({ _tag, message }: BringUpError): ReadonlyArray<PodEvent> =>
  _tag === "ImageUnavailable" ? [] : [{ type: "Warning", reason: "FailedSync", message: `error syncing pod: ${message}` }]
