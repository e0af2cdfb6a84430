/** The weighted scores of the feasible nodes. */
import type { CycleState } from "../CycleState.js"
import type { NodeInfo } from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import type { Profile } from "../Profile.js"
import type { NodeScore, SchedulerPlugin } from "../SchedulerPlugin.js"
import * as Scores from "../Scores.js"
import type { Snapshot } from "../Snapshot.js"
import type { ShapeMemo } from "./shapeMemo.js"

/**
 * A plugin gave a score outside 0 to 100 after normalisation: a fault of the plugin, thrown so that it shows.
 */
export class ScoreOutOfRange extends RangeError {
  override readonly name = "ScoreOutOfRange"
}

export interface Feasible {
  readonly nodes: ReadonlyArray<NodeInfo>
  /** The position of each in the snapshot. */
  readonly positions: ReadonlyArray<number>
}

export const weightOf = (profile: Profile, plugin: SchedulerPlugin): number => profile.weights.get(plugin.name) ?? 1

const scorerOf = (
  plugin: SchedulerPlugin,
  pod: PodInfo,
  feasible: ReadonlyArray<NodeInfo>,
  snapshot: Snapshot,
  state: CycleState
): NodeScore | undefined => {
  const { preScore, score } = plugin
  if (preScore !== undefined) return preScore(pod, feasible, snapshot, state)
  return score === undefined ? undefined : (node) => score(pod, node)
}

const checked = (value: number, plugin: string, node: NodeInfo | undefined): number => {
  if (value >= 0 && value <= Scores.max) return value
  throw new ScoreOutOfRange(`plugin ${plugin} gave node ${node?.name} the score ${value}; give 0 to ${Scores.max}, or add normalizeScores`)
}

/** Normalises in place and adds to the totals. */
const addWeighted = (
  totals: Float64Array,
  scores: Float64Array,
  profile: Profile,
  plugin: SchedulerPlugin,
  pod: PodInfo,
  nodes: ReadonlyArray<NodeInfo>,
  state: CycleState
): void => {
  plugin.normalizeScores?.(scores, pod, nodes, state)
  const weight = weightOf(profile, plugin)
  for (let i = 0; i < scores.length; i++) totals[i] = (totals[i] ?? 0) + weight * checked(scores[i] ?? Number.NaN, plugin.name, nodes[i])
}

const rawOf = (memo: ShapeMemo, plugin: SchedulerPlugin): Array<number> => {
  const known = memo.raw.get(plugin)
  if (known !== undefined) return known
  const made: Array<number> = []
  memo.raw.set(plugin, made)
  return made
}

interface LocalScorer {
  readonly plugin: SchedulerPlugin
  readonly score: NodeScore
  readonly weight: number
  /** Where the raw scores are kept when they are still to be normalised. */
  readonly raw: Array<number> | undefined
}

const localScorers = (profile: Profile, pod: PodInfo, snapshot: Snapshot, state: CycleState, memo: ShapeMemo): ReadonlyArray<LocalScorer> => {
  const scorers: Array<LocalScorer> = []
  for (const plugin of profile.plugins) {
    if (plugin.nodeLocal !== true || (plugin.preScore === undefined && plugin.score === undefined)) continue
    if (!memo.scorers.has(plugin)) memo.scorers.set(plugin, scorerOf(plugin, pod, [], snapshot, state))
    const score = memo.scorers.get(plugin)
    if (score === undefined) continue
    scorers.push({ plugin, score, weight: weightOf(profile, plugin), raw: plugin.normalizeScores === undefined ? undefined : rawOf(memo, plugin) })
  }
  return scorers
}

/** Scores the nodes that are not the same as last time, for the plugins that look at the node alone. */
const refresh = (scorers: ReadonlyArray<LocalScorer>, { nodes, positions }: Feasible, memo: ShapeMemo): void => {
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]
    const position = positions[i] ?? -1
    if (node === undefined || memo.scored[position] === node) continue
    let sum = 0
    for (const { plugin, raw, score, weight } of scorers) {
      const value = score(node)
      if (raw === undefined) sum += weight * checked(value, plugin.name, node)
      else raw[position] = value
    }
    memo.sums[position] = sum
    memo.scored[position] = node
  }
}

const addLocal = (
  totals: Float64Array,
  scores: Float64Array,
  profile: Profile,
  pod: PodInfo,
  feasible: Feasible,
  snapshot: Snapshot,
  state: CycleState,
  memo: ShapeMemo
): void => {
  const { nodes, positions } = feasible
  const scorers = localScorers(profile, pod, snapshot, state, memo)
  refresh(scorers, feasible, memo)
  for (let i = 0; i < totals.length; i++) totals[i] = memo.sums[positions[i] ?? -1] ?? 0
  for (const { plugin, raw } of scorers) {
    if (raw === undefined) continue
    for (let i = 0; i < scores.length; i++) scores[i] = raw[positions[i] ?? -1] ?? Number.NaN
    addWeighted(totals, scores, profile, plugin, pod, nodes, state)
  }
}

/** The total of each feasible node. */
export const totalsOf = (
  profile: Profile,
  pod: PodInfo,
  feasible: Feasible,
  snapshot: Snapshot,
  state: CycleState,
  memo: ShapeMemo | undefined
): Float64Array => {
  const { nodes } = feasible
  const totals = new Float64Array(nodes.length)
  const scores = new Float64Array(nodes.length)
  if (memo !== undefined) addLocal(totals, scores, profile, pod, feasible, snapshot, state, memo)
  for (const plugin of profile.plugins) {
    if (memo !== undefined && plugin.nodeLocal === true) continue
    const scorer = scorerOf(plugin, pod, nodes, snapshot, state)
    if (scorer === undefined) continue
    // Indexed loops here and in Scores: iterators cost several times as much, once per node and plugin.
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]
      if (node !== undefined) scores[i] = scorer(node)
    }
    addWeighted(totals, scores, profile, plugin, pod, nodes, state)
  }
  return totals
}
