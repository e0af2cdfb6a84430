/** The pod network of one node as it shall be: plain data, checked before it is compared with a host. */
import * as Either from "effect/Either"
import { createHash } from "node:crypto"
import * as cidr from "./internal/cidr.js"
import { normalizeMac } from "./internal/macAddress.js"
import type { LinkName } from "./LinkName.js"
import * as LinkProperties from "./LinkProperties.js"
import * as NatRule from "./NatRule.js"
import { PodNetworkInvalid } from "./NetworkError.js"
import * as Overlay from "./Overlay.js"

/** A range of pod addresses with the node's own address in it, the default router of the pods. @category models */
export interface PodRange {
  /** `10.88.0.0/16`, `fd00:88::/64`. */
  readonly cidr: string
  /** Without prefix length. */
  readonly gateway: string
}

/**
 * What the pods' VNICs are made over: an etherstub, with the node itself as their router, or a physical link, where the pods
 * are neighbours of the node and its IP stack never sees their packets.
 *
 * @category models
 */
export type Segment =
  | {
    readonly type: "etherstub"
    readonly stub: LinkName
    /** The node's own VNIC on the etherstub. */
    readonly gateway: LinkName
    /** Absent lets the host choose one. */
    readonly gatewayMac?: string | undefined
  }
  | { readonly type: "physical"; readonly link: LinkName }

/** How packets of pods get out of the cluster: by a link, with its address as their source. @category models */
export interface Egress {
  readonly link: LinkName
  /** Ports of translated connections. Default 20000 to 39999. */
  readonly ports?: readonly [first: number, last: number] | undefined
}

/** Another node. @category models */
export interface Peer {
  readonly name: string
  /** Its pod ranges. */
  readonly ranges: ReadonlyArray<string>
  /** Its address in the network between the nodes, one per family of its ranges that shall be reachable. */
  readonly addresses: ReadonlyArray<string>
  /** Its address on the overlay; needed there and only there. */
  readonly overlayAddress?: string | undefined
}

/** How pods of several nodes reach each other: by routes through the nodes, or by a VXLAN between them. @category models */
export type Interconnect =
  | { readonly type: "host-gateway" }
  | {
    readonly type: "vxlan"
    readonly overlay: LinkName
    /** The node's own VNIC on the overlay. */
    readonly port: LinkName
    readonly vnetid: number
    /** The node's address in the network below. */
    readonly listenAddress: string
    readonly listenPort?: number | undefined
    /** The node's address on the overlay with prefix length; those of its peers are in the same network. */
    readonly address: string
    /** Folder of the files that tell the overlay where its peers are. */
    readonly directory: string
  }

/** The VNIC of a pod. @category models */
export interface PodLink {
  readonly name: LinkName
  /** Absent lets the host choose one. */
  readonly mac?: string | undefined
  /** What the pod may use as its source, without prefix length. */
  readonly addresses: ReadonlyArray<string>
  /** Mbit/s in both directions together; absent means no limit. */
  readonly maxbw?: number | undefined
  /** Default: every protection. */
  readonly protection?: ReadonlyArray<LinkProperties.Protection> | undefined
  /** A link that is not there is made, or left to whoever starts the pod. Default `create`. */
  readonly whenMissing?: "create" | "leave" | undefined
}

/** What earlier wishes have left; it is removed where the present wish does not have it too. @category models */
export interface Former {
  readonly links?: ReadonlyArray<LinkName> | undefined
  readonly ranges?: ReadonlyArray<string> | undefined
}

/**
 * The network of one node. Links named in it are its own, and so are routes to, and translations from, the addresses of
 * `ranges`, `clusterRanges` and `former.ranges`; nothing else of the host is ever changed, but for forwarding, which is
 * turned on and never off.
 *
 * @category models
 */
export interface PodNetwork {
  readonly segment: Segment
  /** No two overlap. */
  readonly ranges: ReadonlyArray<PodRange>
  /** Ranges of all pods of the cluster: packets to them keep their source. Default: `ranges` and those of the peers. */
  readonly clusterRanges?: ReadonlyArray<string> | undefined
  /** Bytes. Default that of the links. */
  readonly mtu?: number | undefined
  /** Absent: packets of pods leave with their own source. */
  readonly egress?: Egress | undefined
  readonly interconnect?: Interconnect | undefined
  readonly peers?: ReadonlyArray<Peer> | undefined
  /** Routes that none of `peers` asks for stay: it is not known yet whether there are other nodes. Default no. */
  readonly keepRoutes?: boolean | undefined
  /** Absent: links of pods are left alone. */
  readonly pods?: ReadonlyArray<PodLink> | undefined
  /** Removes links that have the name of a pod's link, are over the segment and in no zone, and are not among `pods`. Default no. */
  readonly removeStrayPodLinks?: boolean | undefined
  readonly former?: Former | undefined
}

/** The link that pods' VNICs are made over. @category combinators */
export const podLinksOver = (segment: Segment): LinkName => segment.type === "etherstub" ? segment.stub : segment.link

