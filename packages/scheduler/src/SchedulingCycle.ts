/**
 * The decision for one pod against one snapshot: `(profile, pod, snapshot) => node or diagnosis`.
 *
 * Plain functions over arrays, no effects: this is the loop that runs pods times nodes.
 */
import * as CycleState from "./CycleState.js"
import type { Diagnosis } from "./Diagnosis.js"
import * as Filters from "./internal/podFilters.js"
import * as Scoring from "./internal/scoring.js"
import type { Claimed, Memos, ShapeMemo } from "./internal/shapeMemo.js"
import * as ShapeMemoModule from "./internal/shapeMemo.js"
import type { NodeInfo } from "./NodeInfo.js"
import type { PodInfo } from "./PodInfo.js"
import type { Profile } from "./Profile.js"
import type { Rejection } from "./Rejection.js"
import type { NodeTest, Trial } from "./SchedulerPlugin.js"
import type { Snapshot } from "./Snapshot.js"

/**
 * What was learnt from earlier decisions: give the same value to all decisions of one scheduler. Without it every plugin is asked about every node.
 *
 * @category models
 */
export type Memory = Memos

/**
 * Nothing learnt yet.
 *
 * @category constructors
 */
export const memory: () => Memory = ShapeMemoModule.make

/**
 * `start` is the position of the first node to look at; pass the last decision's `nextStart` on, so that all nodes get their turn when
 * only a part of them is looked at. `random` gives numbers in [0, 1) and settles ties. `nominatedNode` is looked at first and alone if the pod
 * fits there.
 *
 * @category models
 */
export interface Options {
  readonly start?: number
  readonly random: () => number
  readonly state?: CycleState.CycleState
  readonly memory?: Memory
  readonly nominatedNode?: string
}

/**
 * `Placed`: the chosen node, of `feasible` ones among `evaluated`. `Unschedulable`: why not, and the pod's filters for what-if questions.
 *
 * @category models
 */
export type Decision =
  | {
    readonly _tag: "Placed"
    readonly node: string
    readonly feasible: ReadonlyArray<NodeInfo>
    readonly evaluated: number
    readonly nextStart: number
  }
  | {
    readonly _tag: "Unschedulable"
    readonly diagnosis: Diagnosis
    readonly test: NodeTest
    readonly trial: (node: NodeInfo) => Trial
    readonly nextStart: number
  }

const minFeasibleNodes = 100
const minPercentage = 5

/**
 * How many feasible nodes are enough. All in a small cluster; in a large one a share that shrinks as the cluster grows, since the best of
 * many is hardly worse than the best of all. A `percentage` of 0 chooses the share: 50 less one for each 125 nodes, at least 5.
 *
 * @category combinators
 */
export const feasibleNodesToFind = (nodes: number, percentage = 0): number => {
  if (nodes < minFeasibleNodes || percentage >= 100) return nodes
  const share = percentage > 0 ? percentage : Math.max(minPercentage, 50 - Math.floor(nodes / 125))
  return Math.max(minFeasibleNodes, Math.floor((nodes * share) / 100))
}

/**
 * A plugin gave a score outside 0 to 100 after normalisation: a fault of the plugin, thrown so that it shows.
 *
 * @category errors
 */
export const ScoreOutOfRange = Scoring.ScoreOutOfRange

/**
 * The position of the highest total; each of several equal ones is as likely as the others (reservoir sampling). -1 when there are none.
 *
 * @category combinators
 */
export const pickHighest = (totals: ArrayLike<number>, random: () => number): number => {
  let best = -1
  let top = -Infinity
  let ties = 0
  for (let i = 0; i < totals.length; i++) {
    const total = totals[i] ?? -Infinity
    if (total > top) {
      top = total
      best = i
      ties = 1
    } else if (total === top) {
      ties += 1
      if (random() * ties < 1) best = i
    }
  }
  return best
}

const refused = (snapshot: Snapshot, rejection: Rejection, by: Iterable<string>, nextStart: number): Decision => {
  const trial = (node: NodeInfo): Trial => ({
    node: () => node,
    addPod: () => undefined,
    removePod: () => undefined,
    test: () => rejection,
    isLocal: false
  })
  return {
    _tag: "Unschedulable",
    diagnosis: {
      rejections: snapshot.nodes.map(() => rejection),
      preFilterMessage: rejection.reasons.join(", "),
      rejectedBy: new Set(by)
    },
    test: () => rejection,
    trial,
    nextStart
  }
}

