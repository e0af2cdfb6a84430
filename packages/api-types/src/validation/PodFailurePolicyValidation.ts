/** Rules of which failed pods fail a Job, and which successful indexes end it. */
import { duplicate, invalid, notSupported, required, tooMany } from "../FieldError.js"
import type * as BatchV1 from "../generated/BatchV1.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, nonNegative } from "../internal/fieldRules.js"
import * as Names from "../Names.js"

const maximumRules = 20
const maximumExitCodes = 255
const maximumPatterns = 20

/** One of these; an empty value is answered with the list of them. */
const choice = (path: string, value: string, supported: ReadonlyArray<string>): Errors => {
  if (value === "") return [required(path, `valid values: ${supported.map((each) => JSON.stringify(each)).join(", ")}`)]
  return supported.includes(value) ? [] : [notSupported(path, value, supported)]
}

const validateExitCodes = (
  path: string,
  { containerName, operator, values }: BatchV1.PodFailurePolicyOnExitCodesRequirement,
  containers: ReadonlySet<string>
): Errors => [
  ...choice(`${path}.operator`, operator, ["In", "NotIn"]),
  ...(containerName !== undefined && !containers.has(containerName)
    ? [invalid(`${path}.containerName`, containerName, "must be one of the container or initContainer names in the pod template")]
    : []),
  ...(values.length === 0 ? [invalid(`${path}.values`, values, "at least one value is required")] : []),
  ...(values.length > maximumExitCodes ? [tooMany(`${path}.values`, values.length, maximumExitCodes)] : []),
  ...values.flatMap((value, index) => [
    ...(operator === "In" && value === 0 ? [invalid(`${path}.values[${index}]`, value, "must not be 0 for the In operator")] : []),
    ...(values.indexOf(value) < index ? [duplicate(`${path}.values[${index}]`, value)] : [])
  ]),
  ...(values.some((value, index) => index > 0 && value < (values[index - 1] ?? value))
    ? [invalid(`${path}.values`, values, "must be ordered")]
    : [])
]

const validateConditions = (path: string, patterns: ReadonlyArray<BatchV1.PodFailurePolicyOnPodConditionsPattern>): Errors => [
  ...(patterns.length > maximumPatterns ? [tooMany(path, patterns.length, maximumPatterns)] : []),
  ...patterns.flatMap(({ status = "", type }, index) => [
    ...named(`${path}[${index}].type`, type, Names.isQualifiedName),
    ...choice(`${path}[${index}].status`, status, ["False", "True", "Unknown"])
  ])
]

const actions = ["Count", "FailIndex", "FailJob", "Ignore"]

const validateRule = (path: string, rule: BatchV1.PodFailurePolicyRule, job: BatchV1.JobSpec, containers: ReadonlySet<string>): Errors => {
  const { action, onExitCodes, onPodConditions } = rule
  const patterns = onPodConditions ?? []
  return [
    ...(action === "FailIndex" && job.backoffLimitPerIndex === undefined
      ? [invalid(`${path}.action`, action, "requires the backoffLimitPerIndex to be set")]
      : []),
    ...choice(`${path}.action`, action, actions),
    ...(onExitCodes === undefined ? [] : validateExitCodes(`${path}.onExitCodes`, onExitCodes, containers)),
    ...(patterns.length === 0 ? [] : validateConditions(`${path}.onPodConditions`, patterns)),
    ...(onExitCodes !== undefined && patterns.length > 0
      ? [invalid(path, "", "specifying both OnExitCodes and OnPodConditions is not supported")]
      : []),
    ...(onExitCodes === undefined && patterns.length === 0
      ? [invalid(path, "", "specifying one of OnExitCodes and OnPodConditions is required")]
      : [])
  ]
}

const containerNames = (template: CoreV1.PodTemplateSpec): ReadonlySet<string> =>
  new Set([...(template.spec?.containers ?? []), ...(template.spec?.initContainers ?? [])].map(({ name }) => name))

/** @category combinators */
export const validatePodFailurePolicy = (path: string, { rules }: BatchV1.PodFailurePolicy, job: BatchV1.JobSpec): Errors => {
  const containers = containerNames(job.template)
  return [
    ...(rules.length > maximumRules ? [tooMany(`${path}.rules`, rules.length, maximumRules)] : []),
    ...rules.flatMap((rule, index) => validateRule(`${path}.rules[${index}]`, rule, job, containers))
  ]
}

/** Indexes such as `0,2-4`, in order and below `completions`. */
const indexesProblem = (text: string, completions: number): string | undefined => {
  let last = -1
  for (const part of text.split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (match?.[1] === undefined) return `cannot convert string to integer for index: ${JSON.stringify(part)}`
    const start = Number(match[1])
    const end = match[2] === undefined ? start : Number(match[2])
    if (start >= completions) return `too large index: ${JSON.stringify(match[1])}`
    if (end >= completions) return `too large index: ${JSON.stringify(match[2] ?? match[1])}`
    if (start <= last) return `non-increasing order, previous: ${last}, current: ${start}`
    if (end < start || (match[2] !== undefined && end === start)) return `non-increasing order, previous: ${start}, current: ${end}`
    last = end
  }
  return undefined
}

/** @category combinators */
export const validateSuccessPolicy = (path: string, { rules }: BatchV1.SuccessPolicy, completions: number): Errors => [
  ...(rules.length === 0 ? [required(`${path}.rules`, "at least one rules must be specified when the successPolicy is specified")] : []),
  ...(rules.length > maximumRules ? [tooMany(`${path}.rules`, rules.length, maximumRules)] : []),
  ...rules.flatMap(({ succeededCount, succeededIndexes }, index) => {
    const at = `${path}.rules[${index}]`
    if (succeededCount === undefined && succeededIndexes === undefined) {
      return [required(at, "at least one of succeededCount or succeededIndexes must be specified")]
    }
    const problem = succeededIndexes === undefined ? undefined : indexesProblem(succeededIndexes, completions)
    return [
      ...(problem === undefined ? [] : [invalid(`${at}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${problem}`)]),
      ...nonNegative(`${at}.succeededCount`, succeededCount),
      ...(succeededCount !== undefined && succeededCount > completions
        ? [invalid(`${at}.succeededCount`, succeededCount, `must be less than or equal to ${completions} (the number of specified completions)`)]
        : [])
    ]
  })
]
