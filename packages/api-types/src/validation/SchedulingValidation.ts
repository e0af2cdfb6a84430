/** Rules of where a pod may run: node selectors, affinity, tolerations, spreading and gates. */
import { duplicate, forbidden, invalid, invalidEach, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type * as MetaV1 from "../generated/MetaV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, notPositive, optionalOneOf } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import { validateLabels } from "./MetadataValidation.js"

/** The selector of a spec, by keys, values and operators. @category combinators */
export const validateLabelSelector = (path: string, selector: MetaV1.LabelSelector | undefined): Errors =>
  selector === undefined
    ? []
    : [
        ...validateLabels(selector.matchLabels, `${path}.matchLabels`),
        ...(selector.matchExpressions ?? []).flatMap(({ key, operator, values = [] }, index) => {
          const at = `${path}.matchExpressions[${index}]`
          return [
            ...validateOperator(at, operator, values, false),
            ...named(`${at}.key`, key, Names.isQualifiedName),
            ...values.flatMap((value, each) => named(`${at}.values[${each}]`, value, Names.isLabelValue))
          ]
        })
      ]

const validateOperator = (path: string, operator: string, values: ReadonlyArray<string>, withOrder: boolean): Errors => {
  if (operator === "In" || operator === "NotIn") {
    return values.length > 0 ? [] : [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
  }
  if (operator === "Exists" || operator === "DoesNotExist") {
    return values.length === 0 ? [] : [forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
  }
  if (withOrder && (operator === "Gt" || operator === "Lt")) {
    return values.length === 1 ? [] : [required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")]
  }
  return [invalid(`${path}.operator`, operator, "not a valid selector operator")]
}

const validateField = (path: string, { key, operator, values = [] }: CoreV1.NodeSelectorRequirement): Errors => [
  ...(operator === "In" || operator === "NotIn"
    ? values.length === 1
      ? []
      : [required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector")]
    : [invalid(`${path}.operator`, operator, "not a valid selector operator")]),
  ...(key === "metadata.name"
    ? values.flatMap((value, index) => named(`${path}.values[${index}]`, value, Names.isDns1123Subdomain))
    : [invalid(`${path}.key`, key, "not a valid field selector key")])
]

const validateTerm = (path: string, term: CoreV1.NodeSelectorTerm, checkValues: boolean): Errors => [
  ...(term.matchExpressions ?? []).flatMap(({ key, operator, values = [] }, index) => {
    const at = `${path}.matchExpressions[${index}]`
    return [
      ...validateOperator(at, operator, values, true),
      ...named(`${at}.key`, key, Names.isQualifiedName),
      ...(checkValues ? values.flatMap((value, each) => named(`${at}.values[${each}]`, value, Names.isLabelValue)) : [])
    ]
  }),
  ...(term.matchFields ?? []).flatMap((requirement, index) => validateField(`${path}.matchFields[${index}]`, requirement))
]

const required_ = "requiredDuringSchedulingIgnoredDuringExecution"
const preferred = "preferredDuringSchedulingIgnoredDuringExecution"

const weight = (path: string, value: number): Errors => (value <= 0 || value > 100 ? [invalid(path, value, "must be in the range 1-100")] : [])

const validateNodeAffinity = (path: string, affinity: CoreV1.NodeAffinity | undefined): Errors => {
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const at = `${path}.${required_}.nodeSelectorTerms`
  return [
    ...(terms?.length === 0 ? [required(at, "must have at least one node selector term")] : []),
    ...(terms ?? []).flatMap((term, index) => validateTerm(`${at}[${index}]`, term, true)),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, index) => [
      ...weight(`${path}.${preferred}[${index}].weight`, term.weight),
      ...validateTerm(`${path}.${preferred}[${index}].preference`, term.preference, false)
    ])
  ]
}

const labelKeys = (path: string, keys: ReadonlyArray<string> | undefined, selector: MetaV1.LabelSelector | undefined): Errors => {
  if (keys === undefined || keys.length === 0) return []
  if (selector === undefined) return [forbidden(path, "must not be specified when labelSelector is not set")]
  return keys.flatMap((key, index) => named(`${path}[${index}]`, key, Names.isQualifiedName))
}

const validatePodTerm = (path: string, term: CoreV1.PodAffinityTerm): Errors => {
  const mismatched = new Set(term.mismatchLabelKeys)
  return [
    ...validateLabelSelector(`${path}.labelSelector`, term.labelSelector),
    ...validateLabelSelector(`${path}.namespaceSelector`, term.namespaceSelector),
    ...(term.namespaces ?? []).flatMap((name) => named(`${path}.namespace`, name, Names.isDns1123Label)),
    ...labelKeys(`${path}.matchLabelKeys`, term.matchLabelKeys, term.labelSelector),
    ...labelKeys(`${path}.mismatchLabelKeys`, term.mismatchLabelKeys, term.labelSelector),
    ...(term.matchLabelKeys ?? []).flatMap((key, index) =>
      mismatched.has(key)
        ? [invalid(`${path}.matchLabelKeys[${index}]`, key, "exists in both matchLabelKeys and mismatchLabelKeys")]
        : []
    ),
    ...(term.topologyKey === "" ? [required(`${path}.topologyKey`, "can not be empty")] : []),
    ...named(`${path}.topologyKey`, term.topologyKey, Names.isQualifiedName)
  ]
}

const validatePodAffinity = (path: string, affinity: CoreV1.PodAffinity | CoreV1.PodAntiAffinity | undefined): Errors => [
  ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, index) =>
    validatePodTerm(`${path}.${required_}[${index}]`, term)
  ),
  ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, index) => [
    ...weight(`${path}.${preferred}[${index}].weight`, term.weight),
    ...validatePodTerm(`${path}.${preferred}[${index}].podAffinityTerm`, term.podAffinityTerm)
  ])
]

