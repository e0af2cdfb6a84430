/** Distributes endpoints over slices, changing as few slices as it can. Pure. */
import { isDeepStrictEqual } from "node:util"
import type { DiscoveryV1 } from "@reddwarf/api-types"
import type { Group } from "./serviceEndpoints.js"

export interface Packing {
  readonly create: ReadonlyArray<Group>
  readonly update: ReadonlyArray<DiscoveryV1.EndpointSlice>
  readonly remove: ReadonlyArray<DiscoveryV1.EndpointSlice>
}

/** By what an endpoint is the same one as before, whatever its state. */
const identity = ({ addresses, targetRef }: DiscoveryV1.Endpoint): string => JSON.stringify([targetRef?.uid, targetRef?.name, addresses])

const keyOf = (addressType: string, ports: ReadonlyArray<DiscoveryV1.EndpointPort> | undefined): string =>
  JSON.stringify([addressType, (ports ?? []).map(({ appProtocol, name, port, protocol }) => JSON.stringify([name ?? "", port, protocol ?? "TCP", appProtocol ?? ""])).sort()])

interface Filled {
  readonly slice: DiscoveryV1.EndpointSlice
  readonly endpoints: Array<DiscoveryV1.Endpoint>
}

const packGroup = (group: Group, slices: ReadonlyArray<DiscoveryV1.EndpointSlice>, limit: number): Packing => {
  const wanted = new Map(group.endpoints.map((endpoint) => [identity(endpoint), endpoint]))
  const filled: ReadonlyArray<Filled> = slices.map((slice) => ({
    slice,
    endpoints: (slice.endpoints ?? []).flatMap((old) => {
      const next = wanted.get(identity(old))
      wanted.delete(identity(old))
      return next === undefined ? [] : [next]
    })
  }))
  const rest = [...wanted.values()]
  // Slices that change anyway are filled first, the fullest of them at the front.
  const isChanged = ({ endpoints, slice }: Filled): boolean => !isDeepStrictEqual(endpoints, slice.endpoints ?? [])
  const order = [...filled].sort((a, b) => Number(isChanged(b)) - Number(isChanged(a)) || b.endpoints.length - a.endpoints.length)
  for (const { endpoints } of order) endpoints.push(...rest.splice(0, Math.max(0, limit - endpoints.length)))
  const create: Array<Group> = []
  while (rest.length > 0) create.push({ ...group, endpoints: rest.splice(0, limit) })
  const empty = filled.filter(({ endpoints }) => endpoints.length === 0)
  const isPlaceholder = group.endpoints.length === 0
  const kept = isPlaceholder ? empty.slice(0, 1) : []
  if (isPlaceholder && kept.length === 0) create.push(group)
  return {
    create,
    update: filled.filter((each) => isChanged(each) && (each.endpoints.length > 0 || kept.includes(each))).map(({ endpoints, slice }) => ({ ...slice, endpoints })),
    remove: empty.filter((each) => !kept.includes(each)).map(({ slice }) => slice)
  }
}

/** What has to be written so that the slices hold the groups, at most `limit` endpoints in each. */
export const pack = (groups: ReadonlyArray<Group>, slices: ReadonlyArray<DiscoveryV1.EndpointSlice>, limit: number): Packing => {
  const byKey = new Map<string, Array<DiscoveryV1.EndpointSlice>>()
  for (const slice of slices) {
    const key = keyOf(slice.addressType, slice.ports)
    byKey.set(key, [...byKey.get(key) ?? [], slice])
  }
  const parts = groups.map((group) => {
    const key = keyOf(group.addressType, group.ports)
    const own = byKey.get(key) ?? []
    byKey.delete(key)
    return packGroup(group, own, limit)
  })
  return {
    create: parts.flatMap(({ create }) => create),
    update: parts.flatMap(({ update }) => update),
    remove: [...parts.flatMap(({ remove }) => remove), ...[...byKey.values()].flat()]
  }
}
