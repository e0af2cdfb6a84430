/** The settings of `reddwarf-agent run` that are about the pod network. */
import { Options } from "@effect/cli"
import { Settings } from "@reddwarf/cli"
import { Names } from "@reddwarf/api-types"
import type { NodeNetwork } from "@reddwarf/node-agent"
import { LinkName, type PodNetwork } from "@reddwarf/runtime-illumos"
import { Either, Option } from "effect"
import { isIP, isIPv4 } from "node:net"
import { join } from "node:path"
import type { Host } from "./Host.js"

const isNetwork = (text: string): boolean => {
  const [address = "", length = "", ...rest] = text.split("/")
  return isIP(address) !== 0 && rest.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= (isIPv4(address) ? 32 : 128)
}

const networks = (text: string): Option.Option<ReadonlyArray<string>> => {
  const words = text.split(",").map((word) => word.trim())
  return words.every(isNetwork) ? Option.some(words) : Option.none()
}

const peers = (text: string): Option.Option<NonNullable<NodeNetwork.NodeNetworkOptions["peers"]>> => {
  const pairs = text.split(",").map((word) => word.trim().split("="))
  const found = pairs.flatMap(([range = "", address = "", ...rest]) =>
    isNetwork(range) && isIP(address) !== 0 && range.includes(":") === address.includes(":") && rest.length === 0
      ? [{ name: address, ranges: [range], addresses: [address] }]
      : [])
  return found.length === pairs.length ? Option.some(found) : Option.none()
}

const addresses = (text: string): Option.Option<ReadonlyArray<string>> => {
  const words = text.split(",").map((word) => word.trim())
  return words.every((word) => isIP(word) !== 0) ? Option.some(words) : Option.none()
}

export const options = {
  podCidr: Settings.text("pod-cidr").pipe(
    Options.filterMap(networks, "pod-cidr must be networks joined by commas, such as 10.88.1.0/24 or 10.88.1.0/24,fd00:88:1::/64"),
    Options.optional,
    Options.withDescription("addresses of this node's pods, which get one of each family, the first being the main one; default 10.88.0.0/16, on a simulated host 127.88.0.0/16")
  ),
  egressLink: Settings.text("egress-link").pipe(
    Options.filterMap((text) => text === "auto" || text === "none" || LinkName.is(text) ? Option.some(text) : Option.none(), "egress-link must be the name of a link, auto, or none"),
    Options.optional,
    Options.withDescription("link by which packets of pods leave the node with its address; auto is the link of the default route; default auto, on a simulated host none")
  ),
  podMtu: Settings.integer("pod-mtu", 1280, 9000).pipe(Options.optional, Options.withDescription("MTU of the links of pods; default that of the etherstub")),
  clusterCidr: Settings.text("cluster-cidr").pipe(
    Options.filterMap(networks, "cluster-cidr must be networks joined by commas, such as 10.88.0.0/16"),
    Options.optional,
    Options.withDescription("addresses of all pods of the cluster, to which packets keep their source; default those of this node")
  ),
  podRoutes: Settings.text("pod-routes").pipe(
    Options.filterMap(peers, "pod-routes must be NETWORK=ADDRESS joined by commas, such as 10.88.2.0/24=192.0.2.12"),
    Options.optional,
    Options.withDescription("pods of other nodes and the address of the node that has them")
  ),
  podPeers: Settings.choice("pod-peers", ["nodes", "none"]).pipe(
    Options.optional,
    Options.withDescription("whether further nodes are found by the Node objects of the cluster; default nodes, on a simulated host none")
  ),
  overlayAddress: Settings.text("overlay-address").pipe(
    Options.filterMap((text) => isNetwork(text) ? Option.some(text) : Option.none(), "overlay-address must be an address with prefix length, such as 172.30.0.11/24"),
    Options.optional,
    Options.withDescription("address of this node on a VXLAN between the nodes, by which they reach each other's pods; default: no VXLAN, routes through the nodes")
  ),
  overlayId: Settings.orElse(Settings.integer("overlay-id", 1, 16_777_215), 4096, "network identifier of the VXLAN"),
  overlayPort: Settings.orElse(Settings.integer("overlay-port", 1, 65_535), 4789, "UDP port of the VXLAN"),
  clusterDns: Settings.text("cluster-dns").pipe(
    Options.filterMap(addresses, "cluster-dns must be addresses joined by commas, such as 10.96.0.10"),
    Options.optional,
    Options.withDescription("name servers of the cluster; default none: pods use those of the node")
  ),
  clusterDomain: Settings.text("cluster-domain").pipe(
    Options.withDefault("cluster.local"),
    Options.filterMap((text) => Names.isDns1123Subdomain(text).length === 0 ? Option.some(text) : Option.none(), "cluster-domain must be a domain such as cluster.local"),
    Options.withDescription("domain of the names of Services and pods")
  )
}

type Value<A> = A extends Options.Options<infer B> ? B : never

type Values = { readonly [K in keyof typeof options]: Value<(typeof options)[K]> }

const isLoopback = (cidr: string): boolean => cidr.startsWith("127.") || cidr.includes(":")

/** The ranges of this node's pods, or the one that the host cannot have. */
export const podCidrs = (host: Host, settings: Pick<Values, "podCidr">): Either.Either<readonly [string, ...ReadonlyArray<string>], string> => {
  const fallback = host === "sim" ? "127.88.0.0/16" : "10.88.0.0/16"
  const [first = fallback, ...rest] = Option.getOrElse(settings.podCidr, () => [fallback])
  const foreign = host === "sim" ? [first, ...rest].find((cidr) => !isLoopback(cidr)) : undefined
  return foreign === undefined ? Either.right([first, ...rest]) : Either.left(foreign)
}

/** What the settings mean for the agent. */
export const networkOf = (
  { dataDir, host, nodeAddress }: { readonly dataDir: string; readonly host: Host; readonly nodeAddress: string },
  settings: Values
): NodeNetwork.NodeNetworkOptions => {
  const egressLink = Option.getOrElse(settings.egressLink, () => host === "sim" ? "none" : "auto")
  return {
    egressLink: egressLink === "none" ? undefined : egressLink,
    mtu: Option.getOrUndefined(settings.podMtu),
    clusterCidrs: Option.getOrUndefined(settings.clusterCidr),
    peers: Option.getOrUndefined(settings.podRoutes),
    peersFromNodes: Option.getOrElse(settings.podPeers, () => host === "sim" ? "none" : "nodes") === "nodes",
    interconnect: Option.getOrUndefined(Option.map(settings.overlayAddress, (address): PodNetwork.Interconnect => ({
      type: "vxlan",
      overlay: LinkName.make("rdovl0"),
      port: LinkName.make("rdport0"),
      vnetid: settings.overlayId,
      listenAddress: nodeAddress,
      listenPort: settings.overlayPort,
      address,
      directory: join(dataDir, "network")
    }))),
    // A VXLAN that the settings do not have any more goes.
    formerLinks: Option.isSome(settings.overlayAddress) ? undefined : [LinkName.make("rdport0"), LinkName.make("rdovl0")]
  }
}
