/**
 * Why a pod can or cannot go to each node, and how good each would be. Other than a placement it looks at every node, and asks every filter also
 * after one has said no: what would have to change is all that stands here, not only the first of it.
 */
import * as CycleState from "./CycleState.js"
import * as Diagnosis from "./Diagnosis.js"
import * as PodFilters from "./internal/podFilters.js"
import * as NodeInfo from "./NodeInfo.js"
import * as PodInfo from "./PodInfo.js"
import type { Profile } from "./Profile.js"
import type * as Rejection from "./Rejection.js"
import * as Remedy from "./Remedy.js"
import type { NodeScore, SchedulerPlugin } from "./SchedulerPlugin.js"
import * as Snapshot from "./Snapshot.js"

/**
 * One plugin's no. `code` as in `Rejection`; `remedies` say what would have to change.
 *
 * @category models
 */
export interface Objection extends Rejection.Rejection {
  readonly plugin: string
  readonly remedies: ReadonlyArray<string>
}

/**
 * What one plugin thinks of a node: `raw` in its own unit, `normalized` from 0 to 100, `weighted` what it adds to the total.
 *
 * @category models
 */
export interface Points {
  readonly plugin: string
  readonly raw: number
  readonly normalized: number
  readonly weight: number
  readonly weighted: number
}

/**
 * One node: the objections to it, in the order of the profile, so that the first is the one that the message counts; or its scores.
 *
 * @category models
 */
export interface NodeExplanation {
  readonly name: string
  readonly objections: ReadonlyArray<Objection>
  readonly scores: ReadonlyArray<Points>
  /** Sum of the weighted scores; absent when the node cannot take the pod. */
  readonly total?: number
}

/**
 * The whole answer for one pod at one moment.
 *
 * @category models
 */
export interface Explanation {
  /** `namespace/name`. */
  readonly pod: string
  readonly schedulerName: string
  /** The node the pod is on, or is being bound to. The rest is said as if it were not there yet. */
  readonly placedOn?: string
  /** The filters that had something to ask about this pod. */
  readonly filters: ReadonlyArray<string>
  /** What is wrong with the pod itself, whatever the nodes are. */
  readonly refusals: ReadonlyArray<Objection>
  /** In the order of their names. */
  readonly nodes: ReadonlyArray<NodeExplanation>
  /** The nodes that can take it. */
  readonly feasible: number
  /** Those of them with the highest total; the scheduler takes any of these. */
  readonly best: ReadonlyArray<string>
  /** What a pod that finds no node is told, without what preemption adds; empty when there is one. */
  readonly message: string
  /** What it was told at the end of its last attempt, with what preemption added. */
  readonly lastMessage?: string
}

/**
 * The answer to a question about a pod by name: the explanation, or why there is none.
 *
 * @category models
 */
export type Answer =
  | { readonly _tag: "Explained"; readonly explanation: Explanation }
  | { readonly _tag: "NoPod" }
  /** The pod names a scheduler that is not one of the profiles. */
  | { readonly _tag: "OtherScheduler"; readonly schedulerName: string }
  /** Not all of the cluster is known yet. */
  | { readonly _tag: "NotReady" }

interface Prepared {
  readonly filters: ReadonlyArray<PodFilters.Prepared>
  readonly refusals: ReadonlyArray<Objection>
  /** The only nodes that some plugins allow, with the plugins. */
  readonly narrowed: ReadonlyArray<{ readonly plugin: string; readonly names: ReadonlySet<string> }>
}

const prepare = (profile: Profile, pod: PodInfo.PodInfo, snapshot: Snapshot.Snapshot, state: CycleState.CycleState): Prepared => {
  const filters: Array<PodFilters.Prepared> = []
  const refusals: Array<Objection> = []
  const narrowed: Array<{ readonly plugin: string; readonly names: ReadonlySet<string> }> = []
  for (const [order, plugin] of profile.plugins.entries()) {
    const { name, nodeLocal = false } = plugin
    const result = PodFilters.resultOf(plugin, pod, snapshot, state)
    if (result._tag === "Reject") refusals.push({ plugin: name, ...result.rejection, remedies: Remedy.ofRefusal(name) })
    if (result._tag !== "Filter") continue
    filters.push({ plugin: name, order, local: nodeLocal, test: result.test, whatIf: result.whatIf })
    if (result.nodeNames !== undefined) narrowed.push({ plugin: name, names: result.nodeNames })
  }
  return { filters, refusals, narrowed }
}

/** The plugins that narrow the nodes speak first: in a placement nobody else is asked about a node that they leave out. */
const leftOut = ({ narrowed }: Prepared, node: NodeInfo.NodeInfo): { readonly plugin: string; readonly rejection: Rejection.Rejection } | undefined => {
  const first = narrowed.find(({ names }) => !names.has(node.name))
  return first === undefined ? undefined : { plugin: first.plugin, rejection: PodFilters.notNamed(narrowed.map(({ plugin }) => plugin)) }
}

const objectionsTo = (
  prepared: Prepared,
  pod: PodInfo.PodInfo,
  node: NodeInfo.NodeInfo,
  snapshot: Snapshot.Snapshot,
  remedies: Remedy.Remedies
): ReadonlyArray<Objection> => {
  const first = leftOut(prepared, node)
  const objections: Array<Objection> = []
  const add = (plugin: string, rejection: Rejection.Rejection): void => {
    objections.push({ plugin, ...rejection, remedies: remedies[plugin]?.(pod, node, rejection) ?? [] })
  }
  if (first !== undefined) add(first.plugin, first.rejection)
  for (const filter of prepared.filters) {
    if (filter.plugin === first?.plugin) continue
    // Each filter alone, with the pods that were promised room on the node.
    const trial = PodFilters.trialOf({ _tag: "Ready", tests: [filter], names: undefined, namedBy: [] }, pod, snapshot)
    const rejection = trial(node).test()
    if (rejection !== undefined) add(filter.plugin, rejection)
  }
  return objections
}

