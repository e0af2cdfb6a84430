/** Constraints that must hold, as a test of nodes; and the same with pods that come and go. */
import type { NodeInfo } from "../../NodeInfo.js"
import type { PodInfo } from "../../PodInfo.js"
import * as Rejection from "../../Rejection.js"
import type { NodeTest, WhatIf } from "../../SchedulerPlugin.js"
import { domainOf } from "./nodeLabels.js"
import type { PodCounts } from "./podCountsIndex.js"
import * as PodSelection from "./podSelection.js"
import type { SpreadConstraint } from "./spreadConstraints.js"
import type { Deltas, TopologyCounts } from "./topologyCounts.js"

const reason = "node(s) didn't match pod topology spread constraints"
const tooMany = Rejection.unschedulable(reason)
const noLabel = Rejection.unresolvable(`${reason} (missing required label)`)

/** One constraint against the counts of an attempt. */
interface Check {
  readonly constraint: SpreadConstraint
  readonly counts: TopologyCounts
  readonly deltas: Deltas
}

const noDeltas: Deltas = new Map()

/** The most pods a domain may have already for this one to be allowed in. */
const roomOf = ({ constraint, counts, deltas }: Check): number => {
  const minimum = counts.domains() < constraint.minDomains ? 0 : counts.minimum(deltas)
  return constraint.maxSkew + minimum - (constraint.selectsItself ? 1 : 0)
}

const fails = (check: Check, room: number, { node }: NodeInfo): Rejection.Rejection | undefined => {
  const domain = domainOf(node, check.constraint.topologyKey)
  if (domain === undefined) return noLabel
  const delta = check.deltas.size === 0 ? 0 : check.deltas.get(domain) ?? 0
  return check.counts.in(domain) + delta > room ? tooMany : undefined
}

const testOf = (checks: ReadonlyArray<Check>): NodeTest => {
  const rooms = checks.map(roomOf)
  return (node) => {
    for (let i = 0; i < checks.length; i++) {
      const check = checks[i]
      if (check === undefined) continue
      const rejection = fails(check, rooms[i] ?? 0, node)
      if (rejection !== undefined) return rejection
    }
    return undefined
  }
}

const whatIf = (base: ReadonlyArray<Check>): WhatIf => {
  const checks = base.map((check): Check => ({ ...check, deltas: new Map() }))
  let test: NodeTest | undefined
  const change = (pod: PodInfo, { node }: NodeInfo, by: 1 | -1): void => {
    const terminating = pod.pod.metadata.deletionTimestamp !== undefined
    for (const { constraint: { selection, topology }, deltas } of checks) {
      const domain = topology.domainOf(node)
      if (domain === undefined || !PodSelection.selects(selection, pod.shape, terminating)) continue
      deltas.set(domain, (deltas.get(domain) ?? 0) + by)
      test = undefined
    }
  }
  return {
    addPod: (pod, node) => change(pod, node, 1),
    removePod: (pod, node) => change(pod, node, -1),
    test: (node) => (test ??= testOf(checks))(node)
  }
}

/** The test of some constraints, with their counts as they are now. */
export const make = (
  constraints: ReadonlyArray<SpreadConstraint>,
  index: PodCounts
): { readonly test: NodeTest; readonly whatIf: () => WhatIf } => {
  const checks = constraints.map((constraint): Check => ({
    constraint,
    counts: index.byDomain(constraint.selection, constraint.topology),
    deltas: noDeltas
  }))
  return { test: testOf(checks), whatIf: () => whatIf(checks) }
}
