import type * as Kind from "../../Kind.js"
import { csiDriver } from "../CSIDriver.js"
import { csiNode } from "../CSINode.js"
import { csiStorageCapacity } from "../CSIStorageCapacity.js"
import { storageClass } from "../StorageClass.js"
import { volumeAttachment } from "../VolumeAttachment.js"
import { volumeAttributesClass } from "../VolumeAttributesClass.js"

export { csiDriver, csiNode, csiStorageCapacity, storageClass, volumeAttachment, volumeAttributesClass }

/** The kinds of `storage.k8s.io`, in the order of discovery. @category constructors */
export const storage: ReadonlyArray<Kind.Kind> = [
  csiDriver,
  csiNode,
  csiStorageCapacity,
  storageClass,
  volumeAttachment,
  volumeAttributesClass
]
