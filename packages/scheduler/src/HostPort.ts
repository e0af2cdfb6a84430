/** Ports of the node itself that pods claim with `hostPort`. */
import { PodResources } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"

/**
 * One claimed port. `ip` is `0.0.0.0` when every address of the node is meant.
 *
 * @category models
 */
export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

const anyAddress = "0.0.0.0"

const claims = (containers: ReadonlyArray<CoreV1.Container>, into: Array<HostPort>): void => {
  for (const container of containers) {
    for (const { hostIP = "", hostPort = 0, protocol = "TCP" } of container.ports ?? []) {
      if (hostPort > 0) into.push({ ip: hostIP === "" ? anyAddress : hostIP, protocol, port: hostPort })
    }
  }
}

const none: ReadonlyArray<HostPort> = []

/**
 * The host ports of a pod's containers and sidecars. Ordinary init containers do not listen beside the others, so they do not claim any.
 *
 * @category constructors
 */
export const ofPod = (pod: CoreV1.Pod): ReadonlyArray<HostPort> => {
  const ports: Array<HostPort> = []
  claims(pod.spec?.containers ?? [], ports)
  const sidecars = pod.spec?.initContainers?.filter(PodResources.isSidecar)
  if (sidecars !== undefined) claims(sidecars, ports)
  return ports.length === 0 ? none : ports
}

/**
 * Whether two claims cannot stand on one node: same protocol and port, on the same address or with one of them on all addresses.
 *
 * @category combinators
 */
export const conflicts = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === anyAddress || b.ip === anyAddress)
