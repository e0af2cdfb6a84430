/** Changes of the cluster that may make a pod schedulable which was not before. */
import type { CoreV1, StorageV1 } from "@reddwarf/api-types"
import { isDeepStrictEqual } from "node:util"
import type { PodInfo } from "./PodInfo.js"
import * as Resources from "./Resources.js"

/**
 * What each kind of change is about.
 *
 * `AssignedPod` events are about pods that have a node; their deletion includes termination, which frees the resources as well. `Pod` events are
 * about pods that wait for a node: `Pod…` updates about the very pod that is asked about. `ScaleDown`: the pod asks for less.
 *
 * @category models
 */
export interface Subjects {
  readonly NodeAdd: CoreV1.Node
  readonly NodeDelete: CoreV1.Node
  readonly NodeUpdateAllocatable: CoreV1.Node
  readonly NodeUpdateLabels: CoreV1.Node
  readonly NodeUpdateAnnotations: CoreV1.Node
  readonly NodeUpdateTaints: CoreV1.Node
  readonly NodeUpdateConditions: CoreV1.Node
  readonly AssignedPodAdd: PodInfo
  readonly AssignedPodUpdateLabels: PodInfo
  readonly AssignedPodScaleDown: PodInfo
  readonly AssignedPodDelete: PodInfo
  readonly PodUpdateGates: PodInfo
  readonly PodUpdateLabels: PodInfo
  readonly PodUpdateTolerations: PodInfo
  readonly PodScaleDown: PodInfo
  /** Anything else of the waiting pod's specification or annotations. */
  readonly PodUpdateOther: PodInfo
  /** Another pod without a node came. */
  readonly PodAdd: PodInfo
  /** A waiting pod, perhaps a nominated one, is gone. */
  readonly PodDelete: PodInfo
  readonly PersistentVolumeAdd: CoreV1.PersistentVolume
  readonly PersistentVolumeUpdate: CoreV1.PersistentVolume
  readonly PersistentVolumeDelete: CoreV1.PersistentVolume
  readonly PersistentVolumeClaimAdd: CoreV1.PersistentVolumeClaim
  readonly PersistentVolumeClaimUpdate: CoreV1.PersistentVolumeClaim
  readonly PersistentVolumeClaimDelete: CoreV1.PersistentVolumeClaim
  readonly StorageClassAdd: StorageV1.StorageClass
  readonly StorageClassUpdate: StorageV1.StorageClass
  readonly StorageClassDelete: StorageV1.StorageClass
  readonly CSINodeAdd: StorageV1.CSINode
  readonly CSINodeUpdate: StorageV1.CSINode
  readonly VolumeAttachmentDelete: StorageV1.VolumeAttachment
  readonly NamespaceAdd: CoreV1.Namespace
  readonly NamespaceUpdateLabels: CoreV1.Namespace
  readonly ServiceAdd: CoreV1.Service
  readonly ServiceUpdate: CoreV1.Service
  readonly ServiceDelete: CoreV1.Service
}

/**
 * What happened.
 *
 * @category models
 */
export type ClusterEvent = keyof Subjects

/**
 * A change with its objects: `old` is absent for an addition, `next` for a deletion.
 *
 * @category models
 */
export interface Change<E extends ClusterEvent = ClusterEvent> {
  readonly event: E
  readonly old: Subjects[E] | undefined
  readonly next: Subjects[E] | undefined
}

/**
 * Whether the change may help the pod: `Queue` earns it another attempt, `Skip` lets it wait on.
 *
 * @category models
 */
export type Hint = "Queue" | "Skip"

/**
 * A change after which a pod that a plugin rejected may be worth another attempt. Written as the event's name alone when it always is, made by
 * `when` when it depends on the objects.
 *
 * @category models
 */
export type Trigger = ClusterEvent | {
  readonly event: ClusterEvent
  /** A hint that throws counts as `Queue`. */
  readonly hint: (pod: PodInfo, change: Change) => Hint
}

const isAbout = <E extends ClusterEvent>(event: E, change: Change): change is Change<E> => change.event === event

/**
 * A trigger that looks at the objects: `when("NodeAdd", (pod, _, node) => tolerates(pod, node) ? "Queue" : "Skip")`.
 *
 * @category constructors
 */
