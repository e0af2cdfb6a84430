/** Rules of a Job. */
import { invalid, notSupported, required, tooLong } from "../FieldError.js"
import type * as BatchV1 from "../generated/BatchV1.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { nonNegative } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { immutable, validateImmutable } from "./MetadataValidation.js"
import { validatePodFailurePolicy, validateSuccessPolicy } from "./PodFailurePolicyValidation.js"
import { validatePodTemplate, validateTemplateSelected } from "./PodTemplateValidation.js"
import { validateLabelSelector } from "./SchedulingValidation.js"

const maximumParallelIndexed = 100_000
const maximumManagerLength = 63

const validateIndexed = (path: string, spec: BatchV1.JobSpec): Errors => {
  const { backoffLimitPerIndex, completions, maxFailedIndexes, parallelism = 0 } = spec
  if (spec.completionMode !== "Indexed") {
    return [
      ...(backoffLimitPerIndex === undefined
        ? []
        : [invalid(`${path}.backoffLimitPerIndex`, backoffLimitPerIndex, "requires indexed completion mode")]),
      ...(maxFailedIndexes === undefined ? [] : [invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, "requires indexed completion mode")])
    ]
  }
  return [
    ...(completions === undefined ? [required(`${path}.completions`, "when completion mode is Indexed")] : []),
    ...(parallelism > maximumParallelIndexed
      ? [
          invalid(
            `${path}.parallelism`,
            parallelism,
            `must be less than or equal to ${maximumParallelIndexed} when completion mode is Indexed`
          )
        ]
      : []),
    ...(completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions
      ? [invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, "must be less than or equal to completions")]
      : []),
    ...(maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined
      ? [required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified")]
      : [])
  ]
}

const validateManager = (path: string, manager: string | undefined): Errors => {
  if (manager === undefined) return []
  const [domain = "", ...rest] = manager.split("/")
  const problems: Errors =
    rest.length === 0 || rest.join("/") === "" || domain === ""
      ? [invalid(path, manager, "must be a domain-prefixed path (such as \"acme.io/foo\")")]
      : Names.isDns1123Subdomain(domain).map((problem) => invalid(path, domain, problem))
  return Names.byteLength(manager) > maximumManagerLength ? [...problems, tooLong(path, maximumManagerLength)] : problems
}

const validateRestartPolicy = (path: string, spec: BatchV1.JobSpec): Errors => {
  const policy = spec.template.spec?.restartPolicy ?? ""
  // Always is what templates get that say nothing.
  if (policy === "Always" || policy === "") return [required(path, `valid values: "OnFailure", "Never"`)]
  if (policy !== "OnFailure" && policy !== "Never") return [notSupported(path, policy, ["OnFailure", "Never"])]
  return spec.podFailurePolicy !== undefined && policy !== "Never"
    ? [invalid(path, policy, `only "Never" is supported when podFailurePolicy is specified`)]
    : []
}

const validatePolicies = (path: string, spec: BatchV1.JobSpec): Errors => {
  const { podFailurePolicy, podReplacementPolicy: replacement, successPolicy } = spec
  const replacements = podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"]
  return [
    ...(podFailurePolicy === undefined ? [] : validatePodFailurePolicy(`${path}.podFailurePolicy`, podFailurePolicy, spec)),
    ...(successPolicy === undefined
      ? []
      : spec.completionMode === "Indexed"
        ? validateSuccessPolicy(`${path}.successPolicy`, successPolicy, spec.completions ?? 0)
        : [invalid(`${path}.successPolicy`, successPolicy, "requires indexed completion mode")]),
    ...(replacement === undefined || replacements.includes(replacement)
      ? []
      : [notSupported(`${path}.podReplacementPolicy`, replacement, replacements)])
  ]
}

/** The rules of a spec apart from its selector, which a CronJob's template does not have. @category combinators */
export const validateJobTemplateSpec = (path: string, spec: BatchV1.JobSpec): Errors => [
  ...nonNegative(`${path}.parallelism`, spec.parallelism),
  ...nonNegative(`${path}.completions`, spec.completions),
  ...nonNegative(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds),
  ...nonNegative(`${path}.backoffLimit`, spec.backoffLimit),
  ...nonNegative(`${path}.ttlSecondsAfterFinished`, spec.ttlSecondsAfterFinished),
  ...nonNegative(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex),
  ...nonNegative(`${path}.maxFailedIndexes`, spec.maxFailedIndexes),
  ...validateManager(`${path}.managedBy`, spec.managedBy),
  ...(spec.completionMode === undefined || spec.completionMode === "NonIndexed" || spec.completionMode === "Indexed"
    ? []
    : [notSupported(`${path}.completionMode`, spec.completionMode, ["NonIndexed", "Indexed"])]),
  ...validateIndexed(path, spec),
  ...validatePolicies(path, spec),
  ...validatePodTemplate(`${path}.template`, spec.template),
  ...validateRestartPolicy(`${path}.template.spec.restartPolicy`, spec)
]

