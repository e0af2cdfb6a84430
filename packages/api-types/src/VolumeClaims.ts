/** How pods, PersistentVolumeClaims and PersistentVolumes belong together. Plain functions: controllers and the scheduler ask them for every pod. */
import * as Either from "effect/Either"
import type * as CoreV1 from "./generated/CoreV1.js"
import * as LabelSelector from "./LabelSelector.js"
import * as Quantity from "./Quantity.js"

const classAnnotation = "volume.beta.kubernetes.io/storage-class"

/** Annotation of a claim with the node that a scheduler has chosen for its first pod. @category constants */
export const selectedNodeAnnotation = "volume.kubernetes.io/selected-node"

/** Annotation of a claim whose binding is done in both directions. @category constants */
export const bindCompletedAnnotation = "pv.kubernetes.io/bind-completed"

/** Annotation of what the binder has filled in by itself. @category constants */
export const boundByControllerAnnotation = "pv.kubernetes.io/bound-by-controller"

/** The class that a claim or a volume is of; empty for none. @category combinators */
export const classOf = (object: CoreV1.PersistentVolumeClaim | CoreV1.PersistentVolume): string =>
  object.metadata.annotations?.[classAnnotation] ?? object.spec?.storageClassName ?? ""

/** `namespace/name` of the claim that a volume names. @category combinators */
export const claimKey = ({ name = "", namespace }: CoreV1.ObjectReference): string => namespace === undefined || namespace === "" ? name : `${namespace}/${name}`

/** The name of the claim behind a volume of a pod, if there is one: for an ephemeral volume the claim that is made for it. @category combinators */
export const claimName = (pod: CoreV1.Pod, { ephemeral, name, persistentVolumeClaim }: CoreV1.Volume): string | undefined =>
  persistentVolumeClaim !== undefined ? persistentVolumeClaim.claimName : ephemeral === undefined ? undefined : `${pod.metadata.name ?? ""}-${name}`

/** `namespace/name` of the claims that a pod mounts, those included that are made for it. @category combinators */
export const claimsOf = (pod: CoreV1.Pod): ReadonlyArray<string> =>
  (pod.spec?.volumes ?? []).flatMap((volume) => {
    const name = claimName(pod, volume)
    return name === undefined ? [] : [claimKey({ name, ...(pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace }) })]
  })

/** Whether the volume is kept for this claim and no other. @category combinators */
export const isFor = ({ spec }: CoreV1.PersistentVolume, claim: CoreV1.PersistentVolumeClaim): boolean => {
  const reference = spec?.claimRef
  if (reference === undefined) return true
  const { name, namespace, uid } = claim.metadata
  return reference.name === name && reference.namespace === namespace && (reference.uid === undefined || reference.uid === "" || reference.uid === uid)
}

/** Whether claim and volume name each other for good. @category combinators */
export const isBound = (claim: CoreV1.PersistentVolumeClaim): boolean =>
  (claim.spec?.volumeName ?? "") !== "" && claim.metadata.annotations?.[bindCompletedAnnotation] !== undefined

const sizeOf = (volume: CoreV1.PersistentVolume): Quantity.Quantity => Quantity.fromText(volume.spec?.capacity?.["storage"])

/** Whether the volume offers what the claim asks for. @category combinators */
export const satisfies = (volume: CoreV1.PersistentVolume, claim: CoreV1.PersistentVolumeClaim): boolean => {
  const { accessModes = [], resources, selector, volumeAttributesClassName = "", volumeMode = "Filesystem" } = claim.spec ?? {}
  if (volume.metadata.deletionTimestamp !== undefined || classOf(volume) !== classOf(claim)) return false
  if ((volume.spec?.volumeMode ?? "Filesystem") !== volumeMode || (volume.spec?.volumeAttributesClassName ?? "") !== volumeAttributesClassName) return false
  if (!accessModes.every((mode) => volume.spec?.accessModes?.includes(mode) === true)) return false
  if (selector !== undefined) {
    const parsed = LabelSelector.fromObject(selector)
    if (Either.isLeft(parsed) || !LabelSelector.matches(parsed.right, volume.metadata.labels)) return false
  }
  return Quantity.compare(sizeOf(volume), Quantity.fromText(resources?.requests?.["storage"])) >= 0
}

const isFree = ({ spec, status }: CoreV1.PersistentVolume): boolean =>
  spec?.claimRef === undefined && status?.phase !== "Released" && status?.phase !== "Failed"

/** The free volumes that offer what a claim asks for: the smallest first, of several the first by name. @category combinators */
export const matching = (
  volumes: Iterable<CoreV1.PersistentVolume>,
  claim: CoreV1.PersistentVolumeClaim
): ReadonlyArray<CoreV1.PersistentVolume> =>
  Array.from(volumes).filter((volume) => isFree(volume) && satisfies(volume, claim))
    .sort((a, b) => Quantity.compare(sizeOf(a), sizeOf(b)) || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1))
