import type * as Ipadm from "../Ipadm.js"
import type * as LinkName from "../LinkName.js"
import * as Overlay from "../Overlay.js"
import type { Action, Obstacle, Step } from "../PodNetworkPlan.js"
import type { HostLink, PodNetworkState } from "../PodNetworkState.js"
import type * as Route from "../Route.js"
import * as cidr from "./cidr.js"

/** Whether two texts are the same address, with the same prefix length where both have one. */
export const sameAddress = (a: string, b: string): boolean => {
  const [ipA = "", lengthA] = a.split("/")
  const [ipB = "", lengthB] = b.split("/")
  const [left, right] = [cidr.address(ipA), cidr.address(ipB)]
  return left !== undefined && right !== undefined && left.version === right.version && left.value === right.value && lengthA === lengthB
}

/** The host as it will be after the steps planned so far. */
export interface Draft {
  readonly state: PodNetworkState
  readonly steps: Array<Step>
  readonly conflicts: Array<Obstacle>
  readonly deferred: Array<Obstacle>
  readonly overlays: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly link: (name: string) => HostLink | undefined
  readonly links: () => ReadonlyArray<HostLink>
  readonly addressesOf: (link: LinkName.LinkName) => ReadonlyArray<Ipadm.AddressEntry>
  /** Whether the interface has an IPv6 address that it made itself. */
  readonly hasLinkLocal: (link: LinkName.LinkName) => boolean
  readonly routes: () => ReadonlyArray<Route.RouteEntry>
  readonly step: (action: Action, reason: string) => void
  /** Always false: nothing more can be planned for the link. */
  readonly conflict: (link: LinkName.LinkName, detail: string) => boolean
  readonly defer: (link: LinkName.LinkName, detail: string) => void
  /** Takes the IP interface away, if there is one. */
  readonly unplumb: (link: LinkName.LinkName, reason: string) => void
  /** Takes the IP interface and the VNIC away. */
  readonly removeVnic: (link: LinkName.LinkName, reason: string) => void
}

/** A draft of a host. Mutable, and private to one planning. */
export const make = (state: PodNetworkState): Draft => {
  const links = new Map(state.links.map((link) => [link.name, link]))
  const overlays = new Map(state.overlays.map((overlay) => [overlay.link, overlay.properties]))
  const interfaces = new Set(state.interfaces)
  let addresses = [...state.addresses]
  let routes = [...state.routes]
  const steps: Array<Step> = []
  const conflicts: Array<Obstacle> = []
  const deferred: Array<Obstacle> = []

  /** The kernel drops the routes through gateways that no address is in the network of any more. */
  const dropAddresses = (gone: (entry: Ipadm.AddressEntry) => boolean): void => {
    const nets = addresses.filter(gone).flatMap((entry) => cidr.parse(entry.address) ?? [])
    addresses = addresses.filter((entry) => !gone(entry))
    routes = routes.filter((route) => {
      const gateway = cidr.parse(route.gateway)
      return gateway === undefined || !nets.some((net) => cidr.contains(net, gateway))
    })
  }

  const newLink = (name: string, linkClass: string, rest: Partial<HostLink> = {}): void => {
    links.set(name, { name, linkClass, over: "", mtu: 0, mac: "", zone: "", properties: {}, ...rest })
  }

  const setProperty = (name: string, property: string, value: string | undefined): void => {
    const link = links.get(name)
    if (link === undefined) return
    const { [property]: _, ...others } = link.properties
    links.set(name, {
      ...link,
      ...(property === "mtu" && value !== undefined ? { mtu: Number(value) } : {}),
      properties: value === undefined ? others : { ...others, [property]: value }
    })
  }

  const apply = (action: Action): void => {
    switch (action.type) {
      case "create-etherstub":
        return newLink(action.link, "etherstub")
      case "create-vnic":
        return newLink(action.link, "vnic", {
          over: action.over,
          mac: action.mac ?? "",
          mtu: Number(action.properties["mtu"] ?? 0),
          properties: action.properties
        })
      case "create-overlay":
        newLink(action.options.name, "overlay")
        overlays.set(action.options.name, Overlay.propertiesOf(action.options))
        return
      case "delete-overlay":
      case "delete-etherstub":
      case "delete-vnic":
        links.delete(action.link)
        overlays.delete(action.link)
        return
      case "delete-interface":
        interfaces.delete(action.link)
        return dropAddresses((entry) => entry.object.startsWith(`${action.link}/`))
      case "delete-address":
        return dropAddresses((entry) => entry.object === `${action.link}/${action.word}`)
      case "create-link-local-address":
        interfaces.add(action.link)
        addresses.push({ object: `${action.link}/${action.word}`, type: "addrconf", state: "ok", address: "" })
        return
      case "create-address":
        interfaces.add(action.link)
        addresses.push({ object: `${action.link}/${action.word}`, type: "static", state: "ok", address: action.address })
        return
      case "set-link-property":
        return setProperty(action.link, action.property, action.value)
      case "reset-link-property":
        return setProperty(action.link, action.property, undefined)
      case "add-route":
        routes.push({ destination: action.destination, gateway: action.gateway, interface: "", flags: "UG" })
        return
      case "delete-route":
        routes = routes.filter((route) => route.destination !== action.destination || route.gateway !== action.gateway)
        return
      case "write-overlay-targets":
      case "enable-forwarding":
      case "enable-filter-service":
      case "replace-nat-rules":
        // Nothing that is planned later looks at these.
        return
    }
  }

  const step = (action: Action, reason: string): void => {
    steps.push({ action, reason })
    apply(action)
  }

  const unplumb = (link: LinkName.LinkName, reason: string): void => {
    if (interfaces.has(link)) step({ type: "delete-interface", link }, reason)
  }

  return {
    state,
    steps,
    conflicts,
    deferred,
    overlays,
    link: (name) => links.get(name),
    links: () => [...links.values()],
    addressesOf: (link) => addresses.filter((entry) => entry.object.startsWith(`${link}/`)),
    hasLinkLocal: (link) => addresses.some((entry) => entry.object.startsWith(`${link}/`) && entry.type === "addrconf"),
    routes: () => routes,
    step,
    conflict: (link, detail) => {
      conflicts.push({ link, detail })
      return false
    },
    defer: (link, detail) => void deferred.push({ link, detail }),
    unplumb,
    removeVnic: (link, reason) => {
      unplumb(link, reason)
      step({ type: "delete-vnic", link }, reason)
    }
  }
}
