/** What a Deployment writes on its ReplicaSets, and reads there: revisions, and what it was asked for when it sized them. Pure. */
import type { AppsV1 } from "@reddwarf/api-types"
import { canonicalJson } from "./templateHash.js"

export const hashLabel = "pod-template-hash"
export const revisionAnnotation = "deployment.kubernetes.io/revision"
const historyAnnotation = "deployment.kubernetes.io/revision-history"
const desiredAnnotation = "deployment.kubernetes.io/desired-replicas"
const maximumAnnotation = "deployment.kubernetes.io/max-replicas"

/** Longest list of earlier revisions, in characters. */
const historyLength = 2000

const notCopied = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maximumAnnotation,
  "deprecated.deployment.rollback.to"
])

type Annotations = Readonly<Record<string, string>>

const wholeNumber = (text: string | undefined): number | undefined => (text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined)

/** The revision that a ReplicaSet holds; 0 if it holds none. */
export const revisionOf = (set: AppsV1.ReplicaSet): number => wholeNumber(set.metadata.annotations?.[revisionAnnotation]) ?? 0

/** Replicas that the Deployment asked for when it last sized the set. */
export const desiredThen = (set: AppsV1.ReplicaSet): number | undefined => wholeNumber(set.metadata.annotations?.[desiredAnnotation])

/** Most pods that the Deployment allowed when it last sized the set. */
export const maximumThen = (set: AppsV1.ReplicaSet): number | undefined => wholeNumber(set.metadata.annotations?.[maximumAnnotation])

/** What a set is told when it is sized. */
export const sizeAnnotations = (desired: number, maximum: number): Annotations => ({
  [desiredAnnotation]: String(desired),
  [maximumAnnotation]: String(maximum)
})

const withHistory = (history: string | undefined, old: string): string => {
  const revisions = [...(history === undefined || history === "" ? [] : history.split(",")), old]
  while (revisions.length > 1 && revisions.join(",").length > historyLength) revisions.shift()
  return revisions.join(",")
}

/** The annotations of the set for the current template: those of the Deployment, and the revision, which only grows. */
export const annotationsFor = (deployment: AppsV1.Deployment, present: Annotations, revision: number): Annotations => {
  const copied = Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key)))
  const old = present[revisionAnnotation]
  const isOlder = (wholeNumber(old) ?? 0) < revision
  return {
    ...present,
    ...copied,
    ...(isOlder ? { [revisionAnnotation]: String(revision) } : {}),
    // A set that comes back had a revision before, which history keeps.
    ...(isOlder && old !== undefined ? { [historyAnnotation]: withHistory(present[historyAnnotation], old) } : {})
  }
}

/** The text of a template without the label that tells the sets apart. */
export const templateText = (template: AppsV1.DeploymentSpec["template"] | undefined): string => {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {}
  return canonicalJson({ ...template, metadata: { ...template?.metadata, labels } })
}

const createdAt = (set: AppsV1.ReplicaSet): string => set.metadata.creationTimestamp ?? ""

const order = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)

/** Older sets first; of the same second, by name. */
export const byAge = (a: AppsV1.ReplicaSet, b: AppsV1.ReplicaSet): number =>
  order(createdAt(a), createdAt(b)) || order(a.metadata.name ?? "", b.metadata.name ?? "")

/** The sets of a Deployment: that of the current template, if there is one, and all others. */
export interface Sets {
  readonly current: AppsV1.ReplicaSet | undefined
  readonly old: ReadonlyArray<AppsV1.ReplicaSet>
}

export const all = ({ current, old }: Sets): ReadonlyArray<AppsV1.ReplicaSet> => (current === undefined ? old : [...old, current])

/** Of several sets with the current template, which only a person can have made, the oldest is the current one. */
export const sort = (deployment: AppsV1.Deployment, sets: ReadonlyArray<AppsV1.ReplicaSet>): Sets => {
  const text = templateText(deployment.spec?.template)
  const current = [...sets].sort(byAge).find((set) => templateText(set.spec?.template) === text)
  return { current, old: sets.filter((set) => set !== current).sort(byAge) }
}

/** Sets that the history does not keep: those without pods beyond the limit, of the lowest revisions. */
export const beyondHistory = (deployment: AppsV1.Deployment, old: ReadonlyArray<AppsV1.ReplicaSet>): ReadonlyArray<AppsV1.ReplicaSet> => {
  const kept = deployment.spec?.revisionHistoryLimit ?? 10
  const present = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  return [...present].sort((a, b) => order(revisionOf(a), revisionOf(b)) || byAge(a, b)).slice(0, Math.max(0, present.length - kept)).filter((set) =>
    (set.spec?.replicas ?? 1) === 0 && (set.status?.replicas ?? 0) === 0 && (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0))
}
