/** PersistentVolumeClaim: what a pod asks of a volume. */
import { volumeClaimDefaults } from "../defaults/VolumeClaimDefaults.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import { age, name, text, wide } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { volumeClaimCells } from "../printing/VolumeCells.js"
import { validateVolumeClaim, validateVolumeClaimUpdate } from "../validation/VolumeClaimValidation.js"

// Both fields say the same, unless the source is one that only the newer field can name.
const withBothSources = (object: CoreV1.PersistentVolumeClaim): CoreV1.PersistentVolumeClaim => {
  const { dataSource, dataSourceRef } = object.spec ?? {}
  if (dataSource !== undefined && dataSourceRef === undefined) return { ...object, spec: { ...object.spec, dataSourceRef: dataSource } }
  return dataSource === undefined && dataSourceRef !== undefined && (dataSourceRef.namespace ?? "") === ""
    ? { ...object, spec: { ...object.spec, dataSource: dataSourceRef } }
    : object
}

/** @category constructors */
export const persistentVolumeClaim: Kind.Kind<CoreV1.PersistentVolumeClaim> = Kind.make<CoreV1.PersistentVolumeClaim>({
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  shortNames: ["pvc"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.PersistentVolumeClaim",
  subresources: [{ name: "status", kind: "PersistentVolumeClaim", verbs: ["get", "patch", "update"] }],
  defaults: volumeClaimDefaults,
  prepareForCreate: (object) => ({ ...withBothSources(object), status: { phase: "Pending" } }),
  prepareForUpdate: (next, old) => ({ ...withBothSources(next), status: old.status ?? {} }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: validateVolumeClaim,
  validateContentUpdate: validateVolumeClaimUpdate,
  columns: [
    name,
    text("Status", "Whether the claim has a volume."),
    text("Volume", "Volume that the claim is bound to."),
    text("Capacity", "Size of that volume."),
    text("Access Modes", "How that volume can be mounted."),
    text("StorageClass", "Class of the volume that is asked for."),
    text("VolumeAttributesClass", "Class of the attributes of the volume that may change."),
    age,
    wide("VolumeMode", "File system or block device.")
  ],
  cells: volumeClaimCells
})
