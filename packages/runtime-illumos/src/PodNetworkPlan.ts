/** What must be done so that a host has the wanted pod network: a pure comparison that gives steps with their reasons. */
import * as cidr from "./internal/cidr.js"
import { normalizeMac } from "./internal/macAddress.js"
import * as draftState from "./internal/networkDraft.js"
import { difference } from "./internal/ruleReplacement.js"
import type * as Ipadm from "./Ipadm.js"
import { wanders } from "./IpNat.js"
import * as LinkName from "./LinkName.js"
import * as LinkProperties from "./LinkProperties.js"
import * as NatRule from "./NatRule.js"
import * as Overlay from "./Overlay.js"
import * as PodNetwork from "./PodNetwork.js"
import type { HostLink, PodNetworkState } from "./PodNetworkState.js"

/** One change of the host. Each can be repeated. @category models */
export type Action =
  | { readonly type: "write-overlay-targets"; readonly path: string; readonly content: string }
  | { readonly type: "create-overlay"; readonly options: Overlay.OverlayOptions }
  | { readonly type: "delete-overlay"; readonly link: LinkName.LinkName }
  | { readonly type: "create-etherstub"; readonly link: LinkName.LinkName }
  | { readonly type: "delete-etherstub"; readonly link: LinkName.LinkName }
  | {
    readonly type: "create-vnic"
    readonly link: LinkName.LinkName
    readonly over: LinkName.LinkName
    readonly mac?: string | undefined
    readonly properties: Readonly<Record<string, string>>
  }
  | { readonly type: "delete-vnic"; readonly link: LinkName.LinkName }
  | { readonly type: "set-link-property"; readonly link: LinkName.LinkName; readonly property: string; readonly value: string }
  | { readonly type: "reset-link-property"; readonly link: LinkName.LinkName; readonly property: string }
  | { readonly type: "create-address"; readonly link: LinkName.LinkName; readonly word: string; readonly address: string }
  | { readonly type: "create-link-local-address"; readonly link: LinkName.LinkName; readonly word: string }
  | { readonly type: "delete-address"; readonly link: LinkName.LinkName; readonly word: string }
  | { readonly type: "delete-interface"; readonly link: LinkName.LinkName }
  | { readonly type: "enable-forwarding"; readonly protocol: Ipadm.Protocol }
  | { readonly type: "add-route"; readonly destination: string; readonly gateway: string }
  | { readonly type: "delete-route"; readonly destination: string; readonly gateway: string }
  | { readonly type: "enable-filter-service" }
  | { readonly type: "replace-nat-rules"; readonly remove: ReadonlyArray<string>; readonly add: ReadonlyArray<string> }

/** A change with the observation that asks for it. @category models */
export interface Step {
  readonly action: Action
  readonly reason: string
}

/** A difference that cannot be repaired now, or not by this package. @category models */
export interface Obstacle {
  readonly link: LinkName.LinkName
  readonly detail: string
}

/** @category models */
export interface PodNetworkPlan {
  /** In the order in which they must be taken. */
  readonly steps: ReadonlyArray<Step>
  /** Names that are taken by something of another kind. */
  readonly conflicts: ReadonlyArray<Obstacle>
  /** Differences of links that a zone is using: repaired when it has halted. */
  readonly deferred: ReadonlyArray<Obstacle>
}

