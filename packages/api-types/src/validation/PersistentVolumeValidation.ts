/** Rules of a PersistentVolume. */
import { forbidden, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, optionalOneOf, pathWithoutBacksteps, present } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { field, fieldsOf } from "../Schema.js"
import { validateImmutable } from "./MetadataValidation.js"
import { validateAffinity } from "./SchedulingValidation.js"
import { validateAccessModes, validateStorageAmount } from "./VolumeClaimValidation.js"

const sourceDefinition = "io.k8s.api.core.v1.PersistentVolumeSource"

/** The names of the volume types that the spec sets, of which there must be one. */
const sourcesOf = (spec: CoreV1.PersistentVolumeSpec): ReadonlyArray<string> =>
  Object.entries(spec).flatMap(([key, value]) => (value !== undefined && field(sourceDefinition, key) !== undefined ? [key] : []))

const sourceOf = (spec: CoreV1.PersistentVolumeSpec): unknown => {
  const names = new Set(fieldsOf(sourceDefinition).keys())
  return Object.fromEntries(Object.entries(spec).filter(([key]) => names.has(key)))
}

const validateSource = (path: string, spec: CoreV1.PersistentVolumeSpec): Errors => {
  const names = sourcesOf(spec)
  const { csi, hostPath, local, nfs } = spec
  return [
    ...(names.length === 0 ? [required(path, "must specify a volume type")] : []),
    ...names.slice(1).map((name) => forbidden(`${path}.${name}`, "may not specify more than 1 volume type")),
    ...(hostPath === undefined
      ? []
      : [...present(`${path}.hostPath.path`, hostPath.path), ...pathWithoutBacksteps(`${path}.hostPath.path`, hostPath.path)]),
    ...(hostPath?.path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle"
      ? [forbidden(`${path}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'")]
      : []),
    ...(local === undefined ? [] : [...present(`${path}.local.path`, local.path), ...pathWithoutBacksteps(`${path}.local.path`, local.path)]),
    ...(local !== undefined && spec.nodeAffinity?.required === undefined
      ? [required(`${path}.nodeAffinity`, "Local volume requires node affinity")]
      : []),
    ...(nfs === undefined ? [] : [...present(`${path}.nfs.server`, nfs.server), ...present(`${path}.nfs.path`, nfs.path)]),
    ...(csi === undefined ? [] : [...present(`${path}.csi.driver`, csi.driver), ...present(`${path}.csi.volumeHandle`, csi.volumeHandle)])
  ]
}

const validateNodeAffinity = (path: string, affinity: CoreV1.VolumeNodeAffinity | undefined): Errors => {
  if (affinity === undefined) return []
  if (affinity.required === undefined) return [required(`${path}.required`, "must specify required node constraints")]
  // The terms are those of a pod's required node affinity, at another place.
  const at = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
  return validateAffinity("affinity", { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: affinity.required } }).map((error) => ({
    ...error,
    path: error.path.replace(at, `${path}.required`)
  }))
}

const reclaimPolicies = ["Delete", "Recycle", "Retain"]

/** @category combinators */
export const validatePersistentVolume = ({ spec = {} }: CoreV1.PersistentVolume): Errors => {
  const capacity = spec.capacity ?? {}
  const { storage } = capacity
  return [
    ...validateAccessModes("spec.accessModes", spec.accessModes ?? [], ""),
    ...(Object.keys(capacity).length === 0 ? [required("spec.capacity")] : []),
    ...(Object.keys(capacity).length > 0 && (storage === undefined || Object.keys(capacity).length > 1)
      ? [notSupported("spec.capacity", capacity, ["storage"])]
      : []),
    ...(storage === undefined ? [] : validateStorageAmount("spec.capacity[storage]", storage)),
    ...optionalOneOf("spec.persistentVolumeReclaimPolicy", spec.persistentVolumeReclaimPolicy, reclaimPolicies),
    ...validateNodeAffinity("spec.nodeAffinity", spec.nodeAffinity),
    ...validateSource("spec", spec),
    ...((spec.storageClassName ?? "") === "" ? [] : named("spec.storageClassName", spec.storageClassName ?? "", Names.isDns1123Subdomain)),
    ...optionalOneOf("spec.volumeMode", spec.volumeMode, ["Block", "Filesystem"])
  ]
}

/** @category combinators */
export const validatePersistentVolumeUpdate = (next: CoreV1.PersistentVolume, old: CoreV1.PersistentVolume): Errors => {
  const after = next.spec ?? {}
  const before = old.spec ?? {}
  return [
    ...validatePersistentVolume(next),
    ...(semanticEqual(sourceOf(after), sourceOf(before))
      ? []
      : [forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")]),
    ...validateImmutable("spec.volumeMode", after.volumeMode, before.volumeMode),
    ...(before.nodeAffinity === undefined ? [] : validateImmutable("spec.nodeAffinity", after.nodeAffinity, before.nodeAffinity))
  ]
}
