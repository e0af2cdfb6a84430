/** CronJob: a Job at set times. */
import { jobTemplateDefaults } from "../defaults/JobDefaults.js"
import type * as BatchV1 from "../generated/BatchV1.js"
import { age, name, text } from "../internal/columns.js"
import { orElse } from "../internal/strings.js"
import * as Kind from "../Kind.js"
import { cronJobCells } from "../printing/JobCells.js"
import { containerColumns, count, selectorColumn } from "../printing/WorkloadCells.js"
import { validateCronJob } from "../validation/CronJobValidation.js"

const defaults = (object: BatchV1.CronJob): BatchV1.CronJob => {
  const { spec } = object
  const template = spec.jobTemplate.spec
  return {
    ...object,
    spec: {
      ...spec,
      concurrencyPolicy: orElse(spec.concurrencyPolicy, "Allow"),
      suspend: spec.suspend ?? false,
      jobTemplate: template === undefined ? spec.jobTemplate : { ...spec.jobTemplate, spec: jobTemplateDefaults(template) },
      successfulJobsHistoryLimit: spec.successfulJobsHistoryLimit ?? 3,
      failedJobsHistoryLimit: spec.failedJobsHistoryLimit ?? 1
    }
  }
}

/** @category constructors */
export const cronJob: Kind.Kind<BatchV1.CronJob> = Kind.make<BatchV1.CronJob>({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  shortNames: ["cj"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.batch.v1.CronJob",
  subresources: [{ name: "status", kind: "CronJob", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  defaults,
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? {} }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec }),
  validateContent: validateCronJob,
  validateContentUpdate: validateCronJob,
  columns: [
    name,
    text("Schedule", "When jobs are made, in cron format."),
    text("Timezone", "Time zone of the schedule."),
    { name: "Suspend", type: "boolean", description: "Whether no more jobs are made.", priority: 0 },
    count("Active", "Jobs that run."),
    text("Last Schedule", "Time since a job was made last."),
    age,
    ...containerColumns,
    selectorColumn
  ],
  cells: cronJobCells
})
