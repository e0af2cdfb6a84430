/**
 * What a pod's own labels add to its selectors: `matchLabelKeys` and `mismatchLabelKeys` of affinity terms and `matchLabelKeys` of topology spread
 * constraints become requirements of the selector when the pod is created, so that everybody who reads the pod sees what they select.
 */
import type * as CoreV1 from "../generated/CoreV1.js"
import type * as MetaV1 from "../generated/MetaV1.js"

type Labels = Readonly<Record<string, string>>

/** A label that the pod does not have requires nothing. */
const requirements = (keys: ReadonlyArray<string>, operator: "In" | "NotIn", labels: Labels): ReadonlyArray<MetaV1.LabelSelectorRequirement> =>
  keys.flatMap((key) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined
    return value === undefined ? [] : [{ key, operator, values: [value] }]
  })

interface Selecting {
  readonly labelSelector?: MetaV1.LabelSelector
  readonly matchLabelKeys?: ReadonlyArray<string>
  readonly mismatchLabelKeys?: ReadonlyArray<string>
}

/** No selector selects nothing, whatever is required besides. */
const merged = <A extends Selecting>(term: A, labels: Labels): A => {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term
  if (labelSelector === undefined) return term
  const added = [...requirements(matchLabelKeys, "In", labels), ...requirements(mismatchLabelKeys, "NotIn", labels)]
  if (added.length === 0) return term
  return { ...term, labelSelector: { ...labelSelector, matchExpressions: [...labelSelector.matchExpressions ?? [], ...added] } }
}

const inAffinity = <A extends CoreV1.PodAffinity | CoreV1.PodAntiAffinity>(affinity: A, labels: Labels): A => {
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution
  return {
    ...affinity,
    ...(required === undefined ? {} : { requiredDuringSchedulingIgnoredDuringExecution: required.map((term) => merged(term, labels)) }),
    ...(preferred === undefined ? {} : {
      preferredDuringSchedulingIgnoredDuringExecution: preferred.map((one) => ({ ...one, podAffinityTerm: merged(one.podAffinityTerm, labels) }))
    })
  }
}

/**
 * Merges the label keys of a new pod into its selectors. Not idempotent: a requirement that is there already is written a second time, which is how
 * validation finds a key that the user selects as well.
 *
 * @category combinators
 */
export const podWithLabelKeys = (pod: CoreV1.Pod): CoreV1.Pod => {
  const { metadata: { labels }, spec } = pod
  if (labels === undefined || spec === undefined) return pod
  const { affinity, topologySpreadConstraints } = spec
  const { podAffinity, podAntiAffinity } = affinity ?? {}
  if (podAffinity === undefined && podAntiAffinity === undefined && topologySpreadConstraints === undefined) return pod
  return {
    ...pod,
    spec: {
      ...spec,
      ...(affinity === undefined ? {} : {
        affinity: {
          ...affinity,
          ...(podAffinity === undefined ? {} : { podAffinity: inAffinity(podAffinity, labels) }),
          ...(podAntiAffinity === undefined ? {} : { podAntiAffinity: inAffinity(podAntiAffinity, labels) })
        }
      }),
      ...(topologySpreadConstraints === undefined ? {} : { topologySpreadConstraints: topologySpreadConstraints.map((one) => merged(one, labels)) })
    }
  }
}
