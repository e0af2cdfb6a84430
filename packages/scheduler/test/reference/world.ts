/**
 * The reference model of placement: what Kubernetes' rules say, written for clarity alone. Every question is answered from the raw objects, by
 * walking over all of them; nothing is prepared, kept or shared. It takes nothing from the sources of the scheduler: what they do fast must agree
 * with what this does slowly.
 */
import type { AppsV1, CoreV1, PolicyV1, StorageV1 } from "@reddwarf/api-types"

/** Everything that a placement depends on. */
export interface World {
  readonly nodes: ReadonlyArray<CoreV1.Node>
  /** The pods that have a node; terminated ones among them. */
  readonly pods: ReadonlyArray<CoreV1.Pod>
  /** Pods that are thought to have left their nodes. Volumes are made for their claims all the same. */
  readonly leaving: ReadonlyArray<CoreV1.Pod>
  readonly namespaces: ReadonlyArray<CoreV1.Namespace>
  readonly services: ReadonlyArray<CoreV1.Service>
  readonly replicaSets: ReadonlyArray<AppsV1.ReplicaSet>
  readonly claims: ReadonlyArray<CoreV1.PersistentVolumeClaim>
  readonly volumes: ReadonlyArray<CoreV1.PersistentVolume>
  readonly classes: ReadonlyArray<StorageV1.StorageClass>
  readonly csiNodes: ReadonlyArray<StorageV1.CSINode>
  readonly attachments: ReadonlyArray<StorageV1.VolumeAttachment>
  readonly budgets: ReadonlyArray<PolicyV1.PodDisruptionBudget>
}

export const empty: World = {
  nodes: [],
  pods: [],
  leaving: [],
  namespaces: [],
  services: [],
  replicaSets: [],
  claims: [],
  volumes: [],
  classes: [],
  csiNodes: [],
  attachments: [],
  budgets: []
}

/** `Unschedulable`: it could help if pods left the node. `Unresolvable`: it could not. */
export interface Verdict {
  readonly code: "Unschedulable" | "Unresolvable"
  readonly reasons: ReadonlyArray<string>
}

export const unschedulable = (...reasons: ReadonlyArray<string>): Verdict => ({ code: "Unschedulable", reasons })
export const unresolvable = (...reasons: ReadonlyArray<string>): Verdict => ({ code: "Unresolvable", reasons })

export const nameOf = (object: { readonly metadata: { readonly name?: string | undefined } }): string => object.metadata.name ?? ""
export const labelsOf = (object: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> | undefined } }): Readonly<Record<string, string>> =>
  object.metadata.labels ?? {}
export const namespaceOf = (pod: CoreV1.Pod): string => pod.metadata.namespace ?? ""
export const priorityOf = (pod: CoreV1.Pod): number => pod.spec?.priority ?? 0
export const isTerminating = (pod: CoreV1.Pod): boolean => pod.metadata.deletionTimestamp !== undefined

/** The pods that hold something on a node: those that have not terminated. */
export const podsOn = (world: World, node: CoreV1.Node): ReadonlyArray<CoreV1.Pod> =>
  world.pods.filter((pod) => pod.spec?.nodeName === nameOf(node) && pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed")

/** Every pod that holds something, with its node. */
export const placed = (world: World): ReadonlyArray<{ readonly pod: CoreV1.Pod; readonly node: CoreV1.Node }> =>
  world.nodes.flatMap((node) => podsOn(world, node).map((pod) => ({ pod, node })))