/** A step as a line of text. @category combinators */
export const describe = ({ action, reason }: Step): string => {
  const what = (() => {
    switch (action.type) {
      case "write-overlay-targets": return action.path
      case "create-overlay": return `${action.options.name} with network identifier ${action.options.vnetid}`
      case "create-vnic": return `${action.link} over ${action.over}`
      case "set-link-property": return `${action.property}=${action.value} of ${action.link}`
      case "reset-link-property": return `${action.property} of ${action.link}`
      case "create-address": return `${action.link}/${action.word} ${action.address}`
      case "create-link-local-address":
      case "delete-address": return `${action.link}/${action.word}`
      case "enable-forwarding": return action.protocol
      case "add-route":
      case "delete-route": return `${action.destination} via ${action.gateway}`
      case "enable-filter-service": return "ipfilter"
      case "replace-nat-rules": return [...action.remove.map((rule) => `-${rule}`), ...action.add.map((rule) => `+${rule}`)].join(", ")
      case "create-etherstub":
      case "delete-etherstub":
      case "delete-overlay":
      case "delete-vnic":
      case "delete-interface":
        break
    }
    return action.link
  })()
  return `${action.type} ${what}: ${reason}`
}

type Draft = draftState.Draft

interface WantedVnic {
  readonly link: LinkName.LinkName
  readonly over: LinkName.LinkName
  readonly mac?: string | undefined
  readonly mtu?: number | undefined
  readonly maxbw?: number | undefined
}

/** Why a VNIC cannot become the wanted one without being made again; nothing when it is or can. */
const vnicFlaw = (found: HostLink, wanted: WantedVnic): string | undefined => {
  if (found.over !== wanted.over) return `it is over ${found.over}, not ${wanted.over}`
  if (wanted.mac !== undefined && normalizeMac(found.mac) !== normalizeMac(wanted.mac)) return `its MAC address is ${found.mac}, not ${wanted.mac}`
  return undefined
}

const createVnic = (draft: Draft, wanted: WantedVnic, reason: string): void =>
  draft.step({
    type: "create-vnic",
    link: wanted.link,
    over: wanted.over,
    ...(wanted.mac === undefined ? {} : { mac: wanted.mac }),
    properties: LinkProperties.render({ mtu: wanted.mtu, maxbw: wanted.maxbw })
  }, reason)

/** A VNIC of the node itself: nobody else may have it, and its IP interface is ours as well. */
const planNodeVnic = (draft: Draft, wanted: WantedVnic): boolean => {
  const found = draft.link(wanted.link)
  if (found === undefined) {
    createVnic(draft, wanted, "there is no such link")
    return true
  }
  if (found.linkClass !== "vnic") return draft.conflict(wanted.link, `it is a ${found.linkClass}, not a VNIC`)
  if (found.zone !== "") return draft.conflict(wanted.link, `it belongs to the zone ${found.zone}`)
  const flaw = vnicFlaw(found, wanted) ?? (wanted.mtu !== undefined && found.mtu !== wanted.mtu ? `its MTU is ${found.mtu}, not ${wanted.mtu}` : undefined)
  if (flaw === undefined) return true
  draft.removeVnic(wanted.link, flaw)
  createVnic(draft, wanted, flaw)
  return true
}

/** Words of the addresses that are ours; others on the interface belong to somebody else. */
const ownWord = /^v[46](x[1-9][0-9]*)?$/

/** Word by word: what is not wanted goes first, since it may hold an address that another word shall have. */
const planAddresses = (draft: Draft, link: LinkName.LinkName, addresses: ReadonlyArray<string>): void => {
  const families = { v4: 0, v6: 0 }
  const wanted = new Map(addresses.map((address): [string, string] => {
    const family = address.includes(":") ? "v6" : "v4"
    const at = families[family]++
    return [at === 0 ? family : `${family}x${at}`, address]
  }))
  const kept = new Set<string>()
  const was = new Map<string, string>()
  for (const { address, object } of draft.addressesOf(link)) {
    const word = object.slice(link.length + 1)
    const goal = wanted.get(word)
    if (!ownWord.test(word)) continue
    if (goal !== undefined && draftState.sameAddress(address, goal)) {
      kept.add(word)
      continue
    }
    was.set(word, address)
    draft.step({ type: "delete-address", link, word }, goal === undefined ? "the node has no such range" : `it is ${address}, not ${goal}`)
  }
  for (const [word, address] of wanted) {
    if (kept.has(word)) continue
    if (address.includes(":") && !draft.hasLinkLocal(link)) {
      draft.step({ type: "create-link-local-address", link, word: "ll" }, "IPv6 needs it before any other address")
    }
    const before = was.get(word)
    draft.step({ type: "create-address", link, word, address }, before === undefined ? "there is no such address" : `it was ${before}`)
  }
}

