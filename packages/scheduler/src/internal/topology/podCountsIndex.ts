/**
 * Counts of placed pods by selection and topology, kept from attempt to attempt. A count is made by a walk over the kinds of pods when it is
 * first asked for; from then on each pod that comes or goes changes just the counts it is in, without any selector being read again.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import type { NodeInfo } from "../../NodeInfo.js"
import type { PodInfo } from "../../PodInfo.js"
import type { PodShape } from "../../PodShape.js"
import * as SnapshotIndex from "../../SnapshotIndex.js"
import * as NodeLabels from "./nodeLabels.js"
import * as PodSelection from "./podSelection.js"
import * as TopologyCounts from "./topologyCounts.js"

/** The counts as plugins ask for them. */
export interface PodCounts {
  /** Pods of the selection by domain. */
  readonly byDomain: (selection: PodSelection.Selection, topology: TopologyCounts.Topology) => TopologyCounts.TopologyCounts
  /** Pods of the selection by name of the node; a node that is not there has none. */
  readonly byNode: (selection: PodSelection.Selection) => ReadonlyMap<string, number>
  /** Counts that are kept now. */
  readonly kept: () => number
}

/** Entries of all counts together: some 50 bytes each. What was not asked for longest is forgotten first, and counted anew when it is. */
const defaultCapacity = 400_000

const bump = (counts: Map<string, number>, name: string, by: number): void => {
  const count = (counts.get(name) ?? 0) + by
  if (count === 0) counts.delete(name)
  else counts.set(name, count)
}

/**
 * Placed pods that no selection can tell apart. Where each pod has labels of its own there are as many groups as pods, so one that is on a single
 * node holds no map, and one that nobody counts no set.
 */
interface Group {
  readonly shape: PodShape
  readonly terminating: boolean
  /** The first node and its pods. */
  node: string
  pods: number
  others: Map<string, number> | undefined
  counters: Set<Counter> | undefined
}

const addTo = (group: Group, node: string, by: number): void => {
  if (group.pods === 0 && group.others === undefined) group.node = node
  if (group.node === node) group.pods += by
  else bump(group.others ??= new Map(), node, by)
  if (group.others?.size === 0) group.others = undefined
}

const isEmpty = ({ others, pods }: Group): boolean => pods === 0 && others === undefined

interface Groups {
  readonly running: Map<PodShape, Group>
  readonly terminating: Map<PodShape, Group>
}

interface Counter {
  readonly selection: PodSelection.Selection
  readonly groups: Set<Group>
  readonly byNode: Map<string, number>
  readonly byDomain: Map<string, TopologyCounts.Maintained>
}

/** Topologies kept for one selection: pods of one template have few. */
const maxTopologies = 16

/** What a count costs that counts nothing, in entries. */
const emptyCounter = 100

/** The newest counts belong to the attempt under way: these many are kept whatever they cost. */
const keptAlways = 16

