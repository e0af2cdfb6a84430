/**
 * What to do next for a DaemonSet, node by node. Pure: the controller does what is said here, and asks again when something has come of
 * it. Times are milliseconds since the epoch.
 */
import { type AppsV1, type CoreV1, PodPhase } from "@reddwarf/api-types"
import { isAvailable } from "./availability.js"
import * as nodes from "./daemonSetNodes.js"
import { roundedUp } from "./shares.js"

type DaemonSet = AppsV1.DaemonSet
type Pod = CoreV1.Pod

/** One node, what the set wants of it, and the set's pods there. */
export interface Place extends nodes.Fit {
  readonly node: string
  /** Oldest first, those on the node before those that are only meant for it. */
  readonly pods: ReadonlyArray<Pod>
}

export interface Steps {
  /** Names of the nodes that get a pod. */
  readonly create: ReadonlyArray<string>
  readonly remove: ReadonlyArray<Pod>
  /** Pods that ended and are replaced: they are among `remove`. */
  readonly ended: ReadonlyArray<readonly [node: string, pod: Pod]>
}

const order = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)

const byAge = (a: Pod, b: Pod): number =>
  order(PodPhase.isBound(a) ? 0 : 1, PodPhase.isBound(b) ? 0 : 1) ||
  order(a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? "") || order(a.metadata.name ?? "", b.metadata.name ?? "")

/** All nodes with the set's pods on them, and the pods whose node is gone and that never ran. */
export const places = (
  set: DaemonSet,
  all: ReadonlyArray<CoreV1.Node>,
  pods: ReadonlyArray<Pod>
): { readonly places: ReadonlyArray<Place>; readonly stray: ReadonlyArray<Pod> } => {
  const byNode = new Map<string, Array<Pod>>()
  for (const pod of pods) {
    // It has ended and is on its way out, whoever still holds it.
    if (PodPhase.isTerminal(pod) && PodPhase.isTerminating(pod)) continue
    const node = nodes.nodeOf(pod) ?? ""
    const there = byNode.get(node)
    if (there === undefined) byNode.set(node, [pod])
    else there.push(pod)
  }
  const fit = nodes.fit(set)
  const known = new Set(all.map(({ metadata }) => metadata.name ?? ""))
  return {
    places: all.map((node) => {
      const name = node.metadata.name ?? ""
      return { node: name, ...fit(node), pods: (byNode.get(name) ?? []).sort(byAge) }
    }),
    stray: pods.filter((pod) => !PodPhase.isBound(pod) && !PodPhase.isTerminating(pod) && !known.has(nodes.nodeOf(pod) ?? ""))
  }
}

const available = (set: DaemonSet, pod: Pod, now: number): boolean => isAvailable(pod, set.spec?.minReadySeconds ?? 0, now)

