/** Which volumes fit a claim. Pure. */
import { type CoreV1, LabelSelector, Quantity } from "@reddwarf/api-types"
import { ObjectRef } from "@reddwarf/client"
import * as Either from "effect/Either"

const classAnnotation = "volume.beta.kubernetes.io/storage-class"

/** The class that a claim or a volume is of; empty for none. */
export const classOf = (object: CoreV1.PersistentVolumeClaim | CoreV1.PersistentVolume): string =>
  object.metadata.annotations?.[classAnnotation] ?? object.spec?.storageClassName ?? ""

/** The key of the claim that a volume names. */
export const claimKey = ({ name = "", namespace }: CoreV1.ObjectReference): string => ObjectRef.key({ namespace, name })

/** Whether the volume is kept for this claim and no other. */
export const isFor = ({ spec }: CoreV1.PersistentVolume, claim: CoreV1.PersistentVolumeClaim): boolean => {
  const reference = spec?.claimRef
  if (reference === undefined) return true
  const { name, namespace, uid } = claim.metadata
  return reference.name === name && reference.namespace === namespace && (reference.uid === undefined || reference.uid === "" || reference.uid === uid)
}

const sizeOf = (volume: CoreV1.PersistentVolume): Quantity.Quantity => Quantity.fromText(volume.spec?.capacity?.["storage"])

/** Whether the volume offers what the claim asks for. */
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

/** The smallest free volume that fits; of several, the first by name. */
export const best = (volumes: ReadonlyArray<CoreV1.PersistentVolume>, claim: CoreV1.PersistentVolumeClaim): CoreV1.PersistentVolume | undefined =>
  volumes
    .filter((volume) => volume.spec?.claimRef === undefined && volume.status?.phase !== "Released" && volume.status?.phase !== "Failed" && satisfies(volume, claim))
    .sort((a, b) => Quantity.compare(sizeOf(a), sizeOf(b)) || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1))[0]
