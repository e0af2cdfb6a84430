/** Rules of pod templates and of the selectors that must find the pods made of them. */
import * as Either from "effect/Either"
import { all, forbidden, invalid, none, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type * as MetaV1 from "../generated/MetaV1.js"
import type { Errors } from "../internal/fieldRules.js"
import * as LabelSelector from "../LabelSelector.js"
import { validateAnnotations, validateLabels } from "./MetadataValidation.js"
import { validatePodSpec } from "./PodValidation.js"
import { validateLabelSelector } from "./SchedulingValidation.js"

const noContainers: CoreV1.PodSpec = { containers: [] }

/** @category combinators */
export const validatePodTemplate = (path: string, { metadata, spec = noContainers }: CoreV1.PodTemplateSpec): Errors =>
  all(
    validateLabels(metadata?.labels, `${path}.metadata.labels`),
    validateAnnotations(metadata?.annotations, `${path}.metadata.annotations`),
    validatePodSpec(spec, "", `${path}.spec`),
    (spec.ephemeralContainers ?? []).length > 0
      ? [forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template")]
      : none
  )

/** Pods of a controller that keeps them running must restart and have no deadline. @category combinators */
export const validateKeptRunning = (path: string, { spec }: CoreV1.PodTemplateSpec, kind: string): Errors =>
  all(
    spec?.restartPolicy === "Always" ? none : [notSupported(`${path}.spec.restartPolicy`, spec?.restartPolicy ?? "", ["Always"])],
    spec?.activeDeadlineSeconds === undefined
      ? none
      : [forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`)]
  )

const isEmpty = (selector: MetaV1.LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0

/** A selector that must be there and must not select everything. @category combinators */
export const validateSelector = (path: string, selector: MetaV1.LabelSelector | undefined, kind: string): Errors =>
  selector === undefined
    ? [required(path)]
    : all(
        validateLabelSelector(path, selector),
        isEmpty(selector) ? [invalid(path, selector, `empty selector is invalid for ${kind}`)] : none
      )

const mismatch = "`selector` does not match template `labels`"

/** Whether the selector finds the pods of the template; an absent selector finds none. @category combinators */
export const validateTemplateSelected = (
  path: string,
  selector: MetaV1.LabelSelector | undefined,
  template: CoreV1.PodTemplateSpec
): Errors => {
  const parsed = LabelSelector.fromObject(selector)
  if (Either.isLeft(parsed)) return [invalid(`${path}.selector`, selector, "invalid label selector")]
  const labels = template.metadata?.labels
  return LabelSelector.matches(parsed.right, labels) ? none : [invalid(`${path}.template.metadata.labels`, labels, mismatch)]
}
