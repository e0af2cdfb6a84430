/** Rules of a CronJob. */
import * as Either from "effect/Either"
import * as CronSchedule from "../CronSchedule.js"
import { invalid, notSupported, required } from "../FieldError.js"
import type * as BatchV1 from "../generated/BatchV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { nonNegative } from "../internal/fieldRules.js"
import { validateAnnotations, validateLabels } from "./MetadataValidation.js"
import { validateJobTemplateSpec } from "./JobValidation.js"

// Its jobs are called after it, with a hyphen and ten digits.
const maximumNameLength = 52

const validateSchedule = (path: string, schedule: string): Errors => {
  if (schedule === "") return [required(path)]
  if (schedule.includes("TZ")) return [invalid(path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")]
  return Either.match(CronSchedule.parse(schedule), { onLeft: (problem) => [invalid(path, schedule, problem)], onRight: () => [] })
}

const validateTimeZone = (path: string, zone: string | undefined): Errors => {
  if (zone === undefined) return []
  if (zone === "") return [invalid(path, zone, "timeZone must be nil or non-empty string")]
  if (zone.toLowerCase() === "local") {
    return [invalid(path, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")]
  }
  return CronSchedule.isTimeZone(zone) ? [] : [invalid(path, zone, `unknown time zone ${zone}`)]
}

const validateJobTemplate = (path: string, { metadata, spec }: BatchV1.JobTemplateSpec): Errors => [
  ...validateLabels(metadata?.labels, `${path}.metadata.labels`),
  ...validateAnnotations(metadata?.annotations, `${path}.metadata.annotations`),
  ...(spec === undefined ? [required(`${path}.spec.template`)] : validateJobTemplateSpec(`${path}.spec`, spec)),
  ...(spec?.selector === undefined ? [] : [invalid(`${path}.spec.selector`, spec.selector, "`selector` will be auto-generated")]),
  ...(spec?.manualSelector === true ? [notSupported(`${path}.spec.manualSelector`, true, ["nil", "false"])] : [])
]

const policies = ["Allow", "Forbid", "Replace"]

/** @category combinators */
export const validateCronJob = ({ metadata, spec }: BatchV1.CronJob): Errors => {
  const name = metadata.name ?? ""
  const policy = spec.concurrencyPolicy ?? ""
  return [
    ...validateSchedule("spec.schedule", spec.schedule),
    ...nonNegative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds),
    ...validateTimeZone("spec.timeZone", spec.timeZone),
    ...(policy === "" ? [required("spec.concurrencyPolicy")] : policies.includes(policy) ? [] : [notSupported("spec.concurrencyPolicy", policy, policies)]),
    ...validateJobTemplate("spec.jobTemplate", spec.jobTemplate),
    ...nonNegative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit),
    ...nonNegative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit),
    ...(name.length > maximumNameLength ? [invalid("metadata.name", name, `must be no more than ${maximumNameLength} characters`)] : [])
  ]
}