const limits = (set: DaemonSet, desired: number): { readonly surge: number; readonly unavailable: number } => {
  const { maxSurge = 0, maxUnavailable = 1 } = set.spec?.updateStrategy?.rollingUpdate ?? {}
  const surge = isRolling(set) ? roundedUp(maxSurge, desired) : 0
  const unavailable = roundedUp(maxUnavailable, desired)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

const isRolling = ({ spec }: DaemonSet): boolean => spec?.updateStrategy?.type !== "OnDelete"

const isLive = (pod: Pod): boolean => !PodPhase.isTerminating(pod)

/** Of several pods on one node, those that go: while pods are replaced with a surge, an old and a new one may stand side by side. */
const excess = (set: DaemonSet, running: ReadonlyArray<Pod>, revision: string, surges: boolean, now: number): ReadonlyArray<Pod> => {
  if (!surges) return running.slice(1)
  const [fresh, ...moreFresh] = running.filter((pod) => nodes.isUpdated(pod, revision))
  const [old, ...moreOld] = running.filter((pod) => !nodes.isUpdated(pod, revision))
  const isReplaced = fresh !== undefined && old !== undefined && (!PodPhase.isReady(old) || available(set, fresh, now))
  return [...moreFresh, ...moreOld, ...(isReplaced ? [old] : [])]
}

/** Pods where they are missing, and none where they should not be; whatever their template. */
const managed = (set: DaemonSet, place: Place, revision: string, surges: boolean, now: number): Steps => {
  const { mayStay, node, pods, shouldRun } = place
  if (!mayStay) return { create: [], remove: pods.filter(isLive), ended: [] }
  if (pods.length === 0) return { create: shouldRun ? [node] : [], remove: [], ended: [] }
  const live = pods.filter(isLive)
  const ended = live.filter(PodPhase.isTerminal)
  const running = live.filter((pod) => !PodPhase.isTerminal(pod))
  // With a surge the next pod does not wait until the terminating one is gone.
  const create = shouldRun && surges && live.length === 0 ? [node] : []
  return { create, remove: [...ended, ...excess(set, running, revision, surges, now)], ended: ended.map((pod) => [node, pod]) }
}

/** The new pod and the old one of a node; undefined if there are several of one sort, which have to go first. */
const pairOf = ({ pods }: Place, revision: string): { readonly fresh: Pod | undefined; readonly old: Pod | undefined } | undefined => {
  const live = pods.filter(isLive)
  const [fresh, ...moreFresh] = live.filter((pod) => nodes.isUpdated(pod, revision))
  const [old, ...moreOld] = live.filter((pod) => !nodes.isUpdated(pod, revision))
  return moreFresh.length + moreOld.length > 0 ? undefined : { fresh, old }
}

/** Old pods that go so that new ones can come: those that are not available, and others while not too many are missing. */
const replaced = (set: DaemonSet, wanted: ReadonlyArray<Place>, revision: string, allowed: number, now: number): ReadonlyArray<Pod> => {
  const ill: Array<Pod> = []
  const candidates: Array<Pod> = []
  let missing = 0
  for (const place of wanted) {
    const { fresh, old } = pairOf(place, revision) ?? {}
    if (old === undefined || fresh !== undefined) missing += old === undefined && fresh !== undefined && available(set, fresh, now) ? 0 : 1
    else if (available(set, old, now)) candidates.push(old)
    else ill.push(old)
  }
  // An ill pod is missing already: it counts, but replacing it takes nothing away.
  return [...ill, ...candidates.slice(0, Math.max(0, allowed - missing - ill.length))]
}

/** Nodes that get a new pod beside the old one, and old pods whose successor is available. */
const surged = (set: DaemonSet, wanted: ReadonlyArray<Place>, revision: string, allowed: number, now: number): Omit<Steps, "ended"> => {
  const urgent: Array<string> = []
  const candidates: Array<string> = []
  const remove: Array<Pod> = []
  let surging = 0
  for (const place of wanted) {
    const pair = pairOf(place, revision)
    if (pair === undefined) surging++
    else if (pair.old === undefined) continue
    else if (pair.fresh === undefined) (available(set, pair.old, now) ? candidates : urgent).push(place.node)
    else if (available(set, pair.fresh, now)) remove.push(pair.old)
    else surging++
  }
  return { create: [...urgent, ...candidates.slice(0, Math.max(0, allowed - surging))], remove }
}

/** `revision` is the hash of the present template. An update goes on only where nothing else is to be done. */
export const next = (set: DaemonSet, all: ReadonlyArray<Place>, revision: string, now: number): Steps => {
  const wanted = all.filter(({ shouldRun }) => shouldRun)
  const { surge, unavailable } = limits(set, wanted.length)
  const each = all.map((place) => managed(set, place, revision, surge > 0, now))
  const steps = { create: each.flatMap(({ create }) => create), remove: each.flatMap(({ remove }) => remove), ended: each.flatMap(({ ended }) => ended) }
  if (!isRolling(set) || steps.create.length + steps.remove.length > 0) return steps
  return surge === 0
    ? { ...steps, remove: replaced(set, wanted, revision, unavailable, now) }
    : { ...steps, ...surged(set, wanted, revision, surge, now) }
}

/** What the set says of its pods: the oldest pod stands for each node. */
export const describe = (
  set: DaemonSet,
  all: ReadonlyArray<Place>,
  revision: string,
  collisions: number | undefined,
  now: number
): AppsV1.DaemonSetStatus => {
  const wanted = all.filter(({ shouldRun }) => shouldRun)
  const first = wanted.flatMap(({ pods }) => pods.slice(0, 1))
  const numberAvailable = first.filter((pod) => available(set, pod, now)).length
  return {
    currentNumberScheduled: first.length,
    numberMisscheduled: all.filter(({ pods, shouldRun }) => !shouldRun && pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: first.filter(PodPhase.isReady).length,
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: first.filter((pod) => nodes.isUpdated(pod, revision)).length,
    numberAvailable,
    numberUnavailable: wanted.length - numberAvailable,
    ...(collisions === undefined ? {} : { collisionCount: collisions }),
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions })
  }
}

const numbers = [
  "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration", "updatedNumberScheduled",
  "numberAvailable", "numberUnavailable", "collisionCount"
] as const

/** Whether two statuses say the same; numbers that are 0 may be left out. */
export const isSame = (a: AppsV1.DaemonSetStatus | undefined, b: AppsV1.DaemonSetStatus): boolean =>
  a !== undefined && numbers.every((name) => (a[name] ?? 0) === (b[name] ?? 0))
