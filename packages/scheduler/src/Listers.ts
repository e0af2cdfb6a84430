/** What plugins may look up besides nodes and pods: local copies of other objects, read by plain calls that never wait. */
import { type AppsV1, type CoreV1, type KubeObject, type PolicyV1, type SchedulingV1, type StorageV1, VolumeClaims } from "@reddwarf/api-types"

/**
 * A way to find objects of one kind without looking at all of them: the values under which each is found.
 *
 * @category models
 */
export interface Index<A> {
  readonly name: string
  readonly valuesOf: (object: A) => ReadonlyArray<string>
}

/**
 * The objects of one kind.
 *
 * @category models
 */
export interface Lister<A> {
  /** By `namespace/name`, or `name` for a cluster-scoped kind. */
  readonly get: (key: string) => A | undefined
  readonly list: () => ReadonlyArray<A>
  /** Those of one namespace. */
  readonly inNamespace: (namespace: string) => ReadonlyArray<A>
  /** Those that an index has under a value; nothing for an index that is not kept for the kind, see `persistentVolumeIndexes` and `volumeAttachmentIndexes`. */
  readonly by: (index: Index<A>, value: string) => ReadonlyArray<A>
}

/**
 * The kinds a plugin may look up. A scheduler watches those that its plugins name in `uses`; the others are empty.
 *
 * @category models
 */
export interface Listers {
  readonly namespaces: Lister<CoreV1.Namespace>
  readonly persistentVolumes: Lister<CoreV1.PersistentVolume>
  readonly persistentVolumeClaims: Lister<CoreV1.PersistentVolumeClaim>
  readonly storageClasses: Lister<StorageV1.StorageClass>
  readonly csiNodes: Lister<StorageV1.CSINode>
  readonly volumeAttachments: Lister<StorageV1.VolumeAttachment>
  readonly podDisruptionBudgets: Lister<PolicyV1.PodDisruptionBudget>
  readonly priorityClasses: Lister<SchedulingV1.PriorityClass>
  readonly services: Lister<CoreV1.Service>
  readonly replicationControllers: Lister<CoreV1.ReplicationController>
  readonly replicaSets: Lister<AppsV1.ReplicaSet>
  readonly statefulSets: Lister<AppsV1.StatefulSet>
}

/**
 * The name of one of the listers.
 *
 * @category models
 */
export type Name = keyof Listers

/**
 * Volumes that no claim has, by their class.
 *
 * @category constants
 */
export const freeVolumesByClass: Index<CoreV1.PersistentVolume> = {
  name: "freeByClass",
  valuesOf: (volume) => volume.spec?.claimRef === undefined ? [VolumeClaims.classOf(volume)] : []
}

/**
 * Volumes by the claim that they name, as `namespace/name`.
 *
 * @category constants
 */
export const volumesByClaim: Index<CoreV1.PersistentVolume> = {
  name: "claim",
  valuesOf: ({ spec }) => spec?.claimRef === undefined ? [] : [VolumeClaims.claimKey(spec.claimRef)]
}

/** Attribute of a volume that is a dataset, with the name of the node that has it. */
const nodeAttribute = "reddwarf.io/node"

/**
 * Volumes that are datasets, by the node that has them.
 *
 * @category constants
 */
export const volumesByNode: Index<CoreV1.PersistentVolume> = {
  name: "node",
  valuesOf: ({ spec }) => {
    const node = spec?.csi?.volumeAttributes?.[nodeAttribute]
    return node === undefined ? [] : [node]
  }
}

/**
 * The indexes that are kept for volumes.
 *
 * @category constants
 */
export const persistentVolumeIndexes: ReadonlyArray<Index<CoreV1.PersistentVolume>> = [freeVolumesByClass, volumesByClaim, volumesByNode]

/**
 * Attachments by the node that they are to.
 *
 * @category constants
 */
export const attachmentsByNode: Index<StorageV1.VolumeAttachment> = {
  name: "node",
  valuesOf: ({ spec }) => [spec.nodeName]
}

/**
 * The indexes that are kept for attachments.
 *
 * @category constants
 */
export const volumeAttachmentIndexes: ReadonlyArray<Index<StorageV1.VolumeAttachment>> = [attachmentsByNode]

/**
 * A lister over these objects: for tests and what-if questions.
 *
 * @category constructors
 */
export const of = <A extends KubeObject.KubeObject>(objects: ReadonlyArray<A>): Lister<A> => {
  const keyOf = ({ metadata: { name = "", namespace } }: A): string => namespace === undefined ? name : `${namespace}/${name}`
  const byKey = new Map(objects.map((object) => [keyOf(object), object]))
  return {
    get: (key) => byKey.get(key),
    list: () => objects,
    inNamespace: (namespace) => objects.filter((object) => object.metadata.namespace === namespace),
    by: (index, value) => objects.filter((object) => index.valuesOf(object).includes(value))
  }
}

const nothing: Lister<never> = { get: () => undefined, list: () => [], inNamespace: () => [], by: () => [] }

/**
 * Listers that know nothing.
 *
 * @category constructors
 */
export const empty: Listers = {
  namespaces: nothing,
  persistentVolumes: nothing,
  persistentVolumeClaims: nothing,
  storageClasses: nothing,
  csiNodes: nothing,
  volumeAttachments: nothing,
  podDisruptionBudgets: nothing,
  priorityClasses: nothing,
  services: nothing,
  replicationControllers: nothing,
  replicaSets: nothing,
  statefulSets: nothing
}
