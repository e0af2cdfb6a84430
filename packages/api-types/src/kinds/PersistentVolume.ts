/** PersistentVolume: storage that outlives the pods that use it. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { age, name, text, wide } from "../internal/columns.js"
import { orElse } from "../internal/strings.js"
import * as Kind from "../Kind.js"
import { persistentVolumeCells } from "../printing/VolumeCells.js"
import * as Timestamp from "../Timestamp.js"
import { validatePersistentVolume, validatePersistentVolumeUpdate } from "../validation/PersistentVolumeValidation.js"

const defaults = (object: CoreV1.PersistentVolume): CoreV1.PersistentVolume => {
  const spec = object.spec ?? {}
  const { hostPath, iscsi } = spec
  return {
    ...object,
    spec: {
      ...spec,
      ...(hostPath === undefined ? {} : { hostPath: { ...hostPath, type: hostPath.type ?? "" } }),
      ...(iscsi === undefined ? {} : { iscsi: { ...iscsi, iscsiInterface: orElse(iscsi.iscsiInterface, "default") } }),
      persistentVolumeReclaimPolicy: orElse(spec.persistentVolumeReclaimPolicy, "Retain"),
      volumeMode: spec.volumeMode ?? "Filesystem"
    },
    status: (object.status?.phase ?? "") === "" ? { ...object.status, phase: "Pending" } : (object.status ?? {})
  }
}

/** @category constructors */
export const persistentVolume: Kind.Kind<CoreV1.PersistentVolume> = Kind.make<CoreV1.PersistentVolume>({
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  shortNames: ["pv"],
  namespaced: false,
  schema: "io.k8s.api.core.v1.PersistentVolume",
  subresources: [{ name: "status", kind: "PersistentVolume", verbs: ["get", "patch", "update"] }],
  defaults,
  prepareForCreate: (object, now) => ({
    ...object,
    status: { phase: "Pending", lastPhaseTransitionTime: Timestamp.secondsFromMillis(now) }
  }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? {} }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: validatePersistentVolume,
  validateContentUpdate: validatePersistentVolumeUpdate,
  columns: [
    name,
    text("Capacity", "Size of the volume."),
    text("Access Modes", "How the volume can be mounted."),
    text("Reclaim Policy", "What becomes of the volume when its claim is deleted."),
    text("Status", "Whether the volume is free, claimed or released."),
    text("Claim", "Claim that the volume is bound to."),
    text("StorageClass", "Class of the volume."),
    text("VolumeAttributesClass", "Class of the attributes of the volume that may change."),
    text("Reason", "Why the volume failed."),
    age,
    wide("VolumeMode", "File system or block device.")
  ],
  cells: persistentVolumeCells
})
