/** Rules of a ResourceQuota. */
import { invalid, invalidEach, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { isStandardResource, validateResourceAmount } from "./ResourceValidation.js"
import { immutable } from "./MetadataValidation.js"

/** Scopes of a quota, in the order in which messages list them. */
const scopes = [
  "BestEffort",
  "CrossNamespacePodAffinity",
  "NotBestEffort",
  "NotTerminating",
  "PriorityClass",
  "Terminating",
  "VolumeAttributesClass"
]

/** Pairs of which a quota can have only one. */
const opposites: ReadonlyArray<readonly [string, string]> = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"]
]

const exists: ReadonlySet<string> = new Set(["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"])

const quotaResource = (path: string, name: string): Errors => {
  const problems = invalidEach(path, name, Names.isQualifiedName(name))
  return name.includes("/") || isStandardResource(name) ? problems : [...problems, invalid(path, name, "must be a standard resource type or fully qualified")]
}

const validateAmounts = (path: string, amounts: Readonly<Record<string, string>> | undefined): Errors =>
  Object.entries(amounts ?? {}).flatMap(([name, text]) => [
    ...quotaResource(`${path}[${name}]`, name),
    ...validateResourceAmount(`${path}[${name}]`, name, text)
  ])

const conflicting = (path: string, given: ReadonlyArray<string>): Errors =>
  opposites.some((pair) => pair.every((scope) => given.includes(scope)))
    ? [invalid(path, given, "conflicting scopes")]
    : []

const validateSelector = (path: string, selector: CoreV1.ScopeSelector): Errors =>
  (selector.matchExpressions ?? []).flatMap(({ operator, scopeName, values = [] }) => [
    ...(scopes.includes(scopeName) ? [] : [notSupported(`${path}.scopeName`, scopeName, scopes)]),
    ...(exists.has(scopeName) && operator !== "Exists"
      ? [invalid(`${path}.operator`, operator, "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity")]
      : []),
    ...((operator === "In" || operator === "NotIn") && values.length === 0
      ? [required(`${path}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")]
      : []),
    ...((operator === "Exists" || operator === "DoesNotExist") && values.length > 0
      ? [invalid(`${path}.values`, values, "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector")]
      : []),
    ...(["In", "NotIn", "Exists", "DoesNotExist"].includes(operator)
      ? []
      : [invalid(`${path}.operator`, operator, "not a valid selector operator")])
  ])

/** @category combinators */
export const validateResourceQuota = ({ spec = {}, status = {} }: CoreV1.ResourceQuota): Errors => {
  const given = spec.scopes ?? []
  return [
    ...validateAmounts("spec.hard", spec.hard),
    ...given.flatMap((scope) => (scopes.includes(scope) ? [] : [notSupported("spec.scopes", scope, scopes)])),
    ...conflicting("spec.scopes", given),
    ...(spec.scopeSelector === undefined ? [] : validateSelector("spec.scopeSelector.matchExpressions", spec.scopeSelector)),
    ...validateAmounts("status.hard", status.hard),
    ...validateAmounts("status.used", status.used)
  ]
}

/** @category combinators */
export const validateResourceQuotaUpdate = (next: CoreV1.ResourceQuota, old: CoreV1.ResourceQuota): Errors => {
  const after = [...(next.spec?.scopes ?? [])].toSorted()
  const before = [...(old.spec?.scopes ?? [])].toSorted()
  return [...validateResourceQuota(next), ...(semanticEqual(after, before) ? [] : [invalid("spec.scopes", next.spec?.scopes, immutable)])]
}
