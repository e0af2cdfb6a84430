/** The spread constraints of a pod, read once, as counts to ask for. */
import { LabelSelector, NodeSelector, Taints } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import type { PodShape } from "../../PodShape.js"
import * as NodeLabels from "./nodeLabels.js"
import * as PodSelection from "./podSelection.js"
import type { Topology } from "./topologyCounts.js"

/** A constraint of a pod with the pods and nodes that it is about. */
export interface SpreadConstraint {
  readonly maxSkew: number
  readonly topologyKey: string
  readonly minDomains: number
  readonly selector: PodSelection.Selector
  /** The pods that count: of the namespace, and not about to go. */
  readonly selection: PodSelection.Selection
  /** Whether the pod itself will count once it is placed. */
  readonly selectsItself: boolean
  /** The nodes that make domains. */
  readonly topology: Topology
}

/** A constraint before its pods and nodes are known. */
export type Shape = Pick<CoreV1.TopologySpreadConstraint, "maxSkew" | "minDomains" | "nodeAffinityPolicy" | "nodeTaintsPolicy" | "topologyKey">

const nothing = PodSelection.selectorOf(undefined)

const selectionOf = (namespace: string, selector: PodSelection.Selector): PodSelection.Selection =>
  // As in Kubernetes, a selector without requirements counts nobody, though it selects the pod itself.
  PodSelection.make([{ namespaces: new Set([namespace]), selector: LabelSelector.isEverything(selector.selector) ? nothing : selector }], true)

const hardTaints: ReadonlyArray<CoreV1.TaintEffect> = ["NoSchedule", "NoExecute"]

/** Which nodes take part for a pod: those with all the labels, which its node affinity and tolerations admit as far as the policies say. */
const topologyOf = (constraint: Shape, keys: ReadonlyArray<string>, { namespace, spec }: PodShape): Topology => {
  const honorsAffinity = (constraint.nodeAffinityPolicy ?? "Honor") === "Honor" &&
    (spec.nodeSelector !== undefined || spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined)
  const honorsTaints = constraint.nodeTaintsPolicy === "Honor"
  const wanting: CoreV1.Pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace }, spec }
  const tolerations = spec.tolerations ?? []
  const parts: ReadonlyArray<unknown> = [
    constraint.topologyKey,
    keys,
    honorsAffinity ? [spec.nodeSelector, spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution] : 0,
    honorsTaints ? tolerations : 0
  ]
  return {
    key: JSON.stringify(parts),
    topologyKey: constraint.topologyKey,
    countsEmpty: true,
    domainOf: (node) => {
      if (!NodeLabels.hasAll(node, keys)) return undefined
      if (honorsAffinity && !NodeSelector.admits(wanting, node)) return undefined
      if (honorsTaints && !Taints.toleratesAll(tolerations, node.spec?.taints ?? [], hardTaints)) return undefined
      return NodeLabels.domainOf(node, constraint.topologyKey)
    }
  }
}

/** One constraint for pods of a shape; `keys` are the labels that a node must have to take part. */
export const make = (constraint: Shape, selector: PodSelection.Selector, keys: ReadonlyArray<string>, shape: PodShape): SpreadConstraint => ({
  maxSkew: constraint.maxSkew,
  topologyKey: constraint.topologyKey,
  minDomains: constraint.minDomains ?? 1,
  selector,
  selection: selectionOf(shape.namespace, selector),
  selectsItself: LabelSelector.matches(selector.selector, shape.labels),
  topology: topologyOf(constraint, keys, shape)
})

/** The topologies of some constraints, each once. */
export const keysOf = (constraints: ReadonlyArray<Shape>): ReadonlyArray<string> =>
  [...new Set(constraints.map(({ topologyKey }) => topologyKey))].sort()

const ofAction = (shape: PodShape, action: CoreV1.UnsatisfiableConstraintAction): ReadonlyArray<SpreadConstraint> => {
  const own = (shape.spec.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
  const keys = keysOf(own)
  return own.map((constraint) => {
    const further = PodSelection.sameLabels(constraint.matchLabelKeys, shape.labels, "In", constraint.labelSelector)
    return make(constraint, PodSelection.selectorOf(constraint.labelSelector, further), keys, shape)
  })
}

/** Constraints that must hold, and those that should. */
export interface OwnConstraints {
  readonly hard: ReadonlyArray<SpreadConstraint>
  readonly soft: ReadonlyArray<SpreadConstraint>
}

const memo = new WeakMap<PodShape, OwnConstraints>()

/** The constraints that pods of a shape have written themselves. */
export const of = (shape: PodShape): OwnConstraints => {
  const known = memo.get(shape)
  if (known !== undefined) return known
  const constraints = { hard: ofAction(shape, "DoNotSchedule"), soft: ofAction(shape, "ScheduleAnyway") }
  memo.set(shape, constraints)
  return constraints
}

/** Whether pods of the shape say anything about spreading themselves. */
export const hasOwn = ({ spec }: PodShape): boolean => (spec.topologySpreadConstraints?.length ?? 0) > 0