/** Every range whose addresses belong to the pod network. @category combinators */
export const ownedRanges = (network: PodNetwork): ReadonlyArray<cidr.Cidr> =>
  [
    ...network.ranges.map((range) => range.cidr),
    ...(network.clusterRanges ?? []),
    ...(network.peers ?? []).flatMap((peer) => peer.ranges),
    ...(network.former?.ranges ?? [])
  ].flatMap((text) => cidr.parse(text) ?? [])

/** A MAC address that follows from an address, so that peers know each other's without asking. @category combinators */
export const overlayMac = (address: string): string => {
  const found = cidr.address(address)
  const octets = found?.version === 4
    ? [24n, 16n, 8n, 0n].map((shift) => Number((found.value >> shift) & 255n))
    : [...createHash("sha256").update(address).digest().subarray(0, 4)]
  return normalizeMac(["02", found?.version === 4 ? "52" : "56", ...octets.map((octet) => octet.toString(16))].join(":"))
}

/** The content of the overlay's file of targets, and where it is: another content has another name. @category combinators */
export const overlayTargets = (
  network: PodNetwork
): { readonly path: string; readonly content: string } | undefined => {
  const { interconnect } = network
  if (interconnect?.type !== "vxlan") return undefined
  const family = interconnect.listenAddress.includes(":")
  const content = Overlay.targetsFile((network.peers ?? []).flatMap((peer) => {
    const host = peer.addresses.find((address) => address.includes(":") === family)
    return host === undefined || peer.overlayAddress === undefined ? [] : [{
      mac: overlayMac(peer.overlayAddress),
      address: peer.overlayAddress,
      host,
      ...(interconnect.listenPort === undefined ? {} : { port: interconnect.listenPort })
    }]
  }))
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 16)
  return { path: `${interconnect.directory}/overlay-targets-${hash}.json`, content }
}

/** The overlay that the interconnect wants. @category combinators */
export const overlayOptions = (network: PodNetwork): Overlay.OverlayOptions | undefined => {
  const { interconnect } = network
  const targets = overlayTargets(network)
  return interconnect?.type !== "vxlan" || targets === undefined ? undefined : {
    name: interconnect.overlay,
    vnetid: interconnect.vnetid,
    listenAddress: interconnect.listenAddress,
    listenPort: interconnect.listenPort,
    mtu: network.mtu,
    search: { plugin: "files", config: targets.path }
  }
}

/** The routes to the pods of the peers. @category combinators */
export const routes = (network: PodNetwork): ReadonlyArray<{ readonly destination: string; readonly gateway: string }> => {
  const { interconnect } = network
  if (interconnect === undefined) return []
  return (network.peers ?? []).flatMap((peer) =>
    peer.ranges.flatMap((range) => {
      const gateway = interconnect.type === "vxlan"
        ? peer.overlayAddress
        : peer.addresses.find((address) => address.includes(":") === range.includes(":"))
      // A range of a family without an address of that family cannot be routed to.
      return gateway === undefined || gateway.includes(":") !== range.includes(":") ? [] : [{ destination: cidr.canonical(range), gateway }]
    })
  )
}

const defaultPorts = [20_000, 39_999] as const

/** The translations of packets that leave the cluster. IPv6 is never translated. @category combinators */
export const natRules = (network: PodNetwork): ReadonlyArray<NatRule.NatRule> => {
  const { egress } = network
  if (egress === undefined) return []
  return network.ranges.filter((range) => !range.cidr.includes(":")).flatMap((range): ReadonlyArray<NatRule.NatRule> => {
    const own = cidr.parse(range.cidr)
    // A rule has room for one exception: the widest that holds the node's own range.
    const cluster = (network.clusterRanges ?? [])
      .filter((text) => {
        const outer = cidr.parse(text)
        return own !== undefined && outer !== undefined && cidr.contains(outer, own)
      })
      .sort((a, b) => (cidr.parse(a)?.length ?? 0) - (cidr.parse(b)?.length ?? 0))[0] ?? range.cidr
    const rule: NatRule.MapRule = {
      type: "map",
      link: egress.link,
      from: cidr.canonical(range.cidr),
      to: { network: cidr.canonical(cluster), not: true },
      target: NatRule.linkAddress
    }
    // The first match decides, and the rule with ports matches TCP and UDP only.
    return [{ ...rule, ports: { protocol: "tcp/udp", range: egress.ports ?? defaultPorts } }, rule]
  })
}

/** Whether a listed translation is one of the pod network. @category combinators */
export const isOwnRule = (network: PodNetwork, rule: NatRule.NatRule | undefined): boolean => {
  if (rule?.type !== "map") return false
  // What is translated on the way back to pods belongs to whoever runs their Services.
  if (network.segment.type === "etherstub" && rule.link === network.segment.gateway) return false
  const from = cidr.parse(rule.from)
  return from !== undefined && ownedRanges(network).some((range) => cidr.contains(range, from))
}

