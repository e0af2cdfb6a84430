/** Which pods a Job that goes on has to make and to delete, and when. Pure. */
import type { BatchV1, CoreV1 } from "@reddwarf/api-types"
import { PodPhase } from "@reddwarf/api-types"
import * as policies from "./jobFailurePolicy.js"
import * as jobPods from "./jobPods.js"
import type { Tally } from "./jobTally.js"
import * as verdicts from "./jobVerdict.js"
import * as podRanks from "./podRanks.js"

export interface Plan {
  /** One entry for each new pod; undefined where it has no index. */
  readonly create: ReadonlyArray<jobPods.Place | undefined>
  readonly remove: ReadonlyArray<CoreV1.Pod>
  /** Milliseconds until more pods may be made. */
  readonly wait: number | undefined
}

const none: Plan = { create: [], remove: [], wait: undefined }

/** Pods that one pass makes or deletes at most. */
const burst = 500

const firstDelay = 10_000
const longestDelay = 10 * 60_000

const delayAfter = (failures: number): number => (failures === 0 ? 0 : Math.min(longestDelay, firstDelay * 2 ** Math.min(failures - 1, 20)))

/** Milliseconds until a Job whose last pods failed may try again: each failure in a row doubles the time. */
const untilRetry = (job: BatchV1.Job, pods: ReadonlyArray<CoreV1.Pod>, now: number): number => {
  const ended = pods.filter((pod) => pod.status?.phase === "Succeeded" || jobPods.isFailed(job, pod))
    .map((pod) => ({ failed: pod.status?.phase !== "Succeeded", at: jobPods.endedAt(pod) }))
    .sort((a, b) => b.at - a.at)
  const [latest] = ended
  if (latest === undefined || !latest.failed) return 0
  const success = ended.findIndex(({ failed }) => !failed)
  return Math.max(0, latest.at + delayAfter(success === -1 ? ended.length : success) - now)
}

const takenIndexes = (job: BatchV1.Job, pods: ReadonlyArray<CoreV1.Pod>, tally: Tally): Set<number | undefined> => {
  const holding = jobPods.replacesFailedOnly(job)
    ? pods.filter((pod) => PodPhase.isTerminating(pod) && !PodPhase.isTerminal(pod) && !jobPods.isFailed(job, pod))
    : []
  return new Set([...tally.succeededIndexes, ...tally.failedIndexes, ...[...tally.active, ...holding].map((pod) => jobPods.indexOf(job, pod))])
}

/** The first free indexes, and the time until the next one that only has to wait. */
const places = (job: BatchV1.Job, pods: ReadonlyArray<CoreV1.Pod>, tally: Tally, count: number, now: number): Pick<Plan, "create" | "wait"> => {
  const taken = takenIndexes(job, pods, tally)
  const byIndex = job.spec?.backoffLimitPerIndex !== undefined
  const create: Array<jobPods.Place> = []
  let wait: number | undefined
  for (let index = 0; index < (job.spec?.completions ?? 0) && create.length < count; index++) {
    if (taken.has(index)) continue
    const last = tally.lastFailed.get(index)
    const before = last === undefined ? { counted: 0, ignored: 0 } : jobPods.failuresBefore(last)
    const counts = last !== undefined && policies.rule(job.spec?.podFailurePolicy, last).counts
    const failures = last === undefined ? before : { counted: before.counted + (counts ? 1 : 0), ignored: before.ignored + (counts ? 0 : 1) }
    const left = last === undefined ? 0 : jobPods.endedAt(last) + delayAfter(failures.counted + failures.ignored) - now
    if (left > 0) wait = Math.min(wait ?? left, left)
    else create.push({ index, failures: byIndex ? failures : undefined })
  }
  return { create, wait }
}

/** Active pods that an indexed Job has no use for: of no index, of one that is done, or the second of one. */
const useless = (job: BatchV1.Job, { active, failedIndexes, succeededIndexes }: Tally): ReadonlyArray<CoreV1.Pod> => {
  if (!jobPods.isIndexed(job)) return []
  const seen = new Set<number>()
  // Of several pods of one index, that stays which would go last.
  return podRanks.deletionOrder(active, []).toReversed().filter((pod) => {
    const index = jobPods.indexOf(job, pod)
    if (index === undefined || succeededIndexes.has(index) || failedIndexes.has(index) || seen.has(index)) return true
    seen.add(index)
    return false
  })
}

/** `now` is milliseconds since the epoch; `wasSurplus` tells pods that were taken away because they were too many: they did not fail. */
export const make = (job: BatchV1.Job, pods: ReadonlyArray<CoreV1.Pod>, tally: Tally, now: number, wasSurplus: (pod: CoreV1.Pod) => boolean): Plan => {
  const { active } = tally
  if (verdicts.isSuspended(job)) return { ...none, remove: active.slice(0, burst) }
  const { completions, parallelism = 1 } = job.spec ?? {}
  const wanted = completions === undefined
    ? (tally.succeeded > 0 ? active.length : parallelism)
    : Math.max(0, Math.min(completions - tally.succeeded - tally.failedIndexes.size, parallelism))
  const idle = useless(job, tally)
  const working = active.filter((pod) => !idle.includes(pod))
  const surplus = podRanks.deletionOrder(working, []).slice(0, Math.max(0, working.length - wanted))
  const remove = [...idle, ...surplus].slice(0, burst)
  if (remove.length > 0) return { ...none, remove }
  const held = jobPods.replacesFailedOnly(job) ? tally.terminating : 0
  const missing = Math.min(wanted - active.length - held, burst)
  if (missing <= 0) return none
  if (job.spec?.backoffLimitPerIndex === undefined) {
    const wait = untilRetry(job, pods.filter((pod) => !wasSurplus(pod)), now)
    if (wait > 0) return { ...none, wait }
  }
  if (jobPods.isIndexed(job)) return { remove: [], ...places(job, pods, tally, missing, now) }
  return { ...none, create: Array.from({ length: missing }, () => undefined) }
}
