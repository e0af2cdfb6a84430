/** Rules of where a pod may run: node selectors, affinity, tolerations, spreading and gates. */
import { all, among, at, duplicate, each, forbidden, invalid, none, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type * as MetaV1 from "../generated/MetaV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, notPositive, optionalName, optionalOneOf, repeats } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import { validateLabels } from "./MetadataValidation.js"

const validateOperator = (operator: string, values: ReadonlyArray<string>, withOrder: boolean): Errors => {
  if (operator === "In" || operator === "NotIn") {
    return values.length > 0 ? none : [required(".values", "must be specified when `operator` is 'In' or 'NotIn'")]
  }
  if (operator === "Exists" || operator === "DoesNotExist") {
    return values.length === 0 ? none : [forbidden(".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
  }
  if (withOrder && (operator === "Gt" || operator === "Lt")) {
    return values.length === 1 ? none : [required(".values", "must be specified single value when `operator` is 'Lt' or 'Gt'")]
  }
  return [invalid(".operator", operator, "not a valid selector operator")]
}

const labelValue = (value: string): Errors => named("", value, Names.isLabelValue)
const labelKey = (key: string): Errors => named("", key, Names.isQualifiedName)

const validateLabelRequirement = ({ key, operator, values = [] }: MetaV1.LabelSelectorRequirement): Errors =>
  all(validateOperator(operator, values, false), at(".key", labelKey(key)), at(".values", each(values, labelValue)))

/** The selector of a spec, by keys, values and operators. @category combinators */
export const validateLabelSelector = (path: string, selector: MetaV1.LabelSelector | undefined): Errors =>
  selector === undefined
    ? none
    : at(
        path,
        all(
          validateLabels(selector.matchLabels, ".matchLabels"),
          at(".matchExpressions", each(selector.matchExpressions, validateLabelRequirement))
        )
      )

const validateField = ({ key, operator, values = [] }: CoreV1.NodeSelectorRequirement): Errors =>
  all(
    operator === "In" || operator === "NotIn"
      ? values.length === 1
        ? none
        : [required(".values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector")]
      : [invalid(".operator", operator, "not a valid selector operator")],
    key === "metadata.name"
      ? at(".values", each(values, (value) => named("", value, Names.isDns1123Subdomain)))
      : [invalid(".key", key, "not a valid field selector key")]
  )

const validateTerm = (term: CoreV1.NodeSelectorTerm, checkValues: boolean): Errors =>
  all(
    at(
      ".matchExpressions",
      each(term.matchExpressions, ({ key, operator, values = [] }) =>
        all(
          validateOperator(operator, values, true),
          at(".key", labelKey(key)),
          checkValues ? at(".values", each(values, labelValue)) : none
        )
      )
    ),
    at(".matchFields", each(term.matchFields, validateField))
  )

const required_ = ".requiredDuringSchedulingIgnoredDuringExecution"
const preferred = ".preferredDuringSchedulingIgnoredDuringExecution"

const weight = (value: number): Errors => (value <= 0 || value > 100 ? [invalid(".weight", value, "must be in the range 1-100")] : none)

const validatePreferredNode = (term: CoreV1.PreferredSchedulingTerm): Errors =>
  all(weight(term.weight), at(".preference", validateTerm(term.preference, false)))

const validateNodeAffinity = (affinity: CoreV1.NodeAffinity): Errors => {
  const terms = affinity.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return all(
    at(
      `${required_}.nodeSelectorTerms`,
      terms?.length === 0 ? [required("", "must have at least one node selector term")] : each(terms, (term) => validateTerm(term, true))
    ),
    at(preferred, each(affinity.preferredDuringSchedulingIgnoredDuringExecution, validatePreferredNode))
  )
}

const labelKeys = (keys: ReadonlyArray<string> | undefined, selector: MetaV1.LabelSelector | undefined): Errors => {
  if (keys === undefined || keys.length === 0) return none
  if (selector === undefined) return [forbidden("", "must not be specified when labelSelector is not set")]
  return each(keys, labelKey)
}

/**
 * Keys that are to match and that the selector names as well. A new pod comes here with its keys written into the selector (`podWithLabelKeys`), so one
 * requirement of each is to be expected; in a template there is none yet, and what the pods of it will be told is not known.
 */
const selectedTwice = (keys: ReadonlyArray<string> | undefined, selector: MetaV1.LabelSelector | undefined): Errors => {
  if (keys === undefined || keys.length === 0 || selector === undefined) return none
  const seen = new Set(Object.keys(selector.matchLabels ?? {}))
  return (selector.matchExpressions ?? []).flatMap(({ key }) => {
    const twice = keys.includes(key) && seen.has(key)
    seen.add(key)
    return twice ? [invalid(`[${keys.lastIndexOf(key)}]`, key, "exists in both matchLabelKeys and labelSelector")] : []
  })
}

const validatePodTerm = (term: CoreV1.PodAffinityTerm): Errors => {
  const mismatched = new Set(term.mismatchLabelKeys)
  return all(
    validateLabelSelector(".labelSelector", term.labelSelector),
    validateLabelSelector(".namespaceSelector", term.namespaceSelector),
    among(term.namespaces, (name) => named(".namespace", name, Names.isDns1123Label)),
    at(".matchLabelKeys", labelKeys(term.matchLabelKeys, term.labelSelector)),
    at(".mismatchLabelKeys", labelKeys(term.mismatchLabelKeys, term.labelSelector)),
    selectedTwice(term.matchLabelKeys, term.labelSelector),
    at(
      ".matchLabelKeys",
      each(term.matchLabelKeys, (key) =>
        mismatched.has(key) ? [invalid("", key, "exists in both matchLabelKeys and mismatchLabelKeys")] : none
      )
    ),
    term.topologyKey === "" ? [required(".topologyKey", "can not be empty")] : none,
    at(".topologyKey", labelKey(term.topologyKey))
  )
}

const validatePreferredPod = (term: CoreV1.WeightedPodAffinityTerm): Errors =>
  all(weight(term.weight), at(".podAffinityTerm", validatePodTerm(term.podAffinityTerm)))

const validatePodAffinity = (affinity: CoreV1.PodAffinity | CoreV1.PodAntiAffinity): Errors =>
  all(
    at(required_, each(affinity.requiredDuringSchedulingIgnoredDuringExecution, validatePodTerm)),
    at(preferred, each(affinity.preferredDuringSchedulingIgnoredDuringExecution, validatePreferredPod))
  )

/** @category combinators */
export const validateAffinity = (path: string, affinity: CoreV1.Affinity | undefined): Errors => {
  if (affinity === undefined) return none
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity
  return at(
    path,
    all(
      nodeAffinity === undefined ? none : at(".nodeAffinity", validateNodeAffinity(nodeAffinity)),
      podAffinity === undefined ? none : at(".podAffinity", validatePodAffinity(podAffinity)),
      podAntiAffinity === undefined ? none : at(".podAntiAffinity", validatePodAffinity(podAntiAffinity))
    )
  )
}

/** Effects of taints, in the order of messages. @category models */
export const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]

const tolerationOperators = ["Equal", "Exists"]

const validateTolerationOperator = (operator: string, value: string): Errors => {
  if (operator === "" || operator === "Equal") {
    const problems = Names.isLabelValue(value)
    return problems.length > 0 ? [invalid(".operator", value, problems.join(";"))] : none
  }
  if (operator !== "Exists") return [notSupported(".operator", operator, tolerationOperators)]
  return value === "" ? none : [invalid(".operator", value, "value must be empty when `operator` is 'Exists'")]
}

const validateToleration = ({ effect = "", key = "", operator = "", tolerationSeconds, value = "" }: CoreV1.Toleration): Errors =>
  all(
    optionalName(".key", key, Names.isQualifiedName),
    key === "" && operator !== "Exists"
      ? [invalid(".operator", operator, `operator must be Exists when \`key\` is empty, which means "match all values and all keys"`)]
      : none,
    tolerationSeconds !== undefined && effect !== "NoExecute"
      ? [invalid(".effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")]
      : none,
    validateTolerationOperator(operator, value),
    effect === "" ? none : optionalOneOf(".effect", effect, taintEffects)
  )

/** @category combinators */
export const validateTolerations = (path: string, tolerations: ReadonlyArray<CoreV1.Toleration> | undefined): Errors =>
  at(path, each(tolerations, validateToleration))

const validateMinDomains = (minDomains: number | undefined, action: string): Errors =>
  minDomains === undefined
    ? none
    : all(
        minDomains <= 0 ? [invalid(".minDomains", minDomains, notPositive)] : none,
        action === "DoNotSchedule"
          ? none
          : [invalid(".minDomains", minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`)]
      )

const spreadActions = ["DoNotSchedule", "ScheduleAnyway"]
const nodePolicies = ["Honor", "Ignore"]

/** @category combinators */
export const validateTopologySpread = (constraints: ReadonlyArray<CoreV1.TopologySpreadConstraint> | undefined): Errors => {
  if (constraints === undefined || constraints.length === 0) return none
  const pairOf = ({ topologyKey, whenUnsatisfiable }: CoreV1.TopologySpreadConstraint): string => `{${topologyKey}, ${whenUnsatisfiable}}`
  const lastOf = new Map(constraints.map((constraint, index) => [pairOf(constraint), index]))
  return each(constraints, (constraint, index) => {
    const { labelSelector, matchLabelKeys, maxSkew, topologyKey, whenUnsatisfiable } = constraint
    return all(
      maxSkew <= 0 ? [invalid(".maxSkew", maxSkew, notPositive)] : none,
      topologyKey === "" ? [required(".topologyKey", "can not be empty")] : none,
      optionalOneOf(".whenUnsatisfiable", whenUnsatisfiable, spreadActions),
      lastOf.get(pairOf(constraint)) === index ? none : [duplicate(".{topologyKey, whenUnsatisfiable}", pairOf(constraint))],
      validateMinDomains(constraint.minDomains, whenUnsatisfiable),
      optionalOneOf(".nodeAffinityPolicy", constraint.nodeAffinityPolicy, nodePolicies),
      optionalOneOf(".nodeTaintsPolicy", constraint.nodeTaintsPolicy, nodePolicies),
      at(".matchLabelKeys", labelKeys(matchLabelKeys, labelSelector)),
      selectedTwice(matchLabelKeys, labelSelector),
      validateLabelSelector(".labelSelector", labelSelector)
    )
  })
}

/** @category combinators */
export const validateSchedulingGates = (gates: ReadonlyArray<CoreV1.PodSchedulingGate> | undefined): Errors => {
  if (gates === undefined) return none
  const repeated = repeats(gates, ({ name }) => name)
  return each(gates, ({ name }, index) => all(labelKey(name), repeated.has(index) ? [duplicate("", name)] : none))
}
