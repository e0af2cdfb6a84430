/** What this node cannot do for a pod: some of it means that the pod fails, some that a user must know. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { PodEvent } from "./PodEvents.js"

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

const names = (containers: ReadonlyArray<CoreV1.Container>): string => containers.map(({ name }) => name).join(", ")

/**
 * What of the specification this version does not act upon, as events for the pod.
 *
 * @category combinators
 */
export const ignored = (pod: CoreV1.Pod): ReadonlyArray<PodEvent> => {
  const containers = [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []]
  const probed = containers.filter((container) =>
    container.readinessProbe !== undefined || container.livenessProbe !== undefined || container.startupProbe !== undefined)
  const hooked = containers.filter((container) => container.lifecycle !== undefined)
  return [
    ...(probed.length === 0 ? [] : [{
      type: "Warning",
      reason: "ProbesIgnored",
      message: `probes are not executed by this version; containers count as ready while they run: ${names(probed)}`
    } as const]),
    ...(hooked.length === 0 ? [] : [{
      type: "Warning",
      reason: "LifecycleHooksIgnored",
      message: `lifecycle hooks are not executed by this version: ${names(hooked)}`
    } as const])
  ]
}
