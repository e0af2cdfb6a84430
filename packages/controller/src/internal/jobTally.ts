/**
 * How far a Job is, from its status and its pods. Pure.
 *
 * Every pod that ended is counted once, whatever happens to the process that counts: its uid goes into the status first, then its finalizer
 * is removed, and only then does the uid give way to a higher number. A pod without the finalizer has been counted, or is in the status.
 */
import type { BatchV1, CoreV1 } from "@reddwarf/api-types"
import { PodPhase } from "@reddwarf/api-types"
import * as policies from "./jobFailurePolicy.js"
import * as indexes from "./jobIndexes.js"
import * as jobPods from "./jobPods.js"

export interface Tally {
  readonly active: ReadonlyArray<CoreV1.Pod>
  readonly ready: number
  /** Pods that are deleted and have not ended. */
  readonly terminating: number
  /** Pods that ended and may be counted now: they still have their finalizer. */
  readonly newSucceeded: ReadonlyArray<CoreV1.Pod>
  readonly newFailed: ReadonlyArray<CoreV1.Pod>
  /** Totals, those included that are not counted in the status yet. */
  readonly succeeded: number
  readonly failed: number
  /** Empty unless the Job is indexed. */
  readonly succeededIndexes: ReadonlySet<number>
  readonly failedIndexes: ReadonlySet<number>
  /** The pod that knows how often its index has failed, while nothing has taken its place. */
  readonly lastFailed: ReadonlyMap<number, CoreV1.Pod>
}

const perIndex = (job: BatchV1.Job): number | undefined => (jobPods.isIndexed(job) ? job.spec?.backoffLimitPerIndex : undefined)

const failedIndexesOf = (job: BatchV1.Job, failed: ReadonlyArray<CoreV1.Pod>): ReadonlySet<number> => {
  const limit = perIndex(job)
  if (limit === undefined) return new Set()
  const found = new Set(indexes.parse(job.status?.failedIndexes, job.spec?.completions ?? 0))
  for (const pod of failed) {
    const index = jobPods.indexOf(job, pod)
    if (index === undefined) continue
    const { action, counts } = policies.rule(job.spec?.podFailurePolicy, pod)
    if (action === "FailIndex" || (counts && jobPods.failuresBefore(pod).counted >= limit)) found.add(index)
  }
  return found
}

const totalFailures = (pod: CoreV1.Pod): number => {
  const { counted, ignored } = jobPods.failuresBefore(pod)
  return counted + ignored
}

const lastFailedOf = (job: BatchV1.Job, failed: ReadonlyArray<CoreV1.Pod>, isTaken: (index: number) => boolean): ReadonlyMap<number, CoreV1.Pod> => {
  const last = new Map<number, CoreV1.Pod>()
  if (perIndex(job) === undefined) return last
  for (const pod of failed) {
    const index = jobPods.indexOf(job, pod)
    if (index === undefined || isTaken(index)) continue
    const known = last.get(index)
    if (known === undefined || totalFailures(pod) > totalFailures(known)) last.set(index, pod)
  }
  return last
}

/** `isRemoved` tells pods whose finalizer was removed although the pod given does not show it yet. */
export const take = (job: BatchV1.Job, pods: ReadonlyArray<CoreV1.Pod>, isRemoved: (uid: string) => boolean): Tally => {
  const status = job.status ?? {}
  const indexed = jobPods.isIndexed(job)
  const counting = { succeeded: new Set(status.uncountedTerminatedPods?.succeeded), failed: new Set(status.uncountedTerminatedPods?.failed) }
  const active = pods.filter(jobPods.isActive)
  const tracked = pods.filter((pod) => jobPods.isTracked(pod) && !isRemoved(jobPods.uidOf(pod)))
  const isNew = (pod: CoreV1.Pod) => !counting.succeeded.has(jobPods.uidOf(pod)) && !counting.failed.has(jobPods.uidOf(pod))
  const isOurs = (pod: CoreV1.Pod) => !indexed || jobPods.indexOf(job, pod) !== undefined
  const newSucceeded = tracked.filter((pod) => pod.status?.phase === "Succeeded" && isNew(pod) && isOurs(pod))
  const allFailed = tracked.filter((pod) => jobPods.isFailed(job, pod) && isOurs(pod))
  const newFailed = allFailed.filter(isNew)
  const counts = (pod: CoreV1.Pod) => policies.rule(job.spec?.podFailurePolicy, pod).counts
  const succeededIndexes = new Set(indexed ? indexes.parse(status.completedIndexes, job.spec?.completions ?? 0) : [])
  if (indexed) for (const pod of newSucceeded) succeededIndexes.add(jobPods.indexOf(job, pod) ?? 0)
  const failedIndexes = new Set([...failedIndexesOf(job, allFailed)].filter((index) => !succeededIndexes.has(index)))
  const activeIndexes = new Set(active.map((pod) => jobPods.indexOf(job, pod)))
  return {
    active,
    ready: active.filter(PodPhase.isReady).length,
    terminating: pods.filter((pod) => PodPhase.isTerminating(pod) && !PodPhase.isTerminal(pod)).length,
    newSucceeded,
    newFailed,
    succeeded: indexed ? succeededIndexes.size : (status.succeeded ?? 0) + counting.succeeded.size + newSucceeded.length,
    failed: (status.failed ?? 0) + counting.failed.size + newFailed.filter(counts).length,
    succeededIndexes,
    failedIndexes,
    lastFailed: lastFailedOf(job, allFailed, (index) => succeededIndexes.has(index) || failedIndexes.has(index) || activeIndexes.has(index))
  }
}

