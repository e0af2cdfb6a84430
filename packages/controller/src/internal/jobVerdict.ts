/** Whether a Job is over, and why. Pure. */
import { type BatchV1, Timestamp } from "@reddwarf/api-types"
import * as conditions from "./conditions.js"
import * as policies from "./jobFailurePolicy.js"
import * as indexes from "./jobIndexes.js"
import * as jobPods from "./jobPods.js"
import type { Tally } from "./jobTally.js"

/** `SuccessCriteriaMet` and `FailureTarget` are decided first; `Complete` and `Failed` follow once no pod runs. */
export interface Verdict {
  readonly type: "SuccessCriteriaMet" | "FailureTarget"
  readonly reason: string
  readonly message: string
}

const failure = (reason: string, message: string): Verdict => ({ type: "FailureTarget", reason, message })

const success = (reason: string, message: string): Verdict => ({ type: "SuccessCriteriaMet", reason, message })

/** Why a Job ends that did all it was asked for. */
export const completionsReached = "CompletionsReached"

const isTrue = (job: BatchV1.Job, type: string): BatchV1.JobCondition | undefined => {
  const found = conditions.find(job.status?.conditions, type)
  return found?.status === "True" ? found : undefined
}

/** Whether the Job has ended for good. */
export const isFinished = (job: BatchV1.Job): boolean => isTrue(job, "Complete") !== undefined || isTrue(job, "Failed") !== undefined

export const isSuspended = ({ spec }: BatchV1.Job): boolean => spec?.suspend === true

/** What was decided in an earlier pass stays. */
const decided = (job: BatchV1.Job): Verdict | undefined => {
  for (const type of ["FailureTarget", "SuccessCriteriaMet"] as const) {
    const found = isTrue(job, type)
    if (found !== undefined) return { type, reason: found.reason ?? "", message: found.message ?? "" }
  }
  return undefined
}

const byPolicy = (job: BatchV1.Job, { newFailed }: Tally): Verdict | undefined => {
  for (const pod of newFailed) {
    const { action, message } = policies.rule(job.spec?.podFailurePolicy, pod)
    if (action === "FailJob") return failure("PodFailurePolicy", message)
  }
  return undefined
}

const byLimit = (job: BatchV1.Job, { active, failed }: Tally): Verdict | undefined => {
  const { backoffLimit = 6, template } = job.spec ?? {}
  const restarts = template?.spec?.restartPolicy === "OnFailure" ? jobPods.restarts(active.filter(({ status }) => status?.phase !== "Unknown")) : 0
  const pastRestarts = backoffLimit === 0 ? restarts > 0 : restarts > 0 && restarts >= backoffLimit
  return failed > backoffLimit || pastRestarts ? failure("BackoffLimitExceeded", "Job has reached the specified backoff limit") : undefined
}

/** Milliseconds until the Job has been active for too long; undefined without such a limit. */
export const untilDeadline = (job: BatchV1.Job, now: number): number | undefined => {
  const started = Timestamp.toMillis(job.status?.startTime)
  const { activeDeadlineSeconds } = job.spec ?? {}
  return started === undefined || activeDeadlineSeconds === undefined || isSuspended(job) ? undefined : started + 1000 * activeDeadlineSeconds - now
}

const byDeadline = (job: BatchV1.Job, now: number): Verdict | undefined =>
  (untilDeadline(job, now) ?? 1) <= 0 ? failure("DeadlineExceeded", "Job was active longer than specified deadline") : undefined

const byIndexes = (job: BatchV1.Job, { failedIndexes, succeededIndexes }: Tally): Verdict | undefined => {
  const { backoffLimitPerIndex, completions = 0, maxFailedIndexes } = job.spec ?? {}
  if (backoffLimitPerIndex === undefined) return undefined
  if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
    return failure("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
  }
  return failedIndexes.size > 0 && failedIndexes.size + succeededIndexes.size >= completions ? failure("FailedIndexes", "Job has failed indexes") : undefined
}

const bySuccessPolicy = (job: BatchV1.Job, { succeededIndexes }: Tally): Verdict | undefined => {
  for (const [index, { succeededCount, succeededIndexes: wanted }] of (job.spec?.successPolicy?.rules ?? []).entries()) {
    const set = wanted === undefined ? undefined : indexes.parse(wanted, job.spec?.completions ?? 0)
    const reached = set === undefined ? succeededIndexes.size : [...set].filter((each) => succeededIndexes.has(each)).length
    if (reached >= (succeededCount ?? set?.size ?? Number.POSITIVE_INFINITY)) return success("SuccessPolicy", `Matched rules at index ${index}`)
  }
  return undefined
}

const byCompletions = (job: BatchV1.Job, { active, succeeded }: Tally): Verdict | undefined => {
  const { completions } = job.spec ?? {}
  // Without a number of completions, one success says that the work is done; the others finish theirs.
  const reached = completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions
  return reached ? success(completionsReached, "Reached expected number of succeeded pods") : undefined
}

/** The verdict, if there is one. `now` is milliseconds since the epoch. */
export const of = (job: BatchV1.Job, tally: Tally, now: number): Verdict | undefined =>
  decided(job) ??
    byPolicy(job, tally) ??
    byLimit(job, tally) ??
    byDeadline(job, now) ??
    byIndexes(job, tally) ??
    bySuccessPolicy(job, tally) ??
    byCompletions(job, tally)

/** The condition that ends the Job. */
export const final = ({ message, reason, type }: Verdict): { readonly type: "Complete" | "Failed"; readonly reason: string; readonly message: string } => ({
  type: type === "SuccessCriteriaMet" ? "Complete" : "Failed",
  reason,
  message
})

/** Conditions with one more; `now` is milliseconds since the epoch. */
export const withCondition = (
  before: ReadonlyArray<BatchV1.JobCondition> | undefined,
  condition: { readonly type: string; readonly status: "True" | "False"; readonly reason: string; readonly message: string },
  now: number
): ReadonlyArray<BatchV1.JobCondition> => {
  const known = before ?? []
  const next = conditions.set<BatchV1.JobCondition>(known, condition, now)
  return next === known ? known : next.map((each) => (each.type === condition.type ? { ...each, lastProbeTime: Timestamp.secondsFromMillis(now) } : each))
}
