/** Job: pods that run until enough of them have succeeded. */
import { jobDefaults } from "../defaults/JobDefaults.js"
import type * as BatchV1 from "../generated/BatchV1.js"
import { age, name, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { jobCells } from "../printing/JobCells.js"
import { containerColumns, selectorColumn } from "../printing/WorkloadCells.js"
import { ownLabels, validateJob, validateJobUpdate } from "../validation/JobValidation.js"

const uidLabel = "batch.kubernetes.io/controller-uid"

/** The pods of a job carry its uid, so that no two jobs count the same pod. */
const withSelector = (object: BatchV1.Job): BatchV1.Job => {
  const { spec } = object
  if (spec === undefined || spec.manualSelector === true) return object
  const { template } = spec
  return {
    ...object,
    spec: {
      ...spec,
      selector: { ...spec.selector, matchLabels: { [uidLabel]: object.metadata.uid ?? "", ...spec.selector?.matchLabels } },
      template: { ...template, metadata: { ...template.metadata, labels: { ...ownLabels(object), ...template.metadata?.labels } } }
    }
  }
}

/** @category constructors */
export const job: Kind.Kind<BatchV1.Job> = Kind.make<BatchV1.Job>({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.batch.v1.Job",
  subresources: [{ name: "status", kind: "Job", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  defaults: jobDefaults,
  // The labels that the template gets now are those of an unlabelled job too.
  prepareForCreate: (object) => ({ ...jobDefaults(withSelector(object)), status: {} }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? {} }),
  prepareForStatusUpdate: (next, old) => ({ ...next, ...(old.spec === undefined ? {} : { spec: old.spec }) }),
  validateContent: validateJob,
  validateContentUpdate: validateJobUpdate,
  selectableFields: { "status.successful": (object) => String(object.status?.succeeded ?? 0) },
  columns: [
    name,
    text("Status", "Whether the job runs, is suspended, or how it ended."),
    text("Completions", "Pods that succeeded, of those that should."),
    text("Duration", "How long the job ran, or has been running."),
    age,
    ...containerColumns,
    selectorColumn
  ],
  cells: jobCells
})