/** Pods of one pass at most: the status must stay small. */
const maxUncounted = 500

/** What the status says next, and which pods may lose their finalizer once it does. */
export interface Counting {
  readonly status: BatchV1.JobStatus
  readonly release: ReadonlyArray<CoreV1.Pod>
  /** Whether the status has to be written before the pods are released. */
  readonly mustWrite: boolean
  /** Whether there are more pods than fit. */
  readonly more: boolean
}

const list = (uids: Iterable<string>): ReadonlyArray<string> => [...uids]

/**
 * The first half: pods that ended go into the status. Uids of pods without finalizer turn into numbers there.
 *
 * @param isOver Whether the Job has ended or is being deleted: then no pod keeps its finalizer for its successor.
 */
export const count = (
  job: BatchV1.Job,
  pods: ReadonlyArray<CoreV1.Pod>,
  tally: Tally,
  isOver: boolean,
  isRemoved: (uid: string) => boolean
): Counting => {
  const settled = settle(job.status ?? {}, pods, isRemoved)
  const succeeded = new Set(settled.uncountedTerminatedPods?.succeeded)
  const failed = new Set(settled.uncountedTerminatedPods?.failed)
  const indexed = jobPods.isIndexed(job)
  const completions = job.spec?.completions ?? 0
  const completed = new Set(indexes.parse(settled.completedIndexes, completions))
  const [known, knownIndexes] = [succeeded.size + failed.size, completed.size]
  const release: Array<CoreV1.Pod> = []
  const waiting = new Set(isOver ? [] : [...tally.lastFailed.values()].map(jobPods.uidOf))
  let more = false
  for (const pod of pods) {
    const uid = jobPods.uidOf(pod)
    if (!jobPods.isTracked(pod) || isRemoved(uid) || waiting.has(uid)) continue
    const isSuccess = pod.status?.phase === "Succeeded"
    if (!isSuccess && !jobPods.isFailed(job, pod)) {
      if (job.metadata.deletionTimestamp !== undefined) release.push(pod)
      continue
    }
    if (succeeded.size + failed.size - known + completed.size - knownIndexes >= maxUncounted) {
      more = true
      break
    }
    release.push(pod)
    const index = indexed ? jobPods.indexOf(job, pod) : 0
    if (index === undefined || succeeded.has(uid) || failed.has(uid)) continue
    if (!isSuccess) {
      if (policies.rule(job.spec?.podFailurePolicy, pod).counts) failed.add(uid)
    } else if (indexed) completed.add(index)
    else succeeded.add(uid)
  }
  const failedIndexes = job.spec?.backoffLimitPerIndex === undefined ? undefined : indexes.format(tally.failedIndexes)
  return {
    release,
    more,
    mustWrite: succeeded.size + failed.size > known || completed.size > knownIndexes || failedIndexes !== job.status?.failedIndexes,
    status: {
      ...settled,
      ...(indexed ? { completedIndexes: indexes.format(completed), succeeded: completed.size } : {}),
      ...(failedIndexes === undefined ? {} : { failedIndexes }),
      uncountedTerminatedPods: { ...(succeeded.size === 0 ? {} : { succeeded: list(succeeded) }), ...(failed.size === 0 ? {} : { failed: list(failed) }) }
    }
  }
}

/** The second half: the uids of pods that have lost their finalizer, or are gone, give way to numbers. */
export const settle = (status: BatchV1.JobStatus, pods: ReadonlyArray<CoreV1.Pod>, isRemoved: (uid: string) => boolean): BatchV1.JobStatus => {
  const tracked = new Set(pods.filter(jobPods.isTracked).map(jobPods.uidOf).filter((uid) => !isRemoved(uid)))
  const { failed = [], succeeded = [] } = status.uncountedTerminatedPods ?? {}
  const [stillSucceeded, stillFailed] = [succeeded, failed].map((uids) => uids.filter((uid) => tracked.has(uid)))
  const left = { ...(stillSucceeded?.length ? { succeeded: stillSucceeded } : {}), ...(stillFailed?.length ? { failed: stillFailed } : {}) }
  return {
    ...status,
    ...(succeeded.length === 0 ? {} : { succeeded: (status.succeeded ?? 0) + succeeded.length - (stillSucceeded?.length ?? 0) }),
    ...(failed.length === 0 ? {} : { failed: (status.failed ?? 0) + failed.length - (stillFailed?.length ?? 0) }),
    uncountedTerminatedPods: left
  }
}

/** Whether every pod that ended is a number in the status. */
export const isSettled = ({ uncountedTerminatedPods: left }: BatchV1.JobStatus): boolean =>
  (left?.succeeded ?? []).length === 0 && (left?.failed ?? []).length === 0
