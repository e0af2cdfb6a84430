/** Rules of a PodDisruptionBudget. */
import { invalid } from "../FieldError.js"
import type * as PolicyV1 from "../generated/PolicyV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { negative, optionalOneOf } from "../internal/fieldRules.js"
import { validateLabelSelector } from "./SchedulingValidation.js"

const percent = /^[0-9]+%$/
const percentRule =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"

/** A count, or a share of at most 100 %. */
const validateShare = (path: string, value: number | string | undefined): Errors => {
  if (value === undefined) return []
  if (typeof value === "number") return value < 0 ? [invalid(path, value, negative)] : []
  if (!percent.test(value)) return [invalid(path, value, percentRule)]
  return Number(value.slice(0, -1)) > 100 ? [invalid(path, value, "must not be greater than 100%")] : []
}

/** The budget's limits, of which one may be given, its pods and its policy. @category combinators */
export const validatePodDisruptionBudget = ({ spec = {} }: PolicyV1.PodDisruptionBudget): Errors => {
  const { maxUnavailable, minAvailable, selector, unhealthyPodEvictionPolicy } = spec
  return [
    ...(minAvailable !== undefined && maxUnavailable !== undefined
      ? [invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
      : []),
    ...validateShare("spec.minAvailable", minAvailable),
    ...validateShare("spec.maxUnavailable", maxUnavailable),
    ...validateLabelSelector("spec.selector", selector),
    ...optionalOneOf("spec.unhealthyPodEvictionPolicy", unhealthyPodEvictionPolicy, ["AlwaysAllow", "IfHealthyBudget"])
  ]
}