/** @category combinators */
export const validateAffinity = (path: string, affinity: CoreV1.Affinity | undefined): Errors => [
  ...validateNodeAffinity(`${path}.nodeAffinity`, affinity?.nodeAffinity),
  ...validatePodAffinity(`${path}.podAffinity`, affinity?.podAffinity),
  ...validatePodAffinity(`${path}.podAntiAffinity`, affinity?.podAntiAffinity)
]

/** Effects of taints, in the order of messages. @category models */
export const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]

/** @category combinators */
export const validateTolerations = (path: string, tolerations: ReadonlyArray<CoreV1.Toleration>): Errors =>
  tolerations.flatMap((toleration, index) => {
    const at = `${path}[${index}]`
    const { effect = "", key = "", operator = "", value = "" } = toleration
    const valueProblems = Names.isLabelValue(value)
    const operatorErrors =
      operator === "" || operator === "Equal"
        ? valueProblems.length > 0
          ? [invalid(`${at}.operator`, value, valueProblems.join(";"))]
          : []
        : operator === "Exists"
          ? value === ""
            ? []
            : [invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'")]
          : [notSupported(`${at}.operator`, operator, ["Equal", "Exists"])]
    return [
      ...(key === "" ? [] : named(`${at}.key`, key, Names.isQualifiedName)),
      ...(key === "" && operator !== "Exists"
        ? [invalid(`${at}.operator`, operator, `operator must be Exists when \`key\` is empty, which means "match all values and all keys"`)]
        : []),
      ...(toleration.tolerationSeconds !== undefined && effect !== "NoExecute"
        ? [invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")]
        : []),
      ...operatorErrors,
      ...(effect === "" || taintEffects.includes(effect) ? [] : [notSupported(`${at}.effect`, effect, taintEffects)])
    ]
  })

const selectorKeys = (selector: MetaV1.LabelSelector | undefined): ReadonlySet<string> =>
  new Set([...Object.keys(selector?.matchLabels ?? {}), ...(selector?.matchExpressions ?? []).map(({ key }) => key)])

const validateMinDomains = (path: string, minDomains: number | undefined, action: string): Errors =>
  minDomains === undefined
    ? []
    : [
        ...(minDomains <= 0 ? [invalid(path, minDomains, notPositive)] : []),
        ...(action === "DoNotSchedule"
          ? []
          : [invalid(path, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`)])
      ]

/** @category combinators */
export const validateTopologySpread = (path: string, constraints: ReadonlyArray<CoreV1.TopologySpreadConstraint>): Errors => {
  const pairOf = ({ topologyKey, whenUnsatisfiable }: CoreV1.TopologySpreadConstraint): string => `{${topologyKey}, ${whenUnsatisfiable}}`
  const lastOf = new Map(constraints.map((constraint, index) => [pairOf(constraint), index]))
  return constraints.flatMap((constraint, index) => {
    const at = `${path}[${index}]`
    const { labelSelector, matchLabelKeys = [], maxSkew, topologyKey, whenUnsatisfiable } = constraint
    const selected = selectorKeys(labelSelector)
    return [
      ...(maxSkew <= 0 ? [invalid(`${at}.maxSkew`, maxSkew, notPositive)] : []),
      ...(topologyKey === "" ? [required(`${at}.topologyKey`, "can not be empty")] : []),
      ...(["DoNotSchedule", "ScheduleAnyway"].includes(whenUnsatisfiable)
        ? []
        : [notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ["DoNotSchedule", "ScheduleAnyway"])]),
      ...(lastOf.get(pairOf(constraint)) === index ? [] : [duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pairOf(constraint))]),
      ...validateMinDomains(`${at}.minDomains`, constraint.minDomains, whenUnsatisfiable),
      ...optionalOneOf(`${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ["Honor", "Ignore"]),
      ...optionalOneOf(`${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ["Honor", "Ignore"]),
      ...labelKeys(`${at}.matchLabelKeys`, matchLabelKeys, labelSelector),
      ...matchLabelKeys.flatMap((key, each) =>
        selected.has(key)
          ? [invalid(`${at}.matchLabelKeys[${each}]`, key, "exists in both matchLabelKeys and labelSelector")]
          : []
      ),
      ...validateLabelSelector(`${at}.labelSelector`, labelSelector)
    ]
  })
}

/** @category combinators */
export const validateSchedulingGates = (path: string, gates: ReadonlyArray<CoreV1.PodSchedulingGate>): Errors => {
  const seen = new Set<string>()
  return gates.flatMap(({ name }, index) => {
    const repeated = seen.has(name)
    seen.add(name)
    return [
      ...invalidEach(`${path}[${index}]`, name, Names.isQualifiedName(name)),
      ...(repeated ? [duplicate(`${path}[${index}]`, name)] : [])
    ]
  })
}
