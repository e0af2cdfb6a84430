/** Pods of one kind evenly over zones, racks, nodes. */
import type { CoreV1, MetaV1 } from "@reddwarf/api-types"
import { admitsNode, forbiddingTaints, isEmptySelector, selects } from "./matching.js"
import { isTerminating, labelsOf, namespaceOf, podsOn, unresolvable, unschedulable, type Verdict, type World } from "./world.js"

type Constraint = CoreV1.TopologySpreadConstraint

const hostname = "kubernetes.io/hostname"
const zone = "topology.kubernetes.io/zone"

const constraintsOf = (pod: CoreV1.Pod, action: string): ReadonlyArray<Constraint> =>
  (pod.spec?.topologySpreadConstraints ?? []).filter((constraint) => constraint.whenUnsatisfiable === action)

/** With the labels that pods of the same revision share. */
const selectorOf = (pod: CoreV1.Pod, { labelSelector, matchLabelKeys = [] }: Constraint): MetaV1.LabelSelector | undefined => {
  const shared = Object.entries(labelsOf(pod)).filter(([key]) => matchLabelKeys.includes(key))
  return labelSelector === undefined ? undefined : { ...labelSelector, matchLabels: { ...labelSelector.matchLabels, ...Object.fromEntries(shared) } }
}

/** An empty selector counts no pods. */
const countOn = (world: World, pod: CoreV1.Pod, constraint: Constraint, node: CoreV1.Node): number => {
  const selector = selectorOf(pod, constraint)
  if (selector === undefined || isEmptySelector(selector)) return 0
  return podsOn(world, node).filter((other) => !isTerminating(other) && namespaceOf(other) === namespaceOf(pod) && selects(selector, labelsOf(other))).length
}

const counts = (pod: CoreV1.Pod, { nodeAffinityPolicy = "Honor", nodeTaintsPolicy = "Ignore" }: Constraint, node: CoreV1.Node): boolean =>
  (nodeAffinityPolicy === "Ignore" || admitsNode(pod, node)) && (nodeTaintsPolicy === "Ignore" || forbiddingTaints(pod, node).length === 0)

const hasAll = (constraints: ReadonlyArray<Constraint>, node: CoreV1.Node): boolean =>
  constraints.every(({ topologyKey }) => labelsOf(node)[topologyKey] !== undefined)

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, each) => total + each, 0)

export const filter = (world: World, pod: CoreV1.Pod, node: CoreV1.Node): Verdict | undefined => {
  const constraints = constraintsOf(pod, "DoNotSchedule")
  for (const constraint of constraints) {
    const { maxSkew, minDomains = 1, topologyKey } = constraint
    const here = labelsOf(node)[topologyKey]
    if (here === undefined) return unresolvable("node(s) didn't match pod topology spread constraints (missing required label)")
    const eligible = world.nodes.filter((each) => hasAll(constraints, each) && counts(pod, constraint, each))
    const domains = [...new Set(eligible.map((each) => labelsOf(each)[topologyKey] ?? ""))]
    const inDomain = (domain: string): number =>
      sum(eligible.filter((each) => labelsOf(each)[topologyKey] === domain).map((each) => countOn(world, pod, constraint, each)))
    const least = domains.length < minDomains ? 0 : Math.min(...domains.map(inDomain))
    const self = selects(selectorOf(pod, constraint), labelsOf(pod)) ? 1 : 0
    if (inDomain(here) + self - least > maxSkew) return unschedulable("node(s) didn't match pod topology spread constraints")
  }
  return undefined
}

/** The services and the owner that pods of this kind have in common. */
const defaultSelector = (world: World, pod: CoreV1.Pod): MetaV1.LabelSelector => {
  const services = world.services.filter((service) =>
    service.metadata.namespace === pod.metadata.namespace && Object.keys(service.spec?.selector ?? {}).length > 0 &&
    selects({ matchLabels: service.spec?.selector ?? {} }, labelsOf(pod))
  )
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)
  const set = owner?.kind !== "ReplicaSet" ? undefined : world.replicaSets.find((each) =>
    each.metadata.namespace === pod.metadata.namespace && each.metadata.name === owner.name
  )
  const matchLabels = Object.assign({}, ...services.map((service) => service.spec?.selector), set?.spec?.selector.matchLabels)
  return { matchLabels, matchExpressions: set?.spec?.selector.matchExpressions ?? [] }
}

interface Wishes {
  readonly constraints: ReadonlyArray<Constraint>
  /** Whether a node must be at a place of each kind to be counted. */
  readonly strict: boolean
}

const wishes = (world: World, pod: CoreV1.Pod): Wishes => {
  if ((pod.spec?.topologySpreadConstraints ?? []).length > 0) return { constraints: constraintsOf(pod, "ScheduleAnyway"), strict: true }
  const labelSelector = defaultSelector(world, pod)
  if (isEmptySelector(labelSelector)) return { constraints: [], strict: false }
  const whenUnsatisfiable = "ScheduleAnyway"
  return {
    constraints: [{ maxSkew: 3, topologyKey: hostname, whenUnsatisfiable, labelSelector }, { maxSkew: 5, topologyKey: zone, whenUnsatisfiable, labelSelector }],
    strict: false
  }
}

/** The scores of the feasible nodes, 0 to 100; undefined when the pod has no wishes. */
export const scores = (world: World, pod: CoreV1.Pod, feasible: ReadonlyArray<CoreV1.Node>): ReadonlyArray<number> | undefined => {
  const { constraints, strict } = wishes(world, pod)
  if (constraints.length === 0) return undefined
  const isCounted = (node: CoreV1.Node): boolean => !strict || hasAll(constraints, node)
  const at = (node: CoreV1.Node, key: string): string => labelsOf(node)[key] ?? ""
  const raw = feasible.map((node) => {
    if (!isCounted(node)) return undefined
    return Math.round(sum(constraints.map((constraint) => {
      const { maxSkew, topologyKey } = constraint
      if (labelsOf(node)[topologyKey] === undefined) return 0
      const candidates = feasible.filter(isCounted)
      const domains = topologyKey === hostname ? candidates.length : new Set(candidates.map((each) => at(each, topologyKey))).size
      const pods = topologyKey === hostname
        ? countOn(world, pod, constraint, node)
        : sum(
          world.nodes
            .filter((each) => isCounted(each) && counts(pod, constraint, each) && at(each, topologyKey) === at(node, topologyKey))
            .map((each) => countOn(world, pod, constraint, each))
        )
      return pods * Math.log(domains + 2) + (maxSkew - 1)
    })))
  })
  const counted = raw.filter((score) => score !== undefined)
  const most = Math.max(0, ...counted)
  const least = Math.min(...counted)
  return raw.map((score) => score === undefined ? 0 : most === 0 ? 100 : Math.trunc((100 * (most + least - score)) / most))
}
