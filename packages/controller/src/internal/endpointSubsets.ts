/** The subsets of Endpoints: addresses that offer the same ports, ready ones and others. Pure. */
import { type CoreV1, PodPhase } from "@reddwarf/api-types"
import * as endpoints from "./serviceEndpoints.js"

/** Addresses that no Endpoints may have. Pods of simulated hosts have them; EndpointSlices show those. */
const isUnstorable = (ip: string): boolean => ip.startsWith("127.") || ip.startsWith("169.254.") || ip === "::1" || ip === "0.0.0.0" || ip === "::"

/** Addresses of one object at most. */
export const limit = 1000

interface Subset {
  readonly ports: ReadonlyArray<CoreV1.EndpointPort>
  readonly ready: Array<CoreV1.EndpointAddress>
  readonly notReady: Array<CoreV1.EndpointAddress>
}

const byAddress = (a: CoreV1.EndpointAddress, b: CoreV1.EndpointAddress): number =>
  a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : (a.targetRef?.uid ?? "") < (b.targetRef?.uid ?? "") ? -1 : 1

const portsOf = (service: CoreV1.Service, pod: CoreV1.Pod): ReadonlyArray<CoreV1.EndpointPort> =>
  endpoints.portsOf(service, pod).map(({ appProtocol, name = "", port = 0, protocol = "TCP" }) => ({
    ...(name === "" ? {} : { name }),
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol })
  }))

export const make = (service: CoreV1.Service, pods: ReadonlyArray<CoreV1.Pod>): { readonly subsets: ReadonlyArray<CoreV1.EndpointSubset>; readonly isTruncated: boolean } => {
  const [family = "IPv4"] = endpoints.familiesOf(service)
  const publishAll = service.spec?.publishNotReadyAddresses === true
  const found = new Map<string, Subset>()
  let count = 0
  // Ready pods first: they are the ones to keep when there are too many.
  for (const pod of [...pods].sort((a, b) => Number(PodPhase.isReady(b)) - Number(PodPhase.isReady(a)))) {
    const ip = PodPhase.isTerminal(pod) || (PodPhase.isTerminating(pod) && !publishAll) ? undefined : endpoints.addressOf(pod, family)
    if (ip === undefined || isUnstorable(ip)) continue
    const ports = portsOf(service, pod)
    if (ports.length === 0 && !(endpoints.isHeadless(service) && (service.spec?.ports ?? []).length === 0)) continue
    if (count++ >= limit) break
    const hostname = endpoints.hostnameOf(service, pod)
    const nodeName = pod.spec?.nodeName ?? ""
    const address = { ip, ...(hostname === undefined ? {} : { hostname }), ...(nodeName === "" ? {} : { nodeName }), targetRef: endpoints.targetOf(pod) }
    const key = JSON.stringify(ports)
    const subset = found.get(key) ?? { ports, ready: [], notReady: [] }
    found.set(key, subset)
    ;(publishAll || PodPhase.isReady(pod) ? subset.ready : subset.notReady).push(address)
  }
  const subsets = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { notReady, ports, ready }]) => ({
    ...(ready.length === 0 ? {} : { addresses: [...ready].sort(byAddress) }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: [...notReady].sort(byAddress) }),
    ...(ports.length === 0 ? {} : { ports })
  }))
  return { subsets, isTruncated: count > limit }
}
