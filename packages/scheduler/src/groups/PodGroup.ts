/** Pods that are of use only together: all of them get a node, or none does. */
import { PodPhase } from "@reddwarf/api-types"
import type { PodInfo } from "../PodInfo.js"
import * as SnapshotIndex from "../SnapshotIndex.js"

/**
 * Pod annotation with the name of the pod's group. A group is within a namespace.
 *
 * @category constants
 */
export const annotation = "scheduling.reddwarf.io/pod-group"

/**
 * Pod annotation with the number of pods of the group that must have a node before any of them starts.
 *
 * @category constants
 */
export const minAvailableAnnotation = "scheduling.reddwarf.io/min-available"

/**
 * The group of a pod. `problem` is set when the pod does not say rightly how many it needs.
 *
 * @category models
 */
export interface PodGroup {
  readonly name: string
  /** `namespace/name`. */
  readonly key: string
  readonly minAvailable: number
  readonly problem?: string
}

/**
 * The group a pod is in, if any.
 *
 * @category constructors
 */
export const of = ({ shape: { annotations, namespace } }: PodInfo): PodGroup | undefined => {
  const name = annotations[annotation] ?? ""
  if (name === "") return undefined
  const text = annotations[minAvailableAnnotation] ?? ""
  const group = { name, key: `${namespace}/${name}`, minAvailable: Number(text) }
  return /^[1-9]\d{0,5}$/.test(text)
    ? group
    : { ...group, problem: `pod group "${name}" needs the annotation ${minAvailableAnnotation} with a number from 1 on on each of its pods` }
}

/**
 * The pods of each group that have a node, bound or about to be, and are not on their way out: ids by the group's key.
 *
 * @category models
 */
export type Members = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Keeps `Members` current.
 *
 * @category constructors
 */
export const placed: SnapshotIndex.SnapshotIndex<Members> = SnapshotIndex.define("PodGroups", () => {
  const members = new Map<string, Set<string>>()
  return {
    view: members,
    nodeAdded: () => undefined,
    nodeChanged: () => undefined,
    nodeRemoved: () => undefined,
    podAdded: (pod) => {
      const group = of(pod)
      if (group === undefined || PodPhase.isTerminating(pod.pod)) return
      const ids = members.get(group.key)
      if (ids === undefined) members.set(group.key, new Set([pod.id]))
      else ids.add(pod.id)
    },
    podRemoved: (pod) => {
      const group = of(pod)
      const ids = group === undefined ? undefined : members.get(group.key)
      ids?.delete(pod.id)
      if (group !== undefined && ids?.size === 0) members.delete(group.key)
    }
  }
})