const planOverlay = (draft: Draft, network: PodNetwork.PodNetwork): void => {
  const { interconnect } = network
  const options = PodNetwork.overlayOptions(network)
  const targets = PodNetwork.overlayTargets(network)
  if (interconnect?.type !== "vxlan" || options === undefined || targets === undefined) return
  if (draft.state.targets !== targets.content) {
    const reason = draft.state.targets === undefined ? "there is no such file" : "its content is another one"
    draft.step({ type: "write-overlay-targets", path: targets.path, content: targets.content }, reason)
  }
  const found = draft.link(options.name)
  if (found !== undefined && found.linkClass !== "overlay") {
    draft.conflict(options.name, `it is a ${found.linkClass}, not an overlay`)
    return
  }
  const properties = draft.overlays.get(options.name) ?? {}
  const flaw = Object.entries(Overlay.propertiesOf(options)).find(([name, value]) => properties[name] !== value)
  // What was in the file when the overlay was made is what holds, so a file that was not there was never read.
  const unread = draft.state.targets === undefined && found !== undefined
  const reason = found === undefined
    ? "there is no such link"
    : flaw !== undefined
    ? `its ${flaw[0]} is ${properties[flaw[0]] ?? "not set"}, not ${flaw[1]}`
    : unread
    ? "its file of targets was missing"
    : undefined
  if (reason !== undefined) {
    if (found !== undefined) {
      const port = draft.link(interconnect.port)
      if (port?.linkClass === "vnic" && port.zone === "") draft.removeVnic(interconnect.port, "the overlay below it is made again")
      draft.step({ type: "delete-overlay", link: options.name }, reason)
    }
    draft.step({ type: "create-overlay", options }, reason)
  }
  const [address = ""] = interconnect.address.split("/")
  if (planNodeVnic(draft, { link: interconnect.port, over: interconnect.overlay, mac: PodNetwork.overlayMac(address), mtu: network.mtu })) {
    planAddresses(draft, interconnect.port, [interconnect.address])
  }
}

const planSegment = (draft: Draft, network: PodNetwork.PodNetwork): void => {
  const { segment } = network
  if (segment.type === "physical") {
    if (draft.link(segment.link) === undefined) draft.conflict(segment.link, "there is no such link")
    return
  }
  const stub = draft.link(segment.stub)
  if (stub === undefined) draft.step({ type: "create-etherstub", link: segment.stub }, "there is no such link")
  else if (stub.linkClass !== "etherstub") {
    draft.conflict(segment.stub, `it is a ${stub.linkClass}, not an etherstub`)
    return
  }
  if (!planNodeVnic(draft, { link: segment.gateway, over: segment.stub, mac: segment.gatewayMac, mtu: network.mtu })) return
  planAddresses(draft, segment.gateway, network.ranges.flatMap((range) => {
    const net = cidr.parse(range.cidr)
    return net === undefined ? [] : [`${range.gateway}/${net.length}`]
  }))
  for (const [protocol, version] of [["ipv4", 4], ["ipv6", 6]] as const) {
    const needed = network.ranges.some((range) => cidr.parse(range.cidr)?.version === version)
    if (needed && !draft.state.forwarding[protocol]) draft.step({ type: "enable-forwarding", protocol }, "packets of pods would not leave the node")
  }
}

