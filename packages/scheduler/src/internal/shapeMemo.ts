/**
 * What node-local plugins said about pods of one shape: kept for each node until the node info is another one. Pods come in crowds of one shape, and
 * each placement changes one node, so almost all answers are known already.
 */
import type { NodeInfo } from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import type { PodShape } from "../PodShape.js"
import type { Profile } from "../Profile.js"
import type { Rejection } from "../Rejection.js"
import type { NodeScore, PreFilterResult, SchedulerPlugin } from "../SchedulerPlugin.js"

/** The answer for a node with room that is promised, as long as neither is another one. */
export interface Claimed {
  readonly node: NodeInfo
  readonly nominated: ReadonlyArray<PodInfo>
  readonly rejection: Rejection | undefined
  readonly blamed: string | undefined
}

export interface ShapeMemo {
  /** By plugin: what its preparation gave. */
  readonly prepared: Map<SchedulerPlugin, PreFilterResult>
  /** By node position: the info that was asked about, and the first local plugin that rejected it, as its place in the profile. */
  readonly asked: Array<NodeInfo | undefined>
  readonly verdicts: Array<Rejection | undefined>
  readonly blamed: Array<number>
  /** By position: what was said of a node to which others are nominated. */
  readonly claimed: Array<Claimed | undefined>
  /** By turn: what the last search heard, to be written over by the next one. */
  readonly heard: Array<Rejection | undefined>
  /** By plugin: the score function, `undefined` for one that leaves itself out. */
  readonly scorers: Map<SchedulerPlugin, NodeScore | undefined>
  /** By plugin that normalises: raw scores by position. */
  readonly raw: Map<SchedulerPlugin, Array<number>>
  /** By position: weighted sum of the scores that need no normalisation. */
  readonly sums: Array<number>
  /** By position: the info that was scored. */
  readonly scored: Array<NodeInfo | undefined>
}

export interface Memos {
  /** What is known of pods of this shape; `undefined` for one that comes for the first time: it may be the only one. */
  readonly of: (profile: Profile, shape: PodShape) => ShapeMemo | undefined
}

/** Shapes remembered at a time: each holds a few words for every node. */
const capacity = 24
/** Shapes seen once: one that comes again gets a memo. */
const seenCapacity = 512

const fresh = (): ShapeMemo => ({
  prepared: new Map(),
  asked: [],
  verdicts: [],
  blamed: [],
  claimed: [],
  heard: [],
  scorers: new Map(),
  raw: new Map(),
  sums: [],
  scored: []
})

const dropOldest = (from: { readonly size: number; keys: () => IterableIterator<PodShape>; delete: (shape: PodShape) => boolean }, most: number): void => {
  // The order of a map is that of insertion.
  const { value } = from.keys().next()
  if (from.size > most && value !== undefined) from.delete(value)
}

const ofProfile = (): ((shape: PodShape) => ShapeMemo | undefined) => {
  const known = new Map<PodShape, ShapeMemo>()
  const seen = new Set<PodShape>()
  let last: ShapeMemo | undefined
  return (shape) => {
    const found = known.get(shape)
    if (found !== undefined) {
      if (found !== last) {
        known.delete(shape)
        known.set(shape, found)
        last = found
      }
      return found
    }
    if (!seen.has(shape)) {
      seen.add(shape)
      dropOldest(seen, seenCapacity)
      return undefined
    }
    last = fresh()
    known.set(shape, last)
    dropOldest(known, capacity)
    return last
  }
}

export const make = (): Memos => {
  const profiles = new WeakMap<Profile, (shape: PodShape) => ShapeMemo | undefined>()
  return {
    of: (profile, shape) => {
      let memos = profiles.get(profile)
      if (memos === undefined) {
        memos = ofProfile()
        profiles.set(profile, memos)
      }
      return memos(shape)
    }
  }
}
