/** The volumes of CSI drivers that pods and nodes have, counted once each however many claims and pods share one. */
import { type CoreV1, VolumeClaims } from "@reddwarf/api-types"
import { ObjectRef } from "@reddwarf/client"
import * as Listers from "../Listers.js"

/**
 * The driver of each volume. The keys are equal for the same volume, and mean nothing else.
 *
 * @category models
 */
export type CsiVolumes = ReadonlyMap<string, string>

/** Neither a driver nor a name has this character, so no two volumes have one key. */
const keyOf = (...parts: ReadonlyArray<string>): string => parts.join("\0")

const addClaim = (volumes: Map<string, string>, claim: CoreV1.PersistentVolumeClaim, { persistentVolumes, storageClasses }: Listers.Listers): void => {
  const volume = persistentVolumes.get(claim.spec?.volumeName ?? "")
  if (volume === undefined) {
    // The volume is still to be made, by the driver that the class names.
    const provisioner = storageClasses.get(VolumeClaims.classOf(claim))?.provisioner ?? ""
    if (provisioner !== "") volumes.set(keyOf("claim", ObjectRef.keyOf(claim)), provisioner)
  } else if (volume.spec?.csi !== undefined) {
    const { driver, volumeHandle } = volume.spec.csi
    volumes.set(keyOf("volume", driver, volumeHandle), driver)
  }
}

/**
 * Those of a pod: of its claims, with or without a volume. Claims that do not exist are left out, as are volumes of other kinds.
 *
 * @category constructors
 */
export const ofPod = (pod: CoreV1.Pod, listers: Listers.Listers): CsiVolumes => {
  const volumes = new Map<string, string>()
  for (const key of VolumeClaims.claimsOf(pod)) {
    const claim = listers.persistentVolumeClaims.get(key)
    if (claim !== undefined) addClaim(volumes, claim, listers)
  }
  return volumes
}

/**
 * Those that VolumeAttachments say are attached to a node, or about to be, whichever pods use them.
 *
 * @category constructors
 */
export const attachedTo = (node: string, { persistentVolumes, volumeAttachments }: Listers.Listers): CsiVolumes => {
  const volumes = new Map<string, string>()
  for (const { spec: { attacher, source } } of volumeAttachments.by(Listers.attachmentsByNode, node)) {
    const csi = persistentVolumes.get(source.persistentVolumeName ?? "")?.spec?.csi
    if (csi !== undefined) volumes.set(keyOf("volume", attacher, csi.volumeHandle), attacher)
  }
  return volumes
}
