/** Rules of a PersistentVolumeClaim. */
import { forbidden, invalid, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, optionalOneOf, present } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import * as Quantity from "../Quantity.js"
import { validateImmutable } from "./MetadataValidation.js"
import { validateResourceAmount } from "./ResourceValidation.js"
import { validateLabelSelector } from "./SchedulingValidation.js"

/** Access modes in the order in which messages list them. @category models */
export const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]

/** Known modes, at least one, and an exclusive one alone. @category combinators */
export const validateAccessModes = (path: string, modes: ReadonlyArray<string>, whenNone: string): Errors => [
  ...(modes.length === 0 ? [required(path, whenNone)] : []),
  ...modes.flatMap((mode) => (accessModes.includes(mode) ? [] : [notSupported(path, mode, accessModes)])),
  ...(modes.includes("ReadWriteOncePod") && modes.length > 1
    ? [forbidden(path, "may not use ReadWriteOncePod with other access modes")]
    : [])
]

/** An amount of storage that is more than nothing. @category combinators */
export const validateStorageAmount = (path: string, text: string): Errors => [
  ...validateResourceAmount(path, "storage", text),
  ...(Quantity.fromText(text).nanos <= 0n ? [invalid(path, text, "must be greater than zero")] : [])
]

const validateDataSource = (path: string, source: CoreV1.TypedLocalObjectReference): Errors => {
  const group = source.apiGroup ?? ""
  return [
    ...present(`${path}.name`, source.name),
    ...present(`${path}.kind`, source.kind),
    ...(group === ""
      ? source.kind === "PersistentVolumeClaim"
        ? []
        : [invalid(path, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")]
      : named(`${path}.apiGroup`, group, Names.isDns1123Subdomain))
  ]
}

/** @category combinators */
export const validateVolumeClaimSpec = (path: string, spec: CoreV1.PersistentVolumeClaimSpec): Errors => {
  const storage = spec.resources?.requests?.["storage"]
  return [
    ...validateAccessModes(`${path}.accessModes`, spec.accessModes ?? [], "at least 1 access mode is required"),
    ...validateLabelSelector(`${path}.selector`, spec.selector),
    ...(storage === undefined ? [required(`${path}.resources[storage]`)] : validateStorageAmount(`${path}.resources[storage]`, storage)),
    ...((spec.storageClassName ?? "") === "" ? [] : named(`${path}.storageClassName`, spec.storageClassName ?? "", Names.isDns1123Subdomain)),
    ...optionalOneOf(`${path}.volumeMode`, spec.volumeMode, ["Block", "Filesystem"]),
    ...(spec.dataSource === undefined ? [] : validateDataSource(`${path}.dataSource`, spec.dataSource)),
    ...(spec.dataSourceRef === undefined ? [] : validateDataSource(`${path}.dataSourceRef`, spec.dataSourceRef)),
    ...(spec.dataSource !== undefined &&
        spec.dataSourceRef !== undefined &&
        (spec.dataSourceRef.namespace ?? "") === "" &&
        !semanticEqual(spec.dataSource, spec.dataSourceRef)
      ? [invalid(path, spec.dataSource, "must match dataSourceRef")]
      : []),
    ...((spec.volumeAttributesClassName ?? "") === ""
      ? []
      : named(`${path}.volumeAttributesClassName`, spec.volumeAttributesClassName ?? "", Names.isDns1123Subdomain))
  ]
}

/** @category combinators */
export const validateVolumeClaim = ({ spec = {} }: CoreV1.PersistentVolumeClaim): Errors => validateVolumeClaimSpec("spec", spec)

const onlySize = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"

/** The part of a spec that a claim keeps for good. */
const fixedPart = (spec: CoreV1.PersistentVolumeClaimSpec, isBound: boolean, isPlaced: boolean): unknown => {
  const { resources, volumeAttributesClassName, volumeName, ...rest } = spec
  const { storage: _, ...requests } = resources?.requests ?? {}
  return {
    ...rest,
    // The volume is written once, when the claim is bound.
    ...(isPlaced ? { volumeName } : {}),
    ...(isBound ? { resources: { ...resources, requests } } : { resources, volumeAttributesClassName })
  }
}

/** @category combinators */
export const validateVolumeClaimUpdate = (next: CoreV1.PersistentVolumeClaim, old: CoreV1.PersistentVolumeClaim): Errors => {
  const after = next.spec ?? {}
  const before = old.spec ?? {}
  const isBound = old.status?.phase === "Bound"
  const isPlaced = (before.volumeName ?? "") !== ""
  const capacity = old.status?.capacity?.["storage"]
  const [size, oldSize] = [after, before].map((spec) => Quantity.fromText(spec.resources?.requests?.["storage"]))
  const shrinks =
    size !== undefined && oldSize !== undefined && Quantity.compare(size, oldSize) < 0 &&
    (capacity === undefined || Quantity.compare(size, Quantity.fromText(capacity)) <= 0)
  return [
    ...validateVolumeClaimSpec("spec", after),
    ...(semanticEqual(fixedPart(after, isBound, isPlaced), fixedPart(before, isBound, isPlaced)) ? [] : [forbidden("spec", onlySize)]),
    ...(isBound && shrinks ? [forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")] : []),
    ...validateImmutable("spec.volumeMode", after.volumeMode, before.volumeMode)
  ]
}
