/** Defaults of a Job and of the templates of CronJobs. */
import type * as BatchV1 from "../generated/BatchV1.js"
import { orElse } from "../internal/strings.js"
import { podTemplateDefaults } from "./PodTemplateDefaults.js"

const policyDefaults = (policy: BatchV1.PodFailurePolicy): BatchV1.PodFailurePolicy => ({
  ...policy,
  rules: policy.rules.map((rule) =>
    rule.onPodConditions === undefined
      ? rule
      : { ...rule, onPodConditions: rule.onPodConditions.map((pattern) => ({ ...pattern, status: orElse(pattern.status, "True") })) }
  )
})

/** What the spec of a job and that of a CronJob's template are given alike. @category combinators */
export const jobTemplateDefaults = (spec: BatchV1.JobSpec): BatchV1.JobSpec => ({
  ...spec,
  template: podTemplateDefaults(spec.template),
  ...(spec.podFailurePolicy === undefined ? {} : { podFailurePolicy: policyDefaults(spec.podFailurePolicy) })
})

// With a limit for each index, that for the whole job no longer counts.
const unlimited = 2_147_483_647

const specDefaults = (given: BatchV1.JobSpec): BatchV1.JobSpec => {
  const spec = jobTemplateDefaults(given)
  // A job that says nothing about its size runs one pod once; with a number of workers it is a queue without a fixed number of completions.
  const size =
    spec.completions === undefined && spec.parallelism === undefined
      ? { completions: 1, parallelism: 1 }
      : { parallelism: spec.parallelism ?? 1 }
  return {
    ...spec,
    ...size,
    backoffLimit: spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? 6 : unlimited),
    completionMode: spec.completionMode ?? "NonIndexed",
    suspend: spec.suspend ?? false,
    manualSelector: spec.manualSelector ?? false,
    podReplacementPolicy: spec.podReplacementPolicy ?? (spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed")
  }
}

/** @category combinators */
export const jobDefaults = (job: BatchV1.Job): BatchV1.Job => {
  if (job.spec === undefined) return job
  const labels = job.spec.template.metadata?.labels
  const unlabelled = Object.keys(job.metadata.labels ?? {}).length === 0
  return {
    ...job,
    ...(unlabelled && labels !== undefined ? { metadata: { ...job.metadata, labels } } : {}),
    spec: specDefaults(job.spec)
  }
}
