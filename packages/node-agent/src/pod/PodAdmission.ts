/** What this node cannot do for a pod, which means that the pod fails. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"

/** Why a pod will never run here. @category models */
export interface Rejection {
  readonly reason: string
  readonly message: string
}

/**
 * Undefined when the node takes the pod.
 *
 * @category combinators
 */
export const rejection = (pod: CoreV1.Pod): Rejection | undefined => {
  const { hostIPC, hostNetwork, hostPID } = pod.spec ?? {}
  const asked = [hostNetwork === true ? "hostNetwork" : "", hostPID === true ? "hostPID" : "", hostIPC === true ? "hostIPC" : ""].filter(
    (name) => name !== ""
  )
  if (asked.length === 0) return undefined
  return {
    reason: "HostNamespacesNotSupported",
    message: `a pod is a zone with its own network, processes and IPC; remove ${asked.join(", ")}`
  }
}
