/**
 * The decision for one pod against one snapshot: `(profile, pod, snapshot) => node or diagnosis`.
 *
 * Plain functions over arrays, no effects: this is the loop that runs pods times nodes.
 */
import type { Diagnosis } from "./Diagnosis.js"
import type { NodeInfo } from "./NodeInfo.js"
import type { PodInfo } from "./PodInfo.js"
import type { Profile } from "./Profile.js"
import * as Rejection from "./Rejection.js"
import * as Scores from "./Scores.js"
import type { NodeScore, NodeTest } from "./SchedulerPlugin.js"
import type { Snapshot } from "./Snapshot.js"

/**
 * `start` is the position of the first node to look at; pass the last decision's `nextStart` on, so that all nodes get their turn when
 * only a part of them is looked at. `random` gives numbers in [0, 1) and settles ties.
 *
 * @category models
 */
export interface Options {
  readonly start?: number
  readonly random: () => number
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
  | { readonly _tag: "Unschedulable"; readonly diagnosis: Diagnosis; readonly test: NodeTest; readonly nextStart: number }

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

interface Prepared {
  readonly plugin: string
  readonly test: NodeTest
}

type Preparation =
  | { readonly _tag: "Ready"; readonly tests: ReadonlyArray<Prepared>; readonly names?: ReadonlySet<string>; readonly namedBy: ReadonlyArray<string> }
  | { readonly _tag: "Refused"; readonly rejection: Rejection.Rejection; readonly by: ReadonlyArray<string> }

const intersection = (a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> => new Set([...a].filter((name) => b.has(name)))

const prepare = (profile: Profile, pod: PodInfo, snapshot: Snapshot): Preparation => {
  const tests: Array<Prepared> = []
  const namedBy: Array<string> = []
  let names: ReadonlySet<string> | undefined
  for (const plugin of profile.plugins) {
    if (plugin.preFilter === undefined) {
      const filter = plugin.filter
      if (filter !== undefined) tests.push({ plugin: plugin.name, test: (node) => filter(pod, node) })
      continue
    }
    const result = plugin.preFilter(pod, snapshot)
    if (result._tag === "Skip") continue
    if (result._tag === "Reject") return { _tag: "Refused", rejection: result.rejection, by: [plugin.name] }
    tests.push({ plugin: plugin.name, test: result.test })
    if (result.nodeNames === undefined) continue
    namedBy.push(plugin.name)
    names = names === undefined ? result.nodeNames : intersection(names, result.nodeNames)
    if (names.size === 0) {
      const reason = `node(s) didn't satisfy plugin(s) [${namedBy.toSorted().join(" ")}]${namedBy.length > 1 ? " simultaneously" : ""}`
      return { _tag: "Refused", rejection: Rejection.unresolvable(reason), by: namedBy }
    }
  }
  return names === undefined ? { _tag: "Ready", tests, namedBy } : { _tag: "Ready", tests, names, namedBy }
}

/**
 * A plugin gave a score outside 0 to 100 after normalisation: a fault of the plugin, thrown so that it shows.
 *
 * @category errors
 */
export class ScoreOutOfRange extends RangeError {
  override readonly name = "ScoreOutOfRange"
}

const addWeighted = (
  totals: Float64Array,
  scores: Float64Array,
  weight: number,
  plugin: string,
  feasible: ReadonlyArray<NodeInfo>
): void => {
  for (let i = 0; i < scores.length; i++) {
    const value = scores[i] ?? Number.NaN
    if (!(value >= 0 && value <= Scores.max)) {
      throw new ScoreOutOfRange(
        `plugin ${plugin} gave node ${feasible[i]?.name} the score ${value}; give 0 to ${Scores.max}, or add normalizeScores`
      )
    }
    totals[i] = (totals[i] ?? 0) + weight * value
  }
}

const chooseBest = (profile: Profile, pod: PodInfo, feasible: ReadonlyArray<NodeInfo>, snapshot: Snapshot, random: () => number): number => {
  const totals = new Float64Array(feasible.length)
  const scores = new Float64Array(feasible.length)
  for (const plugin of profile.plugins) {
    const { score, preScore } = plugin
    const nodeScore: NodeScore | undefined = preScore !== undefined
      ? preScore(pod, feasible, snapshot)
      : score === undefined
      ? undefined
      : (node) => score(pod, node)
    if (nodeScore === undefined) continue
    // Indexed loops here and in Scores: iterators cost several times as much, once per node and plugin.
    for (let i = 0; i < feasible.length; i++) {
      const node = feasible[i]
      if (node !== undefined) scores[i] = nodeScore(node)
    }
    plugin.normalizeScores?.(scores)
    addWeighted(totals, scores, profile.weights.get(plugin.name) ?? 1, plugin.name, feasible)
  }
  return pickHighest(totals, random)
}

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

const refused = (snapshot: Snapshot, rejection: Rejection.Rejection, by: Iterable<string>, nextStart: number): Decision => ({
  _tag: "Unschedulable",
  diagnosis: {
    rejections: snapshot.nodes.map(() => rejection),
    preFilterMessage: rejection.reasons.join(", "),
    rejectedBy: new Set(by)
  },
  test: () => rejection,
  nextStart
})

/**
 * Chooses a node for a pod.
 *
 * @category combinators
 */
export const schedule = (profile: Profile, pod: PodInfo, snapshot: Snapshot, options: Options): Decision => {
  const { nodes } = snapshot
  const start = nodes.length === 0 ? 0 : (options.start ?? 0) % nodes.length
  const preparation = prepare(profile, pod, snapshot)
  if (preparation._tag === "Refused") return refused(snapshot, preparation.rejection, preparation.by, start)

  const { tests, names, namedBy } = preparation
  const notNamed = Rejection.unresolvable(`node(s) didn't satisfy plugin(s) [${namedBy.toSorted().join(" ")}]`)
  const rejectedBy = new Set<string>()
  const test: NodeTest = (node) => {
    if (names !== undefined && !names.has(node.name)) {
      for (const plugin of namedBy) rejectedBy.add(plugin)
      return notNamed
    }
    for (const prepared of tests) {
      const rejection = prepared.test(node)
      if (rejection !== undefined) {
        rejectedBy.add(prepared.plugin)
        return rejection
      }
    }
    return undefined
  }

  const enough = feasibleNodesToFind(nodes.length, profile.percentageOfNodesToScore)
  const feasible: Array<NodeInfo> = []
  const rejections = nodes.map((): Rejection.Rejection | undefined => undefined)
  let evaluated = 0
  for (; evaluated < nodes.length && feasible.length < enough; evaluated++) {
    const position = (start + evaluated) % nodes.length
    const node = nodes[position]
    if (node === undefined) continue
    const rejection = test(node)
    if (rejection === undefined) feasible.push(node)
    else rejections[position] = rejection
  }
  const nextStart = nodes.length === 0 ? 0 : (start + evaluated) % nodes.length

  const best = feasible.length > 1 ? feasible[chooseBest(profile, pod, feasible, snapshot, options.random)] : feasible[0]
  return best === undefined
    ? { _tag: "Unschedulable", diagnosis: { rejections, rejectedBy: new Set(rejectedBy) }, test, nextStart }
    : { _tag: "Placed", node: best.name, feasible, evaluated, nextStart }
}
