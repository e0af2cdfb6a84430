/**
 * How many pods of one selection each domain of a topology has, over the nodes that take part: changed pod by pod, and able to say at any time
 * what the emptiest domain has.
 */
import type { CoreV1 } from "@reddwarf/api-types"

/** Which nodes make domains. */
export interface Topology {
  /** The same for topologies with the same nodes and domains. */
  readonly key: string
  readonly topologyKey: string
  /** The domain of a node; undefined when it does not take part. */
  readonly domainOf: (node: CoreV1.Node) => string | undefined
  /** Domains exist as soon as a node makes them, not only with their first pod. */
  readonly countsEmpty: boolean
}

/** Changes on top of the counts, by domain: for what-if questions. */
export type Deltas = Map<string, number>

/** The counts as plugins read them. */
export interface TopologyCounts {
  readonly topology: Topology
  /** Pods in a domain; 0 when there is no such domain. */
  readonly in: (domain: string) => number
  /** Pods in all domains. */
  readonly total: () => number
  /** How many domains there are. */
  readonly domains: () => number
  /** What the emptiest domain has, with changes; 0 when there is no domain. */
  readonly minimum: (deltas: Deltas) => number
  readonly forEach: (visit: (pods: number, domain: string) => void) => void
}

/** The counts as the index keeps them. Pods are counted only in domains that a node has made. */
export interface Maintained {
  readonly view: TopologyCounts
  readonly addPods: (domain: string, pods: number) => void
  readonly addNode: (domain: string) => void
  readonly removeNode: (domain: string) => void
  /** Domains held: what it costs. */
  readonly size: () => number
}

interface Domain {
  pods: number
  nodes: number
}

/** Counts without nodes and pods. */
export const make = (topology: Topology): Maintained => {
  const domains = new Map<string, Domain>()
  /** How many domains have a number of pods; only numbers with a domain are there. */
  const histogram = new Map<number, number>()
  let total = 0
  let minimum = 0

  const shift = (pods: number, by: number): void => {
    const count = (histogram.get(pods) ?? 0) + by
    if (count === 0) histogram.delete(pods)
    else histogram.set(pods, count)
  }

  const lowest = (): number => {
    let found = Infinity
    for (const pods of histogram.keys()) if (pods < found) found = pods
    return found === Infinity ? 0 : found
  }

  const exists = (domain: Domain): boolean => topology.countsEmpty ? domain.nodes > 0 : domain.pods > 0

  const enter = (pods: number): void => {
    if (histogram.size === 0 || pods < minimum) minimum = pods
    shift(pods, 1)
  }
  const leave = (pods: number): void => {
    shift(pods, -1)
    if (pods === minimum && !histogram.has(pods)) minimum = lowest()
  }

  const change = (name: string, pods: number, nodes: number): void => {
    const domain = domains.get(name) ?? { pods: 0, nodes: 0 }
    const before = domain.pods
    const was = exists(domain)
    domain.pods += pods
    domain.nodes += nodes
    total += pods
    const is = exists(domain)
    if (is) enter(domain.pods)
    if (was) leave(before)
    if (domain.pods === 0 && domain.nodes === 0) domains.delete(name)
    else domains.set(name, domain)
  }

  const withDeltas = (deltas: Deltas): number => {
    let found = Infinity
    let untouched = 0
    const left = new Map<number, number>()
    for (const [name, delta] of deltas) {
      const domain = domains.get(name)
      if (domain === undefined || !exists(domain)) continue
      found = Math.min(found, domain.pods + delta)
      left.set(domain.pods, (left.get(domain.pods) ?? 0) - 1)
    }
    for (const [pods, count] of histogram) {
      if (count + (left.get(pods) ?? 0) === 0) continue
      untouched += 1
      found = Math.min(found, pods)
    }
    return untouched === 0 && found === Infinity ? 0 : found
  }

  return {
    view: {
      topology,
      in: (name) => domains.get(name)?.pods ?? 0,
      total: () => total,
      domains: () => domains.size,
      minimum: (deltas) => deltas.size === 0 ? minimum : withDeltas(deltas),
      forEach: (visit) => domains.forEach(({ pods }, name) => visit(pods, name))
    },
    addPods: (domain, pods) => change(domain, pods, 0),
    addNode: (domain) => change(domain, 0, 1),
    removeNode: (domain) => change(domain, 0, -1),
    size: () => domains.size
  }
}
