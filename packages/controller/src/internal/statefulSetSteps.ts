/**
 * What to do next for a StatefulSet. Pure: the controller does what is said here, and asks again when something has come of it.
 *
 * In order: every missing pod is made, then those that are too many go, then those of an earlier template. With ordered management each
 * waits until the pod before it is healthy.
 */
import { type AppsV1, type CoreV1, PodPhase } from "@reddwarf/api-types"
import { roundedDown } from "./shares.js"
import * as pods from "./statefulSetPods.js"

type Set = AppsV1.StatefulSet

export interface Steps {
  /** Numbers of the pods that are missing. */
  readonly create: ReadonlyArray<number>
  /** Pods that ended or are too many or of an earlier template. */
  readonly remove: ReadonlyArray<CoreV1.Pod>
  /** Pods that are too many, whether they may go yet or not. */
  readonly condemned: ReadonlyArray<CoreV1.Pod>
  /** Pods that stay. */
  readonly kept: ReadonlyArray<CoreV1.Pod>
}

/** Pods by number, lowest first. */
const numbered = (set: Set, all: ReadonlyArray<CoreV1.Pod>): ReadonlyArray<readonly [number, CoreV1.Pod]> =>
  all.flatMap((pod): ReadonlyArray<readonly [number, CoreV1.Pod]> => {
    const ordinal = pods.ordinalOf(set, pod)
    return ordinal === undefined ? [] : [[ordinal, pod]]
  }).sort(([a], [b]) => a - b)

/** Pods that may be missing while the template changes: 1 at least, and as many as are asked for at most. */
const maxUnavailable = (set: Set): number =>
  Math.max(1, roundedDown(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, pods.replicas(set)))

/** Pods of an earlier template that may be replaced now: those that serve nobody first, then the highest numbers. */
const outdated = (set: Set, kept: ReadonlyArray<readonly [number, CoreV1.Pod]>, revision: string, now: number): ReadonlyArray<CoreV1.Pod> => {
  if (set.spec?.updateStrategy?.type === "OnDelete") return []
  const least = pods.start(set) + pods.partition(set)
  const isOld = (ordinal: number, pod: CoreV1.Pod) => ordinal >= least && pods.revisionOf(pod) !== revision && !PodPhase.isTerminating(pod)
  const busy = kept.filter(([ordinal, pod]) => !isOld(ordinal, pod) && !pods.isHealthy(set, pod, now)).length
  const old = kept.filter(([ordinal, pod]) => isOld(ordinal, pod)).map(([, pod]) => pod).toReversed()
  const ill = old.filter((pod) => !pods.isHealthy(set, pod, now))
  return [...ill, ...old.filter((pod) => !ill.includes(pod))].slice(0, Math.max(0, maxUnavailable(set) - busy))
}

/** `revision` is the name of the revision of the present template. */
export const next = (set: Set, all: ReadonlyArray<CoreV1.Pod>, revision: string, now: number): Steps => {
  const first = pods.start(set)
  const end = first + pods.replicas(set)
  const known = numbered(set, all)
  const kept = known.filter(([ordinal]) => ordinal >= first && ordinal < end)
  const condemned = known.filter(([ordinal]) => ordinal < first || ordinal >= end).map(([, pod]) => pod).toReversed()
  const steps = { create: [], remove: [], condemned, kept: kept.map(([, pod]) => pod) }
  const present = new Map(kept)
  const isOrdered = pods.isOrdered(set)

  if (isOrdered) {
    for (let ordinal = first; ordinal < end; ordinal++) {
      const pod = present.get(ordinal)
      if (pod === undefined) return { ...steps, create: [ordinal] }
      // What has ended starts anew, however it ended.
      if (PodPhase.isTerminal(pod)) return { ...steps, remove: PodPhase.isTerminating(pod) ? [] : [pod] }
      if (!pods.isHealthy(set, pod, now)) return steps
    }
    const [last] = condemned
    if (last !== undefined) {
      // Only the lowest pod of all may go while it is ill: the others wait for it.
      const ill = condemned.findLast((pod) => !pods.isHealthy(set, pod, now))
      return { ...steps, remove: !PodPhase.isTerminating(last) && (pods.isHealthy(set, last, now) || last === ill) ? [last] : [] }
    }
    return { ...steps, remove: outdated(set, kept, revision, now) }
  }

  const missing = Array.from({ length: end - first }, (_, index) => first + index).filter((ordinal) => !present.has(ordinal))
  const ended = steps.kept.filter((pod) => PodPhase.isTerminal(pod) && !PodPhase.isTerminating(pod))
  const leaving = condemned.filter((pod) => !PodPhase.isTerminating(pod))
  if (missing.length + ended.length + leaving.length > 0) return { ...steps, create: missing, remove: [...ended, ...leaving] }
  return { ...steps, remove: outdated(set, kept, revision, now) }
}
