/** Table rows of Jobs and CronJobs. */
import type * as BatchV1 from "../generated/BatchV1.js"
import { formatAge, humanDuration } from "../HumanDuration.js"
import { ageCell, none } from "../internal/columns.js"
import type { Cell } from "../Kind.js"
import * as Timestamp from "../Timestamp.js"
import { containerCells, selectorCell } from "./WorkloadCells.js"

const has = (job: BatchV1.Job, type: string): boolean =>
  job.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true

const statusOf = (job: BatchV1.Job): string => {
  if (has(job, "Complete")) return "Complete"
  if (has(job, "Failed")) return "Failed"
  if (job.metadata.deletionTimestamp !== undefined) return "Terminating"
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find((type) => has(job, type)) ?? "Running"
}

const completionsOf = ({ spec, status }: BatchV1.Job): string => {
  const succeeded = status?.succeeded ?? 0
  const parallelism = spec?.parallelism ?? 0
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

const durationOf = ({ status }: BatchV1.Job, now: number): string => {
  const started = Timestamp.toMillis(status?.startTime)
  return started === undefined ? "" : humanDuration((Timestamp.toMillis(status?.completionTime) ?? now) - started)
}

/** Cells in the order of the kind's columns. @category combinators */
export const jobCells = (job: BatchV1.Job, now: number): ReadonlyArray<Cell> => [
  job.metadata.name ?? "",
  statusOf(job),
  completionsOf(job),
  durationOf(job, now),
  ageCell(job, now),
  ...containerCells(job.spec?.template),
  selectorCell(job.spec?.selector)
]

const suspendCell = (suspend: boolean | undefined): string => {
  if (suspend === undefined) return "<unset>"
  return suspend ? "True" : "False"
}

/** Cells in the order of the kind's columns. @category combinators */
export const cronJobCells = (object: BatchV1.CronJob, now: number): ReadonlyArray<Cell> => {
  const { spec, status } = object
  const last = status?.lastScheduleTime
  return [
    object.metadata.name ?? "",
    spec.schedule,
    spec.timeZone ?? none,
    suspendCell(spec.suspend),
    status?.active?.length ?? 0,
    last === undefined ? none : formatAge(last, now),
    ageCell(object, now),
    ...containerCells(spec.jobTemplate.spec?.template),
    selectorCell(spec.jobTemplate.spec?.selector)
  ]
}