export const when = <E extends ClusterEvent>(
  event: E,
  hint: (pod: PodInfo, old: Subjects[E] | undefined, next: Subjects[E] | undefined) => Hint
): Trigger => ({ event, hint: (pod, change) => isAbout(event, change) ? hint(pod, change.old, change.next) : "Queue" })

/**
 * Whether one of these triggers says that a change is worth another attempt for a pod. No list of triggers: every change is.
 *
 * @category combinators
 */
export const wakes = (triggers: ReadonlyArray<Trigger> | undefined, pod: PodInfo, change: Change): boolean => {
  if (triggers === undefined) return true
  for (const trigger of triggers) {
    if (typeof trigger === "string") {
      if (trigger === change.event) return true
    } else if (trigger.event === change.event && hintOf(trigger.hint, pod, change) === "Queue") return true
  }
  return false
}

const hintOf = (hint: (pod: PodInfo, change: Change) => Hint, pod: PodInfo, change: Change): Hint => {
  try {
    return hint(pod, change)
  } catch {
    // Too many attempts do no harm, a pod that sleeps for ever does.
    return "Queue"
  }
}

/**
 * The event of a trigger.
 *
 * @category combinators
 */
export const eventOf = (trigger: Trigger): ClusterEvent => typeof trigger === "string" ? trigger : trigger.event

type Texts = Readonly<Record<string, string>>

/**
 * Whether two sets of labels or annotations are the same.
 *
 * @category combinators
 */
export const sameTexts = (a: Texts | undefined, b: Texts | undefined): boolean => a === b || isDeepStrictEqual(a ?? {}, b ?? {})

const shapeAside = ({ containers: _containers, initContainers: _init, schedulingGates: _gates, tolerations: _tolerations, ...rest }: CoreV1.PodSpec) => rest

/**
 * What differs between two versions of a waiting pod, as far as its placement can depend on it. Writes of its status give nothing.
 *
 * @category constructors
 */
export const ofPodUpdate = (old: PodInfo, next: PodInfo): ReadonlyArray<Change> => {
  if (old.shape === next.shape) return []
  const before = old.shape
  const after = next.shape
  const events: Array<ClusterEvent> = []
  if ((before.spec.schedulingGates?.length ?? 0) > 0 && (after.spec.schedulingGates?.length ?? 0) === 0) events.push("PodUpdateGates")
  if (!sameTexts(before.labels, after.labels)) events.push("PodUpdateLabels")
  if (!isDeepStrictEqual(before.spec.tolerations, after.spec.tolerations)) events.push("PodUpdateTolerations")
  if (Resources.isLess(after.requests, before.requests)) events.push("PodScaleDown")
  if (!sameTexts(before.annotations, after.annotations) || !isDeepStrictEqual(shapeAside(before.spec), shapeAside(after.spec))) {
    events.push("PodUpdateOther")
  }
  return events.map((event) => ({ event, old, next }))
}

const conditionStates = (node: CoreV1.Node): Readonly<Record<string, string>> =>
  Object.fromEntries(node.status?.conditions?.map((condition) => [condition.type, condition.status]) ?? [])

/**
 * What differs between two versions of a node, as far as placement can depend on it. Heartbeats give nothing.
 *
 * @category constructors
 */
export const ofNodeUpdate = (old: CoreV1.Node, next: CoreV1.Node): ReadonlyArray<ClusterEvent> => {
  const events: Array<ClusterEvent> = []
  if (!isDeepStrictEqual(old.status?.allocatable, next.status?.allocatable)) events.push("NodeUpdateAllocatable")
  if (!isDeepStrictEqual(old.metadata.labels, next.metadata.labels)) events.push("NodeUpdateLabels")
  if (!isDeepStrictEqual(old.metadata.annotations, next.metadata.annotations)) events.push("NodeUpdateAnnotations")
  if (!isDeepStrictEqual(old.spec?.taints, next.spec?.taints) || old.spec?.unschedulable !== next.spec?.unschedulable) {
    events.push("NodeUpdateTaints")
  }
  if (!isDeepStrictEqual(conditionStates(old), conditionStates(next))) events.push("NodeUpdateConditions")
  return events
}
