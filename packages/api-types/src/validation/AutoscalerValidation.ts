/** Rules of a HorizontalPodAutoscaler. Both versions of the API are checked in the form that is stored. */
import { forbidden, invalid, notSupported, required } from "../FieldError.js"
import type * as AutoscalingV2 from "../generated/AutoscalingV2.js"
import type { Errors } from "../internal/fieldRules.js"
import { notPositive, present, requiredName } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import * as Quantity from "../Quantity.js"

const validateReference = (path: string, { kind, name }: AutoscalingV2.CrossVersionObjectReference): Errors => [
  ...requiredName(`${path}.kind`, kind, Names.isPathSegment),
  ...requiredName(`${path}.name`, name, Names.isPathSegment)
]

const validateIdentifier = (path: string, { name }: AutoscalingV2.MetricIdentifier): Errors =>
  requiredName(`${path}.name`, name, Names.isPathSegment)

const isPositive = (quantity: string): boolean => Quantity.fromText(quantity).nanos > 0n

const validateTarget = (path: string, { averageUtilization, averageValue, type, value }: AutoscalingV2.MetricTarget): Errors => [
  ...(type === "" ? [required(`${path}.type`, "must specify a metric target type")] : []),
  ...(["Utilization", "Value", "AverageValue"].includes(type)
    ? []
    : [invalid(`${path}.type`, type, "must be either Utilization, Value, or AverageValue")]),
  ...(value !== undefined && !isPositive(value) ? [invalid(`${path}.value`, value, "must be positive")] : []),
  ...(averageValue !== undefined && !isPositive(averageValue) ? [invalid(`${path}.averageValue`, averageValue, "must be positive")] : []),
  ...(averageUtilization !== undefined && averageUtilization < 1
    ? [invalid(`${path}.averageUtilization`, averageUtilization, notPositive)]
    : [])
]

const validateResource = (path: string, { name, target }: AutoscalingV2.ResourceMetricSource): Errors => {
  const { averageUtilization, averageValue } = target
  return [
    ...present(`${path}.name`, name, "must specify a resource name"),
    ...validateTarget(`${path}.target`, target),
    ...(averageUtilization === undefined && averageValue === undefined
      ? [required(`${path}.target.averageUtilization`, "must set either a target raw value or a target utilization")]
      : []),
    ...(averageUtilization !== undefined && averageValue !== undefined
      ? [forbidden(`${path}.target.averageValue`, "may not set both a target raw value and a target utilization")]
      : [])
  ]
}

const validateContainerResource = (path: string, source: AutoscalingV2.ContainerResourceMetricSource): Errors => [
  ...present(`${path}.container`, source.container, "must specify a container"),
  ...validateResource(path, source)
]

const validatePods = (path: string, { metric, target }: AutoscalingV2.PodsMetricSource): Errors => [
  ...validateIdentifier(`${path}.metric`, metric),
  ...validateTarget(`${path}.target`, target),
  ...(target.averageValue === undefined || !isPositive(target.averageValue)
    ? [required(`${path}.target.averageValue`, "must specify a positive target averageValue")]
    : [])
]

const validateObject = (path: string, { describedObject, metric, target }: AutoscalingV2.ObjectMetricSource): Errors => [
  ...validateReference(`${path}.describedObject`, describedObject),
  ...validateIdentifier(`${path}.metric`, metric),
  ...validateTarget(`${path}.target`, target),
  ...(target.value === undefined && target.averageValue === undefined
    ? [required(`${path}.target.averageValue`, "must set either a target value or averageValue")]
    : [])
]

const validateExternal = (path: string, { metric, target }: AutoscalingV2.ExternalMetricSource): Errors => [
  ...validateIdentifier(`${path}.metric`, metric),
  ...validateTarget(`${path}.target`, target),
  ...(target.value === undefined && target.averageValue === undefined
    ? [required(`${path}.target.averageValue`, "must set either a target value for metric or a per-pod target")]
    : []),
  ...(target.value !== undefined && target.averageValue !== undefined
    ? [forbidden(`${path}.target.value`, "may not set both a target value for metric and a per-pod target")]
    : [])
]

const sources = ["object", "external", "pods", "resource", "containerResource"] as const
const sourceOf: Readonly<Record<string, (typeof sources)[number]>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource"
}