const planRoutes = (draft: Draft, network: PodNetwork.PodNetwork): void => {
  const wanted = PodNetwork.routes(network)
  const ours = PodNetwork.ownedRanges(network)
  const isWanted = (route: { readonly destination: string; readonly gateway: string }) =>
    wanted.some((other) => other.destination === route.destination && draftState.sameAddress(other.gateway, route.gateway))
  for (const route of network.keepRoutes === true ? [] : draft.routes()) {
    const net = cidr.parse(route.destination)
    // Routes to a network the host is attached to come and go with its addresses.
    if (!route.flags.includes("G") || net === undefined || !ours.some((range) => cidr.contains(range, net)) || isWanted(route)) continue
    draft.step({ type: "delete-route", destination: route.destination, gateway: route.gateway }, "no node has this range behind this gateway")
  }
  for (const { destination, gateway } of wanted) {
    const found = draft.routes().some((route) => route.flags.includes("G") && route.destination === destination && draftState.sameAddress(route.gateway, gateway))
    if (!found) draft.step({ type: "add-route", destination, gateway }, "there is no such route")
  }
}

const planTranslation = (draft: Draft, network: PodNetwork.PodNetwork): void => {
  const wanted = PodNetwork.natRules(network).map(NatRule.canonical)
  const current = draft.state.rules.filter(({ rule }) => PodNetwork.isOwnRule(network, rule)).map(({ text }) => text)
  const { filterService } = draft.state
  if (wanted.length > 0 && filterService !== undefined && filterService !== "online") {
    draft.step({ type: "enable-filter-service" }, `the service is ${filterService}, so nothing would be translated`)
  }
  const { added, removed } = difference(wanders, current, wanted)
  if (added.length + removed.length > 0) {
    draft.step(
      { type: "replace-nat-rules", remove: removed, add: added },
      current.length === 0 ? "packets of pods would leave with an address nobody answers" : "the rules are other ones"
    )
  }
}

/** A link that a zone has is protected; one that no zone has must not be, or zoneadmd refuses to take it. */
const planProtection = (draft: Draft, found: HostLink, pod: PodNetwork.PodLink): void => {
  const inZone = found.zone !== ""
  const protection = inZone ? [...(pod.protection ?? LinkProperties.everyProtection)] : []
  const wanted: Readonly<Record<string, string | undefined>> = {
    "allowed-ips": inZone && protection.includes("ip-nospoof") && pod.addresses.length > 0 ? pod.addresses.join(",") : undefined,
    protection: protection.length === 0 ? undefined : protection.join(",")
  }
  for (const [property, value] of Object.entries(wanted)) {
    const current = found.properties[property]
    if (value === undefined) {
      if (current === undefined) continue
      const reason = inZone ? `it is ${current}` : "no zone has the link, and none could take it"
      draft.step({ type: "reset-link-property", link: pod.name, property }, reason)
    } else if (current === undefined || !LinkProperties.equivalent(property, current, value)) {
      draft.step({ type: "set-link-property", link: pod.name, property, value }, `it is ${current ?? "not set"}`)
    }
  }
}

const planBandwidth = (draft: Draft, found: HostLink, pod: PodNetwork.PodLink): void => {
  const current = found.properties["maxbw"]
  if (pod.maxbw === undefined) {
    if (current !== undefined) draft.step({ type: "reset-link-property", link: pod.name, property: "maxbw" }, `it is ${current}, the pod has no limit`)
    return
  }
  const value = LinkProperties.bandwidth(pod.maxbw)
  if (current === undefined || !LinkProperties.equivalent("maxbw", current, value)) {
    draft.step({ type: "set-link-property", link: pod.name, property: "maxbw", value }, `it is ${current ?? "not set"}`)
  }
}

