/** Other nodes of the cluster as the pod network needs them, from their Node objects. */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { type ApiClient, Informer } from "@reddwarf/client"
import { PodNetwork } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { sameJson } from "../internal/sameJson.js"

/** Annotation of a node with its address on the overlay, without prefix length. @category models */
export const overlayAnnotation = "reddwarf.io/overlay-address"

/** The annotation of this node. @category constructors */
export const overlayAnnotations = (interconnect: PodNetwork.Interconnect | undefined): Readonly<Record<string, string>> =>
  interconnect?.type === "vxlan" ? { [overlayAnnotation]: interconnect.address.replace(/\/.*/, "") } : {}

/** The part of a Node's specification that tells the ranges of its pods. @category constructors */
export const rangesOf = (cidrs: ReadonlyArray<string>): Pick<CoreV1.NodeSpec, "podCIDR" | "podCIDRs"> =>
  cidrs[0] === undefined ? {} : { podCIDR: cidrs[0], podCIDRs: cidrs }

/** The ranges that a Node's specification tells. @category combinators */
export const rangesIn = (spec: CoreV1.NodeSpec | undefined): ReadonlyArray<string> =>
  spec?.podCIDRs ?? (spec?.podCIDR === undefined || spec.podCIDR === "" ? [] : [spec.podCIDR])

/** What a node says about itself; absent when that is not enough to reach its pods. @category constructors */
export const peerOf = ({ metadata, spec, status }: CoreV1.Node): PodNetwork.Peer | undefined => {
  const ranges = rangesIn(spec)
  const addresses = (status?.addresses ?? []).flatMap(({ address, type }) => type === "InternalIP" ? [address] : [])
  const overlayAddress = metadata.annotations?.[overlayAnnotation]
  if (metadata.name === undefined || ranges.length === 0 || addresses.length === 0) return undefined
  return { name: metadata.name, ranges, addresses, ...(overlayAddress === undefined ? {} : { overlayAddress }) }
}

/** Nodes with which the network can be set up, and why others were left out. @category models */
export interface Chosen {
  readonly peers: ReadonlyArray<PodNetwork.Peer>
  readonly leftOut: ReadonlyArray<string>
}

/**
 * Leaves out what would make the whole network impossible: one node with a wrong range must not cost the others theirs. Of two nodes with
 * the same range the first by name has it.
 *
 * @category combinators
 */
export const choose = (network: PodNetwork.PodNetwork, candidates: ReadonlyArray<PodNetwork.Peer>): Chosen => {
  const peers: Array<PodNetwork.Peer> = []
  const leftOut: Array<string> = []
  const owners = new Map((network.peers ?? []).flatMap(({ name, ranges }) => ranges.map((range) => [range, name] as const)))
  for (const peer of candidates.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const range = peer.ranges.find((range) => owners.has(range))
    const checked = PodNetwork.check({ ...network, peers: [peer] })
    if (range !== undefined) leftOut.push(`${peer.name}: its range ${range} is that of ${owners.get(range) ?? ""}`)
    else if (Either.isLeft(checked)) leftOut.push(`${peer.name}: ${checked.left.detail}`)
    else {
      for (const own of peer.ranges) owners.set(own, peer.name)
      peers.push(peer)
    }
  }
  return { peers, leftOut }
}

/** @category models */
export interface NodePeers {
  /** Absent until all nodes were heard of once. */
  readonly peers: () => ReadonlyArray<PodNetwork.Peer> | undefined
}

/** Only what is needed, because a cluster may have many nodes. */
const essence = (node: CoreV1.Node): CoreV1.Node => {
  const { podCIDR, podCIDRs } = node.spec ?? {}
  const { annotations, labels: _labels, managedFields: _managedFields, ...metadata } = node.metadata
  const overlay = annotations?.[overlayAnnotation]
  return {
    apiVersion: node.apiVersion,
    kind: node.kind,
    metadata: { ...metadata, ...(overlay === undefined ? {} : { annotations: { [overlayAnnotation]: overlay } }) },
    spec: { ...(podCIDR === undefined ? {} : { podCIDR }), ...(podCIDRs === undefined ? {} : { podCIDRs }) },
    status: { addresses: node.status?.addresses ?? [] }
  }
}

/**
 * Follows the nodes of the cluster as long as the scope lives. `onChange` is called when another node than `self` came, went, or says
 * something else, and once when all were heard of.
 *
 * @category constructors
 */
export const watch = (self: string, onChange: () => void): Effect.Effect<NodePeers, never, ApiClient.ApiClient | Scope.Scope> =>
  Effect.gen(function*() {
    const informer = yield* Informer.make({ kind: Kinds.node, transform: essence })
    informer.onChange((event) => {
      if (!informer.isSynced() || event.object.metadata.name === self) return
      if (event.type === "updated" && sameJson(peerOf(event.old), peerOf(event.object))) return
      onChange()
    })
    yield* Effect.forkScoped(Effect.andThen(informer.hasSynced, () => onChange()))
    return {
      peers: () =>
        informer.isSynced()
          ? informer.list().filter(({ metadata }) => metadata.name !== self).flatMap((node) => peerOf(node) ?? [])
          : undefined
    }
  })