const rangeProblems = (network: PodNetwork): ReadonlyArray<string> => {
  const parsed = network.ranges.map((range) => ({ range, net: cidr.parse(range.cidr), gateway: cidr.parse(range.gateway) }))
  const problems = parsed.flatMap(({ gateway, net, range }) => {
    if (net === undefined || !range.cidr.includes("/")) return [`the range ${range.cidr} is not a network`]
    if (gateway === undefined || range.gateway.includes("/")) return [`the gateway ${range.gateway} is not an address`]
    return cidr.contains(net, gateway) ? [] : [`the gateway ${range.gateway} is not in ${range.cidr}`]
  })
  const double = parsed.find(({ net }, at) =>
    net !== undefined && parsed.slice(0, at).some((before) => before.net !== undefined && cidr.overlaps(before.net, net)))
  if (double !== undefined) return [...problems, `the range ${double.range.cidr} overlaps another one`]
  const own = parsed.flatMap(({ net }) => net ?? [])
  const taken = (network.peers ?? []).flatMap((peer) =>
    peer.ranges.flatMap((text) => {
      const net = cidr.parse(text)
      if (net === undefined) return [`the range ${text} of ${peer.name} is not a network`]
      return own.some((range) => cidr.overlaps(range, net)) ? [`the range ${text} of ${peer.name} overlaps the node's own`] : []
    })
  )
  const others = [...(network.clusterRanges ?? []), ...(network.former?.ranges ?? [])]
    .filter((text) => cidr.parse(text) === undefined)
    .map((text) => `${text} is not a network`)
  return [...problems, ...taken, ...others]
}

const linkProblems = (network: PodNetwork): ReadonlyArray<string> => {
  const { interconnect, segment } = network
  const names = [
    ...(segment.type === "etherstub" ? [segment.stub, segment.gateway] : [segment.link]),
    ...(interconnect?.type === "vxlan" ? [interconnect.overlay, interconnect.port] : []),
    ...(network.pods ?? []).map((pod) => pod.name)
  ]
  const double = names.find((name, at) => names.indexOf(name) !== at)
  if (double !== undefined) return [`two links with the name ${double}`]
  return (network.pods ?? []).flatMap((pod) => {
    if (pod.maxbw !== undefined && pod.maxbw < LinkProperties.leastBandwidth) return [`the limit of ${pod.name} is less than 1.2 Mbit/s`]
    if (pod.addresses.length > LinkProperties.mostAllowedIps) return [`${pod.name} has more than ${LinkProperties.mostAllowedIps} addresses`]
    const bad = pod.addresses.find((address) => cidr.address(address) === undefined)
    return bad === undefined ? [] : [`${bad} of ${pod.name} is not an address`]
  })
}

const overlayProblems = (network: PodNetwork): ReadonlyArray<string> => {
  const { interconnect } = network
  if (interconnect?.type !== "vxlan") return []
  const net = cidr.parse(interconnect.address)
  const { vnetid } = interconnect
  if (!Number.isInteger(vnetid) || vnetid < 0 || vnetid > 16_777_215) return [`${vnetid} is not a VXLAN network identifier`]
  if (net === undefined || !interconnect.address.includes("/")) return [`${interconnect.address} is not an address with prefix length`]
  if (cidr.address(interconnect.listenAddress) === undefined) return [`${interconnect.listenAddress} is not an address`]
  if (!/^\/[A-Za-z0-9_./-]*[A-Za-z0-9_-]$/.test(interconnect.directory)) return [`${interconnect.directory} is not a plain absolute path`]
  return (network.peers ?? []).flatMap((peer) => {
    const address = peer.overlayAddress === undefined ? undefined : cidr.parse(peer.overlayAddress)
    return address !== undefined && cidr.contains(net, address) ? [] : [`${peer.name} has no address on the overlay ${cidr.format(net)}`]
  })
}

const mtuProblems = ({ mtu }: PodNetwork): ReadonlyArray<string> =>
  mtu === undefined || (Number.isInteger(mtu) && mtu >= 1280 && mtu <= 9000) ? [] : [`an MTU of ${mtu} is not between 1280 and 9000`]

const egressProblems = (network: PodNetwork): ReadonlyArray<string> => {
  if (network.egress !== undefined && network.segment.type === "physical") {
    return ["packets of pods on a physical link do not pass the node, so it cannot translate them"]
  }
  return natRules(network).flatMap((rule) => Either.match(NatRule.render(rule), { onLeft: ({ detail }) => [detail], onRight: () => [] }))
}

/**
 * The network itself, or what is wrong with it.
 *
 * @category combinators
 */
export const check = (network: PodNetwork): Either.Either<PodNetwork, PodNetworkInvalid> => {
  const problems = [
    ...rangeProblems(network),
    ...linkProblems(network),
    ...overlayProblems(network),
    ...mtuProblems(network),
    ...egressProblems(network)
  ]
  return problems.length === 0
    ? Either.right(network)
    : Either.left(
      new PodNetworkInvalid({ operation: "set up the pod network over", object: podLinksOver(network.segment), detail: problems.join("; ") })
    )
}