/** The filters of one pod as the loop over nodes asks them. */
interface Question {
  readonly profile: Profile
  readonly pod: PodInfo
  readonly snapshot: Snapshot
  readonly filters: Filters.Ready
  readonly memo: ShapeMemo | undefined
  /** Every answer can be remembered. */
  readonly allLocal: boolean
  readonly rejectedBy: Set<string>
  readonly trial: ReturnType<typeof Filters.trialOf>
}

/** Asks the tests in order, of plugins up to and without the place `to` in the profile; `localToo` is false when the local ones are answered already. */
const ask = ({ filters: { tests }, rejectedBy }: Question, node: NodeInfo, to: number, localToo: boolean): Rejection | undefined => {
  for (let i = 0; i < tests.length; i++) {
    const prepared = tests[i]
    if (prepared === undefined || (prepared.local && !localToo)) continue
    if (prepared.order >= to) break
    const rejection = prepared.test(node)
    if (rejection !== undefined) {
      rejectedBy.add(prepared.plugin)
      return rejection
    }
  }
  return undefined
}

/** Brings what is remembered of a node up to date. */
const remember = (tests: ReadonlyArray<Filters.Prepared>, memo: ShapeMemo, position: number, node: NodeInfo): void => {
  memo.asked[position] = node
  memo.verdicts[position] = undefined
  memo.blamed[position] = Infinity
  for (let i = 0; i < tests.length; i++) {
    const prepared = tests[i]
    if (prepared?.local !== true) continue
    const rejection = prepared.test(node)
    if (rejection === undefined) continue
    memo.verdicts[position] = rejection
    memo.blamed[position] = prepared.order
    return
  }
}

/** What was said before of this node with these pods nominated to it. A pod's own nomination is in nobody's way but that of others. */
const knownClaim = ({ allLocal, memo, pod }: Question, node: NodeInfo, position: number, nominated: ReadonlyArray<PodInfo>): Claimed | undefined => {
  const known = allLocal ? memo?.claimed[position] : undefined
  return known !== undefined && known.node === node && known.nominated === nominated && !Filters.includes(nominated, pod) ? known : undefined
}

/** Asks with the pods that are nominated to the node and go before this one. */
const askClaimed = (question: Question, node: NodeInfo, position: number, nominated: ReadonlyArray<PodInfo>): Claimed => {
  let blamed: string | undefined
  const trial = question.trial(node, (plugin) => {
    blamed = plugin
  })
  const claimed: Claimed = { node, nominated, rejection: trial.test(), blamed }
  if (trial.isLocal && question.memo !== undefined) question.memo.claimed[position] = claimed
  return claimed
}

const verdictOf = (question: Question, node: NodeInfo, position: number): Rejection | undefined => {
  const { filters: { tests }, memo, pod, profile, rejectedBy, snapshot } = question
  const nominated = snapshot.nominated.get(node.name)
  if (nominated !== undefined) {
    const claimed = knownClaim(question, node, position, nominated) ??
      (Filters.claimants(snapshot, node.name, pod).length > 0 ? askClaimed(question, node, position, nominated) : undefined)
    if (claimed?.blamed !== undefined) rejectedBy.add(claimed.blamed)
    if (claimed !== undefined) return claimed.rejection
  }
  if (memo === undefined) return ask(question, node, Infinity, true)
  if (memo.asked[position] !== node) remember(tests, memo, position, node)
  const known = memo.verdicts[position]
  const blamed = memo.blamed[position] ?? Infinity
  // A plugin is blamed only when none before it rejects.
  const other = question.allLocal ? undefined : ask(question, node, blamed, false)
  if (other !== undefined || known === undefined) return other
  rejectedBy.add(profile.plugins[blamed]?.name ?? "")
  return known
}

interface Found extends Scoring.Feasible {
  /** By position; made when it is asked for, since a placed pod needs none. */
  readonly rejections: () => ReadonlyArray<Rejection | undefined>
  readonly evaluated: number
}

/** The positions to look at when plugins name the nodes. */
const namedPositions = (names: ReadonlySet<string>, snapshot: Snapshot): ReadonlyArray<number> => {
  const positions: Array<number> = []
  for (const name of names) {
    const position = snapshot.positions.get(name)
    if (position !== undefined) positions.push(position)
  }
  return positions.sort((a, b) => a - b)
}

