/**
 * How many pods each ReplicaSet of a Deployment should have next. Pure: the controller writes what is said here, and is called again when
 * something has come of it.
 */
import type { AppsV1 } from "@reddwarf/api-types"
import * as revisions from "./deploymentRevisions.js"
import { roundedDown, roundedUp } from "./shares.js"

/** The set should have this many pods. */
export interface Resize {
  readonly set: AppsV1.ReplicaSet
  readonly to: number
}

type Set = AppsV1.ReplicaSet

const size = (set: Set | undefined): number => (set === undefined ? 0 : set.spec?.replicas ?? 1)
const available = (set: Set | undefined): number => set?.status?.availableReplicas ?? 0
const sum = (sets: ReadonlyArray<Set>, of: (set: Set) => number): number => sets.reduce((total, set) => total + of(set), 0)

/** Pods that the sets ask for. */
export const total = (sets: ReadonlyArray<Set>): number => sum(sets, size)

const isRolling = (deployment: AppsV1.Deployment): boolean => deployment.spec?.strategy?.type !== "Recreate"

/** Pods that are asked for. */
export const desired = (deployment: AppsV1.Deployment): number => deployment.spec?.replicas ?? 1

/** Pods that there may be beyond those asked for while an update runs, and pods that may be missing. One of the two is at least 1. */
const fences = (deployment: AppsV1.Deployment): { readonly surge: number; readonly unavailable: number } => {
  const replicas = desired(deployment)
  const { maxSurge = "25%", maxUnavailable = "25%" } = deployment.spec?.strategy?.rollingUpdate ?? {}
  const surge = roundedUp(maxSurge, replicas)
  const unavailable = roundedDown(maxUnavailable, replicas)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

export const maxSurge = (deployment: AppsV1.Deployment): number => (isRolling(deployment) ? fences(deployment).surge : 0)

export const maxUnavailable = (deployment: AppsV1.Deployment): number =>
  isRolling(deployment) && desired(deployment) > 0 ? Math.min(fences(deployment).unavailable, desired(deployment)) : 0

/** Most pods that there may be. */
export const maximum = (deployment: AppsV1.Deployment): number => desired(deployment) + maxSurge(deployment)

const hasPods = (set: Set): boolean => size(set) > 0

/** The number of replicas was changed since the sets were sized. */
export const isScaling = (deployment: AppsV1.Deployment, sets: revisions.Sets): boolean =>
  // Without a rolling update there is no share to keep: all sets but one lose their pods anyway.
  (isRolling(deployment) || revisions.all(sets).filter(hasPods).length <= 1) &&
  revisions.all(sets).filter(hasPods).some((set) => {
    const then = revisions.desiredThen(set)
    return then !== undefined && then !== desired(deployment)
  })

const isSaturated = (deployment: AppsV1.Deployment, current: Set | undefined): boolean =>
  current !== undefined && size(current) === desired(deployment) && revisions.desiredThen(current) === desired(deployment) &&
  available(current) === desired(deployment)

// Go rounds halves away from zero.
const round = (value: number): number => Math.sign(value) * Math.round(Math.abs(value))

/** How much a set grows or shrinks so that its share of all pods stays. */
const share = (deployment: AppsV1.Deployment, set: Set, replicasNow: number): number => {
  if (desired(deployment) === 0) return -size(set)
  const before = revisions.maximumThen(set) ?? replicasNow
  return before === 0 ? 0 : round((size(set) * maximum(deployment)) / before) - size(set)
}

/** Spreads what there is to add or to take over all sets with pods, each by its share; the first ones take what rounding leaves. */
const proportional = (deployment: AppsV1.Deployment, sets: ReadonlyArray<Set>): ReadonlyArray<Resize> => {
  const allowed = desired(deployment) > 0 ? maximum(deployment) : 0
  const toAdd = allowed - sum(sets, size)
  const age = toAdd < 0 ? 1 : -1
  const sorted = [...sets].sort((a, b) => size(b) - size(a) || age * revisions.byAge(a, b))
  let added = 0
  const sizes = sorted.map((set) => {
    const left = toAdd - added
    const part = toAdd === 0 || left === 0 ? 0 : share(deployment, set, deployment.status?.replicas ?? 0)
    const change = toAdd > 0 ? Math.min(part, left) : Math.max(part, left)
    const bounded = toAdd === 0 ? 0 : change
    added += bounded
    return size(set) + bounded
  })
  let rest = toAdd - added
  return sorted.map((set, index) => {
    const to = Math.max(0, (sizes[index] ?? 0) + rest)
    rest -= to - (sizes[index] ?? 0)
    return { set, to }
  })
}

/** The sizes for another number of replicas, without going on with the update. */
export const scaled = (deployment: AppsV1.Deployment, sets: revisions.Sets): ReadonlyArray<Resize> => {
  const all = revisions.all(sets)
  const active = all.filter(hasPods)
  if (active.length <= 1) {
    const only = active[0] ?? sets.current ?? sets.old.at(-1)
    return only === undefined ? [] : [{ set: only, to: desired(deployment) }]
  }
  if (isSaturated(deployment, sets.current)) return sets.old.filter(hasPods).map((set) => ({ set, to: 0 }))
  return isRolling(deployment) ? proportional(deployment, active) : []
}

/** The size of the current set by which the sum stays below the maximum. */
export const sizeOfCurrent = (deployment: AppsV1.Deployment, sets: revisions.Sets): number => {
  if (!isRolling(deployment)) return desired(deployment)
  const total = sum(revisions.all(sets), size)
  const room = Math.max(0, maximum(deployment) - total)
  return size(sets.current) + Math.min(room, Math.max(0, desired(deployment) - size(sets.current)))
}

/** Takes up to `count` pods from the sets, oldest set first, at most `of` from each. */
const take = (sets: ReadonlyArray<Set>, count: number, of: (set: Set) => number): ReadonlyArray<Resize> => {
  const resizes: Array<Resize> = []
  let left = count
  for (const set of sets) {
    const less = Math.min(left, of(set))
    if (less <= 0) continue
    resizes.push({ set, to: size(set) - less })
    left -= less
  }
  return resizes
}

const applied = (sets: ReadonlyArray<Set>, resizes: ReadonlyArray<Resize>): ReadonlyArray<Set> =>
  sets.map((set) => {
    const resize = resizes.find((each) => each.set === set)
    return resize === undefined || set.spec === undefined ? set : { ...set, spec: { ...set.spec, replicas: resize.to } }
  })

/** Old pods that are not available go first: they serve nobody. Then as many as can be missing. */
const shrunk = (deployment: AppsV1.Deployment, { current, old }: revisions.Sets): ReadonlyArray<Resize> => {
  const least = desired(deployment) - maxUnavailable(deployment)
  const room = sum(old, size) + size(current) - least - Math.max(0, size(current) - available(current))
  if (room <= 0) return []
  const unhealthy = take(old, room, (set) => size(set) - available(set))
  const remaining = applied(old, unhealthy)
  const excess = sum(old, available) + available(current) - least
  const healthy = excess <= 0 ? [] : take(remaining, excess, size)
  return [...unhealthy, ...healthy]
}

/** The next step of a rolling update: more of the current set, or less of the old ones. */
export const rolled = (deployment: AppsV1.Deployment, sets: revisions.Sets): ReadonlyArray<Resize> => {
  const { current, old } = sets
  if (current !== undefined && size(current) > desired(deployment)) return [{ set: current, to: desired(deployment) }]
  const grown = sizeOfCurrent(deployment, sets)
  if (current !== undefined && size(current) < grown) return [{ set: current, to: grown }]
  return shrunk(deployment, { current, old: old.filter(hasPods) })
}

/** All old sets without pods; for the strategy that takes everything down first. */
export const emptied = ({ old }: revisions.Sets): ReadonlyArray<Resize> => old.filter(hasPods).map((set) => ({ set, to: 0 }))