const planPod = (draft: Draft, network: PodNetwork.PodNetwork, pod: PodNetwork.PodLink): void => {
  const wanted: WantedVnic = {
    link: pod.name,
    over: PodNetwork.podLinksOver(network.segment),
    mac: pod.mac,
    mtu: network.mtu,
    maxbw: pod.maxbw
  }
  const found = draft.link(pod.name)
  if (found === undefined) return pod.whenMissing === "leave" ? undefined : createVnic(draft, wanted, "there is no such link")
  if (found.linkClass !== "vnic") {
    draft.conflict(pod.name, `it is a ${found.linkClass}, not a VNIC`)
    return
  }
  const flaw = vnicFlaw(found, wanted)
  const otherMtu = wanted.mtu !== undefined && found.mtu !== wanted.mtu ? `its MTU is ${found.mtu}, not ${wanted.mtu}` : undefined
  const open = flaw ?? otherMtu
  if (open !== undefined && found.zone !== "") draft.defer(pod.name, `${open}, and the zone ${found.zone} uses it`)
  else if (flaw !== undefined) {
    draft.removeVnic(pod.name, flaw)
    return createVnic(draft, wanted, flaw)
  } else if (otherMtu !== undefined) {
    // An IP interface in the global zone would keep the zone from taking the link, too.
    draft.unplumb(pod.name, "it is the link of a pod")
    draft.step({ type: "set-link-property", link: pod.name, property: "mtu", value: String(wanted.mtu) }, otherMtu)
  }
  if (found.zone === "") draft.unplumb(pod.name, "it is the link of a pod")
  planBandwidth(draft, found, pod)
  planProtection(draft, found, pod)
}

const planPods = (draft: Draft, network: PodNetwork.PodNetwork): void => {
  if (network.pods === undefined) return
  for (const pod of network.pods) planPod(draft, network, pod)
  if (network.removeStrayPodLinks !== true) return
  const wanted = new Set<string>(network.pods.map((pod) => pod.name))
  const over = PodNetwork.podLinksOver(network.segment)
  for (const link of draft.links()) {
    const stray = link.linkClass === "vnic" && link.over === over && link.name.startsWith(LinkName.podLinkPrefix) && !wanted.has(link.name) && link.zone === ""
    if (stray && LinkName.is(link.name)) draft.removeVnic(link.name, "no pod has it")
  }
}

/** What earlier settings left, from the top of each stack of links to its bottom. */
const planFormer = (draft: Draft, network: PodNetwork.PodNetwork): void => {
  const { interconnect, segment } = network
  const present = new Set<string>([
    ...(segment.type === "etherstub" ? [segment.stub, segment.gateway] : [segment.link]),
    ...(interconnect?.type === "vxlan" ? [interconnect.overlay, interconnect.port] : []),
    ...(network.pods ?? []).map((pod) => pod.name)
  ])
  const gone = (network.former?.links ?? []).filter((name) => !present.has(name))
  const classes = [["vnic"], ["etherstub", "overlay"]] as const
  for (const round of classes) {
    for (const name of gone) {
      const found = draft.link(name)
      if (found === undefined || !round.some((linkClass) => linkClass === found.linkClass)) continue
      const above = draft.links().filter((link) => link.over === name)
      if (found.zone !== "" || above.length > 0) {
        draft.defer(name, found.zone === "" ? `links are over it: ${above.map((link) => link.name).join(", ")}` : `the zone ${found.zone} uses it`)
      } else if (found.linkClass === "vnic") draft.removeVnic(name, "the network does not have it any more")
      else {
        draft.step({ type: found.linkClass === "overlay" ? "delete-overlay" : "delete-etherstub", link: name }, "the network does not have it any more")
      }
    }
  }
}

/**
 * Compares. The steps take into account what those before them change, so that they are all there is to do; for a host that
 * has the wanted network there are none.
 *
 * @category constructors
 */
export const make = (network: PodNetwork.PodNetwork, state: PodNetworkState): PodNetworkPlan => {
  const draft = draftState.make(state)
  planFormer(draft, network)
  planOverlay(draft, network)
  planSegment(draft, network)
  planRoutes(draft, network)
  planTranslation(draft, network)
  planPods(draft, network)
  return { steps: draft.steps, conflicts: draft.conflicts, deferred: draft.deferred }
}
