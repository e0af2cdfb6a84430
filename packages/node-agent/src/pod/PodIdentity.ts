/** Who a pod is, and the names and addresses that follow from that. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { Ipam } from "@reddwarf/ipam"
import { LinkName, ZoneName } from "@reddwarf/runtime-illumos"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** Names of what belongs to a pod on the host. They follow from its identity alone. @category models */
export interface Names {
  readonly zone: ZoneName.ZoneName
  readonly link: LinkName.LinkName
}

/** Names that were worked out: each has a hash in it, and every pass over a pod asks for them many times. The oldest go first. */
const known = new Map<string, Names>()
const mostKnown = 1024

/** @category constructors */
export const namesOf = (identity: Files.PodIdentity): Names => {
  // None of the three has a slash in it.
  const key = `${identity.namespace}/${identity.name}/${identity.uid}`
  const before = known.get(key)
  if (before !== undefined) return before
  const names: Names = { zone: ZoneName.zoneNameOf(identity), link: LinkName.linkNameOf(identity) }
  known.set(key, names)
  for (const oldest of known.keys()) {
    if (known.size <= mostKnown) break
    known.delete(oldest)
  }
  return names
}

/** The addresses of a lease, the main one first. @category constructors */
export const addressesOf = ({ addresses: [first, ...rest] }: Ipam.Lease): readonly [string, ...ReadonlyArray<string>] => [
  first.address,
  ...rest.map(({ address }) => address)
]

/** The addresses that the status of a pod shows, the main one first. @category constructors */
export const shownAddresses = ({ status }: CoreV1.Pod): ReadonlyArray<string> =>
  status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP === undefined ? [] : [status.podIP])

/** A pod's uid with its name, as far as the object has them. @category constructors */
export const identityOf = (pod: CoreV1.Pod): Files.PodIdentity => ({
  namespace: pod.metadata.namespace ?? "default",
  name: pod.metadata.name ?? "",
  uid: pod.metadata.uid ?? ""
})