const search = (question: Question, start: number, enough: number): Found => {
  const { filters: { namedBy, names }, memo, rejectedBy, snapshot } = question
  const all = snapshot.nodes
  const only = names === undefined ? undefined : namedPositions(names, snapshot)
  const size = only === undefined ? all.length : only.length
  const nodes: Array<NodeInfo> = []
  const positions: Array<number> = []
  // One answer a turn, in the same list for all searches of a shape: most of them find a node, and nobody asks for the others.
  const heard = memo?.heard ?? []
  if (size < all.length) for (const plugin of namedBy) rejectedBy.add(plugin)
  let evaluated = 0
  for (; evaluated < size && nodes.length < enough; evaluated++) {
    const turn = only === undefined ? start + evaluated : evaluated
    const position = only === undefined ? (turn < size ? turn : turn - size) : only[turn] ?? -1
    const node = all[position]
    const rejection = node === undefined ? undefined : verdictOf(question, node, position)
    heard[evaluated] = rejection
    if (node !== undefined && rejection === undefined) {
      nodes.push(node)
      positions.push(position)
    }
  }
  // Asked for only when every node was looked at, or every named one.
  const rejections = () => {
    if (only === undefined) return heard.slice(size - start, size).concat(heard.slice(0, size - start))
    const unnamed = Filters.notNamed(namedBy)
    const byPosition = all.map((): Rejection | undefined => unnamed)
    for (let i = 0; i < size; i++) byPosition[only[i] ?? -1] = heard[i]
    return byPosition
  }
  return { nodes, positions, rejections, evaluated: only === undefined ? evaluated : 0 }
}

const prepare = (profile: Profile, pod: PodInfo, snapshot: Snapshot, state: CycleState.CycleState, memo: ShapeMemo | undefined): Filters.Preparation =>
  Filters.prepare(profile, (plugin) => {
    if (memo === undefined || plugin.nodeLocal !== true) return Filters.resultOf(plugin, pod, snapshot, state)
    const known = memo.prepared.get(plugin)
    if (known !== undefined) return known
    const result = Filters.resultOf(plugin, pod, snapshot, state)
    memo.prepared.set(plugin, result)
    return result
  })

/** Whether the pod fits on the node it is nominated to. */
const fitsNominated = (question: Question, name: string): NodeInfo | undefined => {
  const position = question.snapshot.positions.get(name)
  const node = position === undefined ? undefined : question.snapshot.nodes[position]
  if (node === undefined || position === undefined || question.filters.names?.has(name) === false) return undefined
  return verdictOf(question, node, position) === undefined ? node : undefined
}

/**
 * Chooses a node for a pod.
 *
 * @category combinators
 */
export const schedule = (profile: Profile, pod: PodInfo, snapshot: Snapshot, options: Options): Decision => {
  const size = snapshot.nodes.length
  const start = size === 0 ? 0 : (options.start ?? 0) % size
  const state = options.state ?? CycleState.make()
  const memo = options.memory?.of(profile, pod.shape)
  const filters = prepare(profile, pod, snapshot, state, memo)
  if (filters._tag === "Refused") return refused(snapshot, filters.rejection, filters.by, start)

  const rejectedBy = new Set<string>()
  const trial = Filters.trialOf(filters, pod, snapshot)
  const allLocal = filters.tests.every(({ local }) => local)
  const question: Question = { profile, pod, snapshot, filters, memo, allLocal, rejectedBy, trial }
  const nominated = options.nominatedNode === undefined ? undefined : fitsNominated(question, options.nominatedNode)
  if (nominated !== undefined) return { _tag: "Placed", node: nominated.name, feasible: [nominated], evaluated: 1, nextStart: start }

  const found = search(question, start, feasibleNodesToFind(size, profile.percentageOfNodesToScore))
  const nextStart = size === 0 ? 0 : (start + found.evaluated) % size
  const best = found.nodes.length > 1
    ? found.nodes[pickHighest(Scoring.totalsOf(profile, pod, found, snapshot, state, memo), options.random)]
    : found.nodes[0]
  if (best !== undefined) return { _tag: "Placed", node: best.name, feasible: found.nodes, evaluated: found.evaluated, nextStart }
  return {
    _tag: "Unschedulable",
    diagnosis: { rejections: found.rejections(), rejectedBy: new Set(rejectedBy) },
    test: testOf(question),
    trial,
    nextStart
  }
}

const testOf = (question: Question): NodeTest => (node) => {
  const { filters: { namedBy, names } } = question
  return names !== undefined && !names.has(node.name) ? Filters.notNamed(namedBy) : ask(question, node, Infinity, true)
}
