/**
 * How fast pods may be driven from the nodes of a zone. One node that fails is that node's fault; when most of a zone fails at once, the
 * fault is likelier in the network or in this process, and driving all pods away would make it worse.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import * as conditions from "./conditions.js"

/** `Partial`: more than two nodes are not ready, and those are 55 % or more. `Full`: none is ready. */
export type ZoneState = "Normal" | "Partial" | "Full"

export interface Rates {
  /** Nodes per second of a healthy zone. */
  readonly normal: number
  /** Nodes per second of a large zone that is partly down; in a small one nothing is driven away meanwhile. */
  readonly partial: number
  /** Number of nodes above which a zone is large. */
  readonly largeZone: number
}

const unhealthyShare = 0.55

const isReady = (node: CoreV1.Node): boolean => conditions.find(node.status?.conditions, "Ready")?.status === "True"

/** Region and zone of a node, which together name its zone. */
export const zoneOf = (node: CoreV1.Node): string => {
  const { labels } = node.metadata
  return `${labels?.["topology.kubernetes.io/region"] ?? ""}/${labels?.["topology.kubernetes.io/zone"] ?? ""}`
}

export interface Disruption {
  /** No node of the cluster is ready: then nothing is driven away at all. */
  readonly isTotal: boolean
  readonly zone: ZoneState
  /** Number of nodes of the zone. */
  readonly size: number
}

const stateOf = (ready: number, total: number): ZoneState => {
  const notReady = total - ready
  if (ready === 0 && notReady > 0) return "Full"
  return notReady > 2 && notReady / total >= unhealthyShare ? "Partial" : "Normal"
}

/** How many nodes there are and how many are ready, by zone. Kept by changes: when many nodes fail at once, each is asked about again and again. */
export interface Census {
  readonly add: (node: CoreV1.Node) => void
  readonly remove: (node: CoreV1.Node) => void
  /** How much of the cluster, and of the zone of `node`, is down. `node` counts as it is given, and not as it was added, which is `counted`. */
  readonly disruptionOf: (node: CoreV1.Node, counted: CoreV1.Node | undefined) => Disruption
}

export const census = (): Census => {
  const zones = new Map<string, { readonly ready: number; readonly size: number }>()
  let allReady = 0
  const count = (node: CoreV1.Node | undefined, by: 1 | -1): void => {
    if (node === undefined) return
    const zone = zoneOf(node)
    const { ready, size } = zones.get(zone) ?? { ready: 0, size: 0 }
    const change = isReady(node) ? by : 0
    allReady += change
    if (size + by === 0) zones.delete(zone)
    else zones.set(zone, { ready: ready + change, size: size + by })
  }
  return {
    add: (node) => count(node, 1),
    remove: (node) => count(node, -1),
    disruptionOf: (node, counted) => {
      count(counted, -1)
      count(node, 1)
      const { ready, size } = zones.get(zoneOf(node)) ?? { ready: 0, size: 0 }
      const found = { isTotal: allReady === 0, zone: stateOf(ready, size), size }
      count(node, -1)
      count(counted, 1)
      return found
    }
  }
}

export interface Limiter {
  /** 0 when a node of the zone may be emptied now, which is then counted; else milliseconds until it may be asked again. */
  readonly admit: (zone: string, disruption: Disruption, now: number) => number
}

/** When nothing is allowed at all, how soon that is looked at again. */
const haltedMillis = 10_000

export const limiter = (rates: Rates): Limiter => {
  /** When the next node of a zone may be emptied. */
  const next = new Map<string, number>()
  return {
    admit: (zone, { isTotal, size, zone: state }, now) => {
      const rate = isTotal ? 0 : state === "Partial" ? (size > rates.largeZone ? rates.partial : 0) : rates.normal
      if (rate <= 0) return haltedMillis
      const due = next.get(zone) ?? 0
      if (now < due) return due - now
      next.set(zone, now + 1000 / rate)
      return 0
    }
  }
}
