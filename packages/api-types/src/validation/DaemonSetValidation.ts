/** Rules of a DaemonSet. */
import { invalid, notSupported, required } from "../FieldError.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { nonNegative } from "../internal/fieldRules.js"
import { amountOf, atMostAll, countOrShare } from "../internal/intOrPercent.js"
import { validateImmutable } from "./MetadataValidation.js"
import { validateKeptRunning, validatePodTemplate, validateSelector, validateTemplateSelected } from "./PodTemplateValidation.js"

const validateRollingUpdate = (path: string, { maxSurge, maxUnavailable }: AppsV1.RollingUpdateDaemonSet): Errors => {
  const surges = amountOf(maxSurge) !== 0
  const removes = amountOf(maxUnavailable) !== 0
  return [
    ...countOrShare(`${path}.maxUnavailable`, maxUnavailable),
    ...countOrShare(`${path}.maxSurge`, maxSurge),
    ...atMostAll(`${path}.maxUnavailable`, maxUnavailable),
    ...atMostAll(`${path}.maxSurge`, maxSurge),
    // One way of making progress, and only one: first remove a pod, or first start one.
    ...(surges && removes ? [invalid(`${path}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero")] : []),
    ...(surges || removes ? [] : [required(`${path}.maxUnavailable`, "cannot be 0 when maxSurge is 0")])
  ]
}

const validateStrategy = (path: string, { rollingUpdate, type = "" }: AppsV1.DaemonSetUpdateStrategy): Errors => {
  if (type === "OnDelete") return []
  if (type !== "RollingUpdate") return [notSupported(`${path}.type`, type, ["RollingUpdate", "OnDelete"])]
  return rollingUpdate === undefined ? [required(`${path}.rollingUpdate`)] : validateRollingUpdate(`${path}.rollingUpdate`, rollingUpdate)
}

/** @category combinators */
export const validateDaemonSet = ({ spec }: AppsV1.DaemonSet): Errors => {
  if (spec === undefined) return [required("spec.selector")]
  const { selector, template } = spec
  return [
    ...validateSelector("spec.selector", selector, "daemonset"),
    ...validateTemplateSelected("spec", selector, template),
    ...validatePodTemplate("spec.template", template),
    ...validateKeptRunning("spec.template", template, "DaemonSet"),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...validateStrategy("spec.updateStrategy", spec.updateStrategy ?? {}),
    ...nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit)
  ]
}

/** @category combinators */
export const validateDaemonSetUpdate = (next: AppsV1.DaemonSet, old: AppsV1.DaemonSet): Errors => [
  ...validateDaemonSet(next),
  ...validateImmutable("spec.selector", next.spec?.selector, old.spec?.selector)
]
