/** Rules of a ReplicaSet, and of its predecessor, the ReplicationController. */
import { invalid, required } from "../FieldError.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { nonNegative } from "../internal/fieldRules.js"
import * as LabelSelector from "../LabelSelector.js"
import { validateImmutable, validateLabels } from "./MetadataValidation.js"
import { validateKeptRunning, validatePodTemplate, validateSelector, validateTemplateSelected } from "./PodTemplateValidation.js"
import { validateReplicaStatus } from "./ReplicaStatusValidation.js"

/** @category combinators */
export const validateReplicaSet = ({ spec }: AppsV1.ReplicaSet): Errors => {
  if (spec === undefined) return [required("spec.selector")]
  const { selector, template } = spec
  return [
    ...nonNegative("spec.replicas", spec.replicas),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...validateSelector("spec.selector", selector, "deployment"),
    ...(template === undefined
      ? [required("spec.template")]
      : [
          ...validateTemplateSelected("spec", selector, template),
          ...validatePodTemplate("spec.template", template),
          ...validateKeptRunning("spec.template", template, "ReplicaSet")
        ])
  ]
}

/** @category combinators */
export const validateReplicaSetUpdate = (next: AppsV1.ReplicaSet, old: AppsV1.ReplicaSet): Errors => [
  ...validateReplicaSet(next),
  ...validateImmutable("spec.selector", next.spec?.selector, old.spec?.selector),
  ...validateReplicaStatus(next.status, old.status)
]

const validateOwnTemplate = (selector: Readonly<Record<string, string>>, template: CoreV1.PodTemplateSpec): Errors => {
  const labels = template.metadata?.labels
  return [
    ...(LabelSelector.matches(LabelSelector.fromLabels(selector), labels)
      ? []
      : [invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")]),
    ...validatePodTemplate("spec.template", template),
    ...validateKeptRunning("spec.template", template, "ReplicationController")
  ]
}

/** @category combinators */
export const validateReplicationController = ({ spec = {} }: CoreV1.ReplicationController): Errors => {
  const { selector = {}, template } = spec
  return [
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...validateLabels(selector, "spec.selector"),
    ...(Object.keys(selector).length === 0 ? [required("spec.selector")] : []),
    ...(spec.replicas === undefined ? [required("spec.replicas")] : nonNegative("spec.replicas", spec.replicas)),
    ...(template === undefined ? [required("spec.template")] : validateOwnTemplate(selector, template))
  ]
}

/** @category combinators */
export const validateReplicationControllerUpdate = (next: CoreV1.ReplicationController, old: CoreV1.ReplicationController): Errors => [
  ...validateReplicationController(next),
  ...validateReplicaStatus(next.status, old.status)
]
