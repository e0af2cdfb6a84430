/** The pod network of the node, as the agent wants it. */
import type { Ipam } from "@reddwarf/ipam"
import { type HostError, LinkName, type PodNetwork, type Route } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"

/** What may be said about the network of a node; every part of it may be left out. @category models */
export interface NodeNetworkOptions {
  /**
   * Link by which packets of pods leave the node with the node's address as their source; `auto` takes the link of the default route.
   * Default: packets keep their source, and whoever is outside must know the way back.
   */
  readonly egressLink?: string | undefined
  /** MTU of the links of pods in bytes. Default that of the etherstub. */
  readonly mtu?: number | undefined
  /** Ranges of all pods of the cluster: packets to them keep their source. Default the node's own. */
  readonly clusterCidrs?: ReadonlyArray<string> | undefined
  /** How the pods of other nodes are reached. Default by routes through the nodes. */
  readonly interconnect?: PodNetwork.Interconnect | undefined
  /** Other nodes. Default none. */
  readonly peers?: ReadonlyArray<PodNetwork.Peer> | undefined
  /** Whether the Node objects of the cluster tell of further nodes: `spec.podCIDRs` and the addresses of type InternalIP. Default no. */
  readonly peersFromNodes?: boolean | undefined
  /** Ranges this node had before: what is left of them is removed. */
  readonly formerCidrs?: ReadonlyArray<string> | undefined
  /** Links this node had before, such as those of a VXLAN: they are removed. */
  readonly formerLinks?: ReadonlyArray<LinkName.LinkName> | undefined
}

/** What the agent knows when it sets up the network. @category models */
export interface Facts {
  readonly stub: LinkName.LinkName
  readonly gatewayLink: LinkName.LinkName
  readonly pools: ReadonlyArray<Pick<Ipam.PoolInfo, "cidr" | "gateway">>
  /** Leases whose range is not configured any more: their pods keep their router until they are gone. */
  readonly outside: ReadonlyArray<Pick<Ipam.Lease, "addresses">>
}

/** What is known of the cluster while the network is compared. @category models */
export interface Seen {
  /** Further nodes. Absent: not known yet, and so no route is taken away. */
  readonly peers?: ReadonlyArray<PodNetwork.Peer> | undefined
  /** Links of the pods that run. Absent: they are left alone. */
  readonly pods?: ReadonlyArray<PodNetwork.PodLink> | undefined
}

/** The link that `egressLink` stands for, if there is one. @category combinators */
export const egressLink = (
  options: NodeNetworkOptions,
  routes: Pick<Route.Routes, "get">
): Effect.Effect<LinkName.LinkName | undefined, HostError.HostError> => {
  const { egressLink: named } = options
  if (named === undefined) return Effect.succeed(undefined)
  if (named !== "auto") return Effect.succeed(LinkName.make(named))
  return routes.get("default").pipe(
    Effect.map((found) => found.interface !== undefined && LinkName.is(found.interface) ? found.interface : undefined),
    Effect.catchTag("RouteNotFound", () => Effect.succeed(undefined))
  )
}

/**
 * The network for the agent's addresses.
 *
 * @category constructors
 */
export const of = (
  facts: Facts,
  options: NodeNetworkOptions,
  egress: LinkName.LinkName | undefined,
  seen: Seen = {}
): PodNetwork.PodNetwork => {
  const ranges = new Map(facts.pools.map(({ cidr, gateway }) => [gateway, { cidr, gateway }]))
  for (const { addresses } of facts.outside) {
    for (const { gateway, outside, prefixLength } of addresses) {
      if (outside && !ranges.has(gateway)) ranges.set(gateway, { cidr: `${gateway}/${prefixLength}`, gateway })
    }
  }
  return {
    segment: { type: "etherstub", stub: facts.stub, gateway: facts.gatewayLink },
    ranges: [...ranges.values()],
    clusterRanges: options.clusterCidrs,
    mtu: options.mtu,
    egress: egress === undefined ? undefined : { link: egress },
    interconnect: options.interconnect ?? { type: "host-gateway" },
    peers: [...options.peers ?? [], ...seen.peers ?? []],
    keepRoutes: options.peersFromNodes === true && seen.peers === undefined,
    pods: seen.pods,
    former: { ranges: options.formerCidrs, links: options.formerLinks }
  }
}
