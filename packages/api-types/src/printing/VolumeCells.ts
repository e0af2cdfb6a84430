/** Table rows of PersistentVolumes and PersistentVolumeClaims. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { ageCell } from "../internal/columns.js"
import type { Cell } from "../Kind.js"

const shortModes: ReadonlyArray<readonly [mode: string, short: string]> = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"]
]

const modesCell = (modes: ReadonlyArray<string>): string =>
  shortModes.flatMap(([mode, short]) => (modes.includes(mode) ? [short] : [])).join(",")

// The annotation is how the class was named before there was a field for it.
const classCell = (object: CoreV1.PersistentVolume | CoreV1.PersistentVolumeClaim): string =>
  object.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? object.spec?.storageClassName ?? ""

const phaseCell = (object: CoreV1.PersistentVolume | CoreV1.PersistentVolumeClaim): string =>
  object.metadata.deletionTimestamp === undefined ? (object.status?.phase ?? "") : "Terminating"

const unset = "<unset>"

/** Cells in the order of the kind's columns. @category combinators */
export const persistentVolumeCells = (object: CoreV1.PersistentVolume, now: number): ReadonlyArray<Cell> => {
  const { spec = {}, status } = object
  const { claimRef } = spec
  return [
    object.metadata.name ?? "",
    spec.capacity?.["storage"] ?? "0",
    modesCell(spec.accessModes ?? []),
    spec.persistentVolumeReclaimPolicy ?? "",
    phaseCell(object),
    claimRef === undefined ? "" : `${claimRef.namespace ?? ""}/${claimRef.name ?? ""}`,
    classCell(object),
    spec.volumeAttributesClassName ?? unset,
    status?.reason ?? "",
    ageCell(object, now),
    spec.volumeMode ?? unset
  ]
}

/** Cells in the order of the kind's columns. @category combinators */
export const volumeClaimCells = (object: CoreV1.PersistentVolumeClaim, now: number): ReadonlyArray<Cell> => {
  const { spec = {}, status } = object
  const isPlaced = (spec.volumeName ?? "") !== ""
  return [
    object.metadata.name ?? "",
    phaseCell(object),
    spec.volumeName ?? "",
    isPlaced ? (status?.capacity?.["storage"] ?? "0") : "",
    isPlaced ? modesCell(status?.accessModes ?? []) : "",
    classCell(object),
    spec.volumeAttributesClassName ?? unset,
    ageCell(object, now),
    spec.volumeMode ?? unset
  ]
}
