/** Rules of a Deployment. */
import { forbidden, invalid, notSupported, required } from "../FieldError.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { nonNegative } from "../internal/fieldRules.js"
import { amountOf, atMostAll, countOrShare } from "../internal/intOrPercent.js"
import { validateImmutable } from "./MetadataValidation.js"
import { validateKeptRunning, validatePodTemplate, validateSelector, validateTemplateSelected } from "./PodTemplateValidation.js"
import { validateReplicaStatus } from "./ReplicaStatusValidation.js"

const validateRollingUpdate = (path: string, { maxSurge, maxUnavailable }: AppsV1.RollingUpdateDeployment): Errors => [
  ...countOrShare(`${path}.maxUnavailable`, maxUnavailable),
  ...countOrShare(`${path}.maxSurge`, maxSurge),
  ...(amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0
    ? [invalid(`${path}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0")]
    : []),
  ...atMostAll(`${path}.maxUnavailable`, maxUnavailable)
]

const validateStrategy = (path: string, { rollingUpdate, type = "" }: AppsV1.DeploymentStrategy): Errors => {
  const rolling = `${path}.rollingUpdate`
  if (type === "Recreate") {
    return rollingUpdate === undefined ? [] : [forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'")]
  }
  if (type !== "RollingUpdate") return [notSupported(`${path}.type`, type, ["Recreate", "RollingUpdate"])]
  return rollingUpdate === undefined
    ? [required(rolling, "this should be defaulted and never be nil")]
    : validateRollingUpdate(rolling, rollingUpdate)
}

/** @category combinators */
export const validateDeployment = ({ spec }: AppsV1.Deployment): Errors => {
  if (spec === undefined) return [required("spec.selector")]
  const { minReadySeconds = 0, progressDeadlineSeconds: deadline, selector, template } = spec
  const selected = validateTemplateSelected("spec", selector, template)
  return [
    ...nonNegative("spec.replicas", spec.replicas),
    ...validateSelector("spec.selector", selector, "deployment"),
    ...selected,
    ...validatePodTemplate("spec.template", template),
    ...validateKeptRunning("spec.template", template, "ReplicaSet"),
    ...validateStrategy("spec.strategy", spec.strategy ?? {}),
    ...nonNegative("spec.minReadySeconds", minReadySeconds),
    ...nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...nonNegative("spec.progressDeadlineSeconds", deadline),
    ...(deadline !== undefined && deadline <= minReadySeconds
      ? [invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")]
      : [])
  ]
}

/** @category combinators */
export const validateDeploymentUpdate = (next: AppsV1.Deployment, old: AppsV1.Deployment): Errors => [
  ...validateDeployment(next),
  ...validateImmutable("spec.selector", next.spec?.selector, old.spec?.selector),
  ...validateReplicaStatus(next.status, old.status)
]