const validateSource = (path: string, metric: AutoscalingV2.MetricSpec): Errors => {
  // Only the first source that is given is looked into.
  if (metric.object !== undefined) return validateObject(`${path}.object`, metric.object)
  if (metric.external !== undefined) return validateExternal(`${path}.external`, metric.external)
  if (metric.pods !== undefined) return validatePods(`${path}.pods`, metric.pods)
  if (metric.resource !== undefined) return validateResource(`${path}.resource`, metric.resource)
  return metric.containerResource === undefined ? [] : validateContainerResource(`${path}.containerResource`, metric.containerResource)
}

const validateMetric = (path: string, metric: AutoscalingV2.MetricSpec): Errors => {
  const given = sources.filter((source) => metric[source] !== undefined)
  const expected = Object.hasOwn(sourceOf, metric.type) ? sourceOf[metric.type] : undefined
  if (metric.type === "") return [required(`${path}.type`, "must specify a metric source type")]
  if (expected === undefined) return [...validateSource(path, metric), notSupported(`${path}.type`, metric.type, Object.keys(sourceOf))]
  return [
    ...validateSource(path, metric),
    ...(given.includes(expected) ? [] : [required(`${path}.${expected}`, "must populate information for the given metric source")]),
    ...given
      .filter((source) => source !== expected)
      .map((source) => forbidden(`${path}.${source}`, "must populate the given metric source only"))
  ]
}

const hour = 3600
const longestPeriod = 1800

const validatePolicy = (path: string, { periodSeconds, type, value }: AutoscalingV2.HPAScalingPolicy): Errors => [
  ...(type === "Pods" || type === "Percent" ? [] : [notSupported(`${path}.type`, type, ["Percent", "Pods"])]),
  ...(value <= 0 ? [invalid(`${path}.value`, value, "must be greater than zero")] : []),
  ...(periodSeconds <= 0 ? [invalid(`${path}.periodSeconds`, periodSeconds, "must be greater than zero")] : []),
  ...(periodSeconds > longestPeriod
    ? [invalid(`${path}.periodSeconds`, periodSeconds, `must be less than or equal to ${longestPeriod}`)]
    : [])
]

const validateScalingRules = (path: string, rules: AutoscalingV2.HPAScalingRules | undefined): Errors => {
  if (rules === undefined) return []
  const { policies = [], selectPolicy, stabilizationWindowSeconds: window = 0 } = rules
  return [
    ...(window < 0 ? [invalid(`${path}.stabilizationWindowSeconds`, window, "must be greater than or equal to zero")] : []),
    ...(window > hour ? [invalid(`${path}.stabilizationWindowSeconds`, window, `must be less than or equal to ${hour}`)] : []),
    ...(selectPolicy !== undefined && !["Disabled", "Max", "Min"].includes(selectPolicy)
      ? [notSupported(`${path}.selectPolicy`, selectPolicy, ["Disabled", "Max", "Min"])]
      : []),
    ...(policies.length === 0 ? [required(`${path}.policies`, "must specify at least one Policy")] : []),
    ...policies.flatMap((policy, index) => validatePolicy(`${path}.policies[${index}]`, policy))
  ]
}

/** Bounds, target, metrics and behaviour. @category combinators */
export const validateAutoscaler = ({ spec }: AutoscalingV2.HorizontalPodAutoscaler): Errors => {
  const { behavior, maxReplicas, metrics = [], minReplicas } = spec
  return [
    ...(minReplicas !== undefined && minReplicas < 1
      ? [invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1")]
      : []),
    ...(maxReplicas < 1 ? [invalid("spec.maxReplicas", maxReplicas, notPositive)] : []),
    ...(minReplicas !== undefined && maxReplicas < minReplicas
      ? [invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`")]
      : []),
    ...validateReference("spec.scaleTargetRef", spec.scaleTargetRef),
    ...metrics.flatMap((metric, index) => validateMetric(`spec.metrics[${index}]`, metric)),
    ...validateScalingRules("spec.behavior.scaleUp", behavior?.scaleUp),
    ...validateScalingRules("spec.behavior.scaleDown", behavior?.scaleDown)
  ]
}