const validateSpec = (path: string, spec: BatchV1.JobSpec): Errors => [
  ...validateJobTemplateSpec(path, spec),
  ...(spec.selector === undefined ? [required(`${path}.selector`)] : validateLabelSelector(`${path}.selector`, spec.selector)),
  ...(spec.selector === undefined ? [] : validateTemplateSelected(path, spec.selector, spec.template))
]

/** The labels that tie a pod to the job it was made for. @category models */
export const ownLabels = (job: BatchV1.Job): Readonly<Record<string, string>> => {
  const uid = job.metadata.uid ?? ""
  const name = job.metadata.name ?? ""
  return { "controller-uid": uid, "job-name": name, "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name }
}

// Whoever copies a job brings its selector along, which finds the pods of the other job.
const validateGenerated = (job: BatchV1.Job): Errors => {
  const { manualSelector, selector, template } = job.spec ?? { template: {} }
  if (manualSelector === true || selector === undefined) return []
  const labels = template.metadata?.labels ?? {}
  const path = "spec.template.metadata.labels"
  const expected = ownLabels(job)
  const missing = Object.entries(expected).flatMap(([key, value]) => {
    if (!Object.hasOwn(labels, key)) return [required(`${path}[${key}]`, `must be '${value}'`)]
    return labels[key] === value ? [] : [invalid(`${path}[${key}]`, labels, `must be '${value}'`)]
  })
  const foreign = Object.entries(selector.matchLabels ?? {}).some(([key, value]) => expected[key] !== value)
  return foreign || (selector.matchExpressions ?? []).length > 0
    ? [...missing, invalid("spec.selector", selector, "`selector` not auto-generated")]
    : missing
}

/** @category combinators */
export const validateJob = (job: BatchV1.Job): Errors =>
  job.spec === undefined ? [required("spec.template")] : [...validateGenerated(job), ...validateSpec("spec", job.spec)]

// Before a suspended job starts, it may still be decided where its pods run.
const withPlacementOf = (old: CoreV1.PodTemplateSpec, next: CoreV1.PodTemplateSpec): CoreV1.PodTemplateSpec => {
  const { annotations: _, labels: __, ...metadata } = old.metadata ?? {}
  const { affinity: _a, nodeSelector: _n, schedulingGates: _g, tolerations: _t, ...spec } = old.spec ?? { containers: [] }
  const { annotations, labels } = next.metadata ?? {}
  const { affinity, nodeSelector, schedulingGates, tolerations } = next.spec ?? { containers: [] }
  return {
    metadata: { ...metadata, ...(annotations && { annotations }), ...(labels && { labels }) },
    spec: {
      ...spec,
      ...(affinity && { affinity }),
      ...(nodeSelector && { nodeSelector }),
      ...(schedulingGates && { schedulingGates }),
      ...(tolerations && { tolerations })
    }
  }
}

const fixed = [
  "selector",
  "completionMode",
  "podFailurePolicy",
  "backoffLimitPerIndex",
  "managedBy",
  "successPolicy"
] as const

const validateCompletions = (next: BatchV1.JobSpec, old: BatchV1.JobSpec): Errors => {
  if (next.completions === old.completions) return []
  if (old.completionMode !== "Indexed") return [invalid("spec.completions", next.completions, immutable)]
  const together = next.completions !== undefined && next.completions === next.parallelism && old.completions === old.parallelism
  return together ? [] : [invalid("spec.completions", next.completions, "can only be modified in tandem with parallelism")]
}

/** @category combinators */
export const validateJobUpdate = (next: BatchV1.Job, old: BatchV1.Job): Errors => {
  if (next.spec === undefined || old.spec === undefined) return next.spec === undefined ? [required("spec.template")] : []
  const after = next.spec
  const before = old.spec
  const movable = before.suspend === true && old.status?.startTime === undefined
  const template = movable ? withPlacementOf(before.template, after.template) : before.template
  return [
    ...validateSpec("spec", after),
    ...validateCompletions(after, before),
    ...fixed.flatMap((field) => validateImmutable(`spec.${field}`, after[field], before[field])),
    ...(semanticEqual(after.template, template) ? [] : [invalid("spec.template", after.template, immutable)])
  ]
}
