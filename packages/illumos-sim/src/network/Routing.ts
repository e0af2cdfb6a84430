/** The routing table of the emulated global zone: what follows from addresses, and what route added. */
import type { HostState } from "../HostState.js"
import * as inet from "../internal/inet.js"
import * as Tables from "./Tables.js"

/** A line of the routing table. @category models */
export interface TableEntry {
  /** With prefix length, or `default`. */
  readonly destination: string
  readonly gateway: string
  readonly interface: string
  readonly flags: string
  readonly mtu: number
}

const mtuOf = (host: HostState, name: string): number => name === "lo0" ? 8232 : host.links.find((link) => link.name === name)?.mtu ?? 1500

/** Routes to the networks of the addresses that are up. @category combinators */
export const connected = (host: HostState, bits: 32 | 128): ReadonlyArray<TableEntry> =>
  host.interfaces.flatMap((entry) =>
    entry.addresses.flatMap((object): Array<TableEntry> => {
      const net = inet.parse(object.address)
      const [own = ""] = object.address.split("/")
      if (object.state !== "ok" || net === undefined || net.bits !== bits) return []
      // The loopback address is a host, whatever its prefix length says.
      const host32 = entry.name === "lo0" ? { ...net, value: inet.parse(own)?.value ?? net.value, length: bits } : net
      return [{
        destination: inet.text(host32),
        gateway: own,
        interface: entry.name,
        flags: host32.length === bits ? "UH" : "U",
        mtu: mtuOf(host, entry.name)
      }]
    })
  )

/** Whether a neighbour has the address: only through such a gateway can packets be sent. @category combinators */
export const isNeighbour = (host: HostState, gateway: string): boolean => {
  const address = inet.parse(gateway)
  return address !== undefined && connected(host, address.bits).some((entry) => {
    const net = inet.parse(entry.destination)
    return entry.interface !== "lo0" && net !== undefined && inet.contains(net, address)
  })
}

/** Takes away the routes whose gateway is no neighbour any more, as the kernel does with the addresses of a network. @category combinators */
export const prune = (host: HostState): void => {
  const tables = host.network
  if (tables === undefined || tables.routes.length === 0) return
  tables.routes = tables.routes.filter((route) => isNeighbour(host, route.gateway))
}

/** Whether the text is an IPv6 destination or gateway. */
const isIpv6 = (route: Tables.StaticRoute): boolean => route.gateway.includes(":")

/** The whole table of one family. @category combinators */
export const table = (host: HostState, bits: 32 | 128): ReadonlyArray<TableEntry> => [
  ...Tables.of(host).routes.filter((route) => isIpv6(route) === (bits === 128)).map((route) => ({
    destination: route.destination,
    gateway: route.gateway,
    interface: "",
    flags: route.flags,
    mtu: 0
  })),
  ...connected(host, bits)
]

const widest = (bits: 32 | 128): inet.Net => ({ bits, value: 0n, length: 0 })

/** The entry that packets to the address follow. @category combinators */
export const lookup = (host: HostState, address: inet.Net): TableEntry | undefined => {
  const lengthOf = (entry: TableEntry): number => (entry.destination === "default" ? widest(address.bits) : inet.parse(entry.destination))?.length ?? -1
  return table(host, address.bits)
    .filter((entry) => {
      const net = entry.destination === "default" ? widest(address.bits) : inet.parse(entry.destination)
      return net !== undefined && inet.contains(net, address)
    })
    .sort((a, b) => lengthOf(b) - lengthOf(a))[0]
}