const scoreBy = (
  plugin: SchedulerPlugin,
  pod: PodInfo.PodInfo,
  feasible: ReadonlyArray<NodeInfo.NodeInfo>,
  snapshot: Snapshot.Snapshot,
  state: CycleState.CycleState
): NodeScore | undefined => {
  const { preScore, score } = plugin
  if (preScore !== undefined) return preScore(pod, feasible, snapshot, state)
  return score === undefined ? undefined : (node) => score(pod, node)
}

/** The points of each feasible node, in their order. */
const scoresOf = (
  profile: Profile,
  pod: PodInfo.PodInfo,
  feasible: ReadonlyArray<NodeInfo.NodeInfo>,
  snapshot: Snapshot.Snapshot,
  state: CycleState.CycleState
): ReadonlyArray<ReadonlyArray<Points>> => {
  const points = feasible.map((): Array<Points> => [])
  if (feasible.length === 0) return points
  for (const plugin of profile.plugins) {
    const nodeScore = scoreBy(plugin, pod, feasible, snapshot, state)
    if (nodeScore === undefined) continue
    const raw = Float64Array.from(feasible, nodeScore)
    const normalized = raw.slice()
    plugin.normalizeScores?.(normalized, pod, feasible, state)
    const weight = profile.weights.get(plugin.name) ?? 1
    for (const [i, ofNode] of points.entries()) {
      const value = normalized[i] ?? 0
      ofNode.push({ plugin: plugin.name, raw: raw[i] ?? 0, normalized: value, weight, weighted: weight * value })
    }
  }
  return points
}

/** The snapshot without the pod, and where it was. */
const withoutIt = (pod: PodInfo.PodInfo, snapshot: Snapshot.Snapshot): { readonly snapshot: Snapshot.Snapshot; readonly placedOn?: string } => {
  const node = snapshot.nodes.find(({ pods }) => pods.some(({ id }) => id === pod.id))
  if (node === undefined) return { snapshot }
  const nodes = snapshot.nodes.map((each) => each === node ? NodeInfo.withoutPod(each, pod.id) : each)
  return { snapshot: Snapshot.make(nodes, snapshot), placedOn: node.name }
}

/** A pod that has its node is asked about as if it had none. */
const unbound = (info: PodInfo.PodInfo): PodInfo.PodInfo => {
  if (info.pod.spec?.nodeName === undefined) return info
  const { nodeName: _, ...spec } = info.pod.spec
  return PodInfo.make({ ...info.pod, spec })
}

const lastMessage = ({ pod }: PodInfo.PodInfo): { readonly lastMessage?: string } => {
  const message = pod.status?.conditions?.find(({ status, type }) => type === "PodScheduled" && status === "False")?.message
  return message === undefined ? {} : { lastMessage: message }
}

const byName = (a: NodeExplanation, b: NodeExplanation): number => a.name < b.name ? -1 : 1

/**
 * Explains what the profile would do with the pod. It changes nothing. Costs every filter for every node: more than a placement in a large cluster.
 * `remedies` are for plugins of one's own, beside those of the built-in ones.
 *
 * @category constructors
 */
export const of = (
  profile: Profile,
  queued: PodInfo.PodInfo,
  cluster: Snapshot.Snapshot,
  remedies: Remedy.Remedies = {}
): Explanation => {
  const pod = unbound(queued)
  const { placedOn, snapshot } = withoutIt(pod, cluster)
  const state = CycleState.make()
  const prepared = prepare(profile, pod, snapshot, state)
  const known = { ...Remedy.builtIn, ...remedies }
  const objections = snapshot.nodes.map((node) => objectionsTo(prepared, pod, node, snapshot, known))
  const feasible = prepared.refusals.length > 0 ? [] : snapshot.nodes.filter((_, i) => objections[i]?.length === 0)
  const points = new Map(scoresOf(profile, pod, feasible, snapshot, state).map((each, i) => [feasible[i]?.name ?? "", each]))
  const nodes = snapshot.nodes.map(({ name }, i): NodeExplanation => {
    const scores = points.get(name)
    return scores === undefined
      ? { name, objections: objections[i] ?? [], scores: [] }
      : { name, objections: [], scores, total: scores.reduce((sum, { weighted }) => sum + weighted, 0) }
  })
  const highest = Math.max(...nodes.map(({ total = -Infinity }) => total))
  const [refusal] = prepared.refusals
  const diagnosis: Diagnosis.Diagnosis = {
    rejections: objections.map(([first]) => first),
    ...(refusal === undefined ? {} : { preFilterMessage: refusal.reasons.join(", ") }),
    rejectedBy: new Set()
  }
  return {
    pod: pod.key,
    schedulerName: profile.schedulerName,
    ...(placedOn === undefined ? {} : { placedOn }),
    filters: prepared.filters.map(({ plugin }) => plugin),
    refusals: prepared.refusals,
    nodes: nodes.toSorted(byName),
    feasible: feasible.length,
    best: nodes.filter(({ total }) => total === highest).map(({ name }) => name).toSorted(),
    message: feasible.length > 0 ? "" : Diagnosis.message(diagnosis),
    ...lastMessage(queued)
  }
}
