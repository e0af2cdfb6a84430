/** Pods that say nothing about spreading are spread with those of their service and controller. */
import type { CoreV1, MetaV1 } from "@reddwarf/api-types"
import type { Listers } from "../../Listers.js"
import type { PodInfo } from "../../PodInfo.js"
import * as PodSelection from "./podSelection.js"
import * as SpreadConstraints from "./spreadConstraints.js"

const includes = (labels: PodSelection.Labels, wanted: PodSelection.Labels): boolean => {
  for (const key of Object.keys(wanted)) if (labels[key] !== wanted[key]) return false
  return true
}

const servicesOf = ({ shape }: PodInfo, { services }: Listers): Record<string, string> => {
  const selected: Record<string, string> = {}
  for (const { spec } of services.inNamespace(shape.namespace)) {
    if (spec?.selector !== undefined && includes(shape.labels, spec.selector)) Object.assign(selected, spec.selector)
  }
  return selected
}

const controllerSelectorOf = ({ pod, shape }: PodInfo, listers: Listers): MetaV1.LabelSelector | undefined => {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true)
  if (owner === undefined) return undefined
  const key = `${shape.namespace}/${owner.name}`
  switch (`${owner.apiVersion} ${owner.kind}`) {
    case "v1 ReplicationController": {
      const matchLabels = listers.replicationControllers.get(key)?.spec?.selector
      return matchLabels === undefined ? undefined : { matchLabels }
    }
    case "apps/v1 ReplicaSet":
      return listers.replicaSets.get(key)?.spec?.selector
    case "apps/v1 StatefulSet":
      return listers.statefulSets.get(key)?.spec?.selector
    default:
      return undefined
  }
}

/** What selects the pods that are like this one: its services and its controller together. Undefined when it has neither. */
export const selectorOf = (pod: PodInfo, listers: Listers): PodSelection.Selector | undefined => {
  const services = servicesOf(pod, listers)
  const controller = controllerSelectorOf(pod, listers)
  const matchLabels = { ...services, ...controller?.matchLabels }
  const matchExpressions = controller?.matchExpressions ?? []
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) return undefined
  return PodSelection.selectorOf({ matchLabels, matchExpressions })
}

/** The constraints of one kind for a pod that has none of its own. */
export const constraintsOf = (
  pod: PodInfo,
  defaults: ReadonlyArray<CoreV1.TopologySpreadConstraint>,
  action: CoreV1.UnsatisfiableConstraintAction,
  requireAllKeys: boolean,
  listers: Listers
): ReadonlyArray<SpreadConstraints.SpreadConstraint> => {
  const own = defaults.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
  if (own.length === 0) return []
  const selector = selectorOf(pod, listers)
  if (selector === undefined) return []
  const keys = requireAllKeys ? SpreadConstraints.keysOf(own) : []
  return own.map((constraint) => SpreadConstraints.make(constraint, selector, keys, pod.shape))
}