/** An index that holds at most `capacity` entries, besides the `atLeast` newest counts. */
export const make = (capacity: number, atLeast = keptAlways): SnapshotIndex.Maintained<PodCounts> => {
  const nodes = new Map<string, CoreV1.Node>()
  const namespaces = new Map<string, Groups>()
  /** By key, longest unused first. */
  const counters = new Map<string, Counter>()

  const sizeOf = (counter: Counter): number => {
    let sum = emptyCounter + counter.byNode.size + counter.groups.size
    for (const counts of counter.byDomain.values()) sum += counts.size()
    return sum
  }

  const link = (counter: Counter, group: Group): void => {
    group.counters ??= new Set()
    group.counters.add(counter)
    counter.groups.add(group)
  }

  const countGroups = (counter: Counter, groups: Groups): void => {
    for (const kind of [groups.running, groups.terminating]) {
      for (const group of kind.values()) {
        if (!PodSelection.selects(counter.selection, group.shape, group.terminating)) continue
        link(counter, group)
        if (group.pods > 0) bump(counter.byNode, group.node, group.pods)
        for (const [name, pods] of group.others ?? []) bump(counter.byNode, name, pods)
      }
    }
  }

  const newCounter = (selection: PodSelection.Selection): Counter => {
    const counter: Counter = { selection, groups: new Set(), byNode: new Map(), byDomain: new Map() }
    const [clause] = selection.clauses
    if (clause?.namespaces === undefined) {
      for (const groups of namespaces.values()) countGroups(counter, groups)
    } else {
      for (const namespace of clause.namespaces) {
        const groups = namespaces.get(namespace)
        if (groups !== undefined) countGroups(counter, groups)
      }
    }
    return counter
  }

  const forget = (counter: Counter): void => {
    counters.delete(counter.selection.key)
    for (const group of counter.groups) group.counters?.delete(counter)
  }

  /** Sizes drift as pods come and go, so they are summed up anew when something is made: rare, and over few counters. */
  const makeRoom = (): void => {
    let size = 0
    for (const counter of counters.values()) size += sizeOf(counter)
    for (const counter of counters.values()) {
      if (size <= capacity || counters.size <= atLeast) return
      size -= sizeOf(counter)
      forget(counter)
    }
  }

  const counterOf = (selection: PodSelection.Selection): Counter => {
    const known = counters.get(selection.key)
    if (known !== undefined) {
      counters.delete(selection.key)
      counters.set(selection.key, known)
      return known
    }
    const counter = newCounter(selection)
    counters.set(selection.key, counter)
    makeRoom()
    return counter
  }

  const newCounts = (counter: Counter, topology: TopologyCounts.Topology): TopologyCounts.Maintained => {
    const counts = TopologyCounts.make(topology)
    if (topology.countsEmpty) {
      for (const node of nodes.values()) {
        const domain = topology.domainOf(node)
        if (domain !== undefined) counts.addNode(domain)
      }
    }
    for (const [name, pods] of counter.byNode) {
      const node = nodes.get(name)
      const domain = node === undefined ? undefined : topology.domainOf(node)
      if (domain !== undefined) counts.addPods(domain, pods)
    }
    return counts
  }

  const groupOf = ({ pod, shape }: PodInfo): Group => {
    let groups = namespaces.get(shape.namespace)
    if (groups === undefined) namespaces.set(shape.namespace, groups = { running: new Map(), terminating: new Map() })
    const terminating = pod.metadata.deletionTimestamp !== undefined
    const kind = terminating ? groups.terminating : groups.running
    const known = kind.get(shape)
    if (known !== undefined) return known
    const group: Group = { shape, terminating, node: "", pods: 0, others: undefined, counters: undefined }
    kind.set(shape, group)
    for (const counter of counters.values()) if (PodSelection.selects(counter.selection, shape, terminating)) link(counter, group)
    return group
  }

  const dropGroup = (group: Group): void => {
    for (const counter of group.counters ?? []) counter.groups.delete(group)
    const groups = namespaces.get(group.shape.namespace)
    const kind = group.terminating ? groups?.terminating : groups?.running
    kind?.delete(group.shape)
    if (groups?.running.size === 0 && groups.terminating.size === 0) namespaces.delete(group.shape.namespace)
  }

  const change = (pod: PodInfo, { name }: NodeInfo, by: 1 | -1): void => {
    const group = groupOf(pod)
    addTo(group, name, by)
    const node = nodes.get(name)
    for (const counter of group.counters ?? []) {
      bump(counter.byNode, name, by)
      if (node === undefined) continue
      for (const counts of counter.byDomain.values()) {
        const domain = counts.view.topology.domainOf(node)
        if (domain !== undefined) counts.addPods(domain, by)
      }
    }
    if (isEmpty(group)) dropGroup(group)
  }

  /** A node leaves its domain and enters another one; its pods go with it. */
  const move = (name: string, old: CoreV1.Node | undefined, next: CoreV1.Node | undefined): void => {
    for (const counter of counters.values()) {
      const pods = counter.byNode.get(name) ?? 0
      for (const counts of counter.byDomain.values()) {
        const { countsEmpty, domainOf } = counts.view.topology
        const from = old === undefined ? undefined : domainOf(old)
        const to = next === undefined ? undefined : domainOf(next)
        if (from === to) continue
        if (from !== undefined) {
          if (pods > 0) counts.addPods(from, -pods)
          if (countsEmpty) counts.removeNode(from)
        }
        if (to !== undefined) {
          if (countsEmpty) counts.addNode(to)
          if (pods > 0) counts.addPods(to, pods)
        }
      }
    }
  }

  return {
    view: {
      byDomain: (selection, topology) => {
        const counter = counterOf(selection)
        const known = counter.byDomain.get(topology.key)
        if (known !== undefined) return known.view
        const counts = newCounts(counter, topology)
        counter.byDomain.set(topology.key, counts)
        const [oldest] = counter.byDomain.keys()
        if (counter.byDomain.size > maxTopologies && oldest !== undefined) counter.byDomain.delete(oldest)
        makeRoom()
        return counts.view
      },
      byNode: (selection) => counterOf(selection).byNode,
      kept: () => counters.size
    },
    nodeAdded: ({ name, node }) => {
      nodes.set(name, node)
      move(name, undefined, node)
    },
    nodeChanged: (_, { name, node }) => {
      const old = nodes.get(name)
      nodes.set(name, node)
      if (old === undefined || !NodeLabels.sameForTopology(old, node)) move(name, old, node)
    },
    nodeRemoved: ({ name }) => {
      move(name, nodes.get(name), undefined)
      nodes.delete(name)
    },
    podAdded: (pod, node) => change(pod, node, 1),
    podRemoved: (pod, node) => change(pod, node, -1)
  }
}

/** The counts of a cluster. */
export const index: SnapshotIndex.SnapshotIndex<PodCounts> = SnapshotIndex.define("PodCounts", () => make(defaultCapacity))
