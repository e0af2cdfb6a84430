/** Rules of the mounts and devices of a container. */
import { forbidden, invalid, notFound, notSupported } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { localPath, present } from "../internal/fieldRules.js"

type Volumes = ReadonlyMap<string, CoreV1.Volume>

const validatePropagation = (path: string, mode: string | undefined, privileged: boolean): Errors => {
  const modes = ["Bidirectional", "HostToContainer", "None"]
  if (mode === undefined) return []
  if (!modes.includes(mode)) return [notSupported(path, mode, modes)]
  return mode === "Bidirectional" && !privileged
    ? [forbidden(path, "Bidirectional mount propagation is available only to privileged containers")]
    : []
}

const validateRecursiveReadOnly = (path: string, mount: CoreV1.VolumeMount): Errors => {
  const modes = ["Disabled", "Enabled", "IfPossible"]
  const mode = mount.recursiveReadOnly
  if (mode === undefined || mode === "Disabled") return []
  if (!modes.includes(mode)) return [notSupported(path, mode, modes)]
  return [
    ...(mount.readOnly === true ? [] : [forbidden(path, "may only be specified when readOnly is true")]),
    ...(mount.mountPropagation !== undefined && mount.mountPropagation !== "None"
      ? [forbidden(path, "may only be specified when mountPropagation is None or not specified")]
      : [])
  ]
}

const validateSubPaths = (path: string, at: string, mount: CoreV1.VolumeMount, volume: CoreV1.Volume | undefined): Errors => {
  const { subPath = "", subPathExpr = "" } = mount
  const isImage = volume?.image !== undefined
  const notInImages = "not allowed in image volume sources"
  return [
    ...(isImage && subPath !== "" ? [invalid(`${at}.subPath`, subPath, notInImages)] : []),
    ...(isImage && subPathExpr !== "" ? [invalid(`${at}.subPathExpr`, subPathExpr, notInImages)] : []),
    ...(subPath === "" ? [] : localPath(`${path}.subPath`, subPath)),
    ...(subPathExpr !== "" && subPath !== ""
      ? [invalid(`${at}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive")]
      : []),
    ...(subPathExpr === "" ? [] : localPath(`${path}.subPathExpr`, subPathExpr))
  ]
}

/** Each mount must name a volume of the pod and have a path of its own. @category combinators */
export const validateVolumeMounts = (path: string, container: CoreV1.Container, volumes: Volumes): Errors => {
  const devices = new Set(container.volumeDevices?.map(({ name }) => name))
  const devicePaths = new Set(container.volumeDevices?.map(({ devicePath }) => devicePath))
  const privileged = container.securityContext?.privileged === true
  const seen = new Set<string>()
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${path}[${index}]`
    const repeated = seen.has(mount.mountPath)
    seen.add(mount.mountPath)
    return [
      ...present(`${at}.name`, mount.name),
      ...(volumes.has(mount.name) ? [] : [notFound(`${at}.name`, mount.name)]),
      ...present(`${at}.mountPath`, mount.mountPath),
      ...(repeated ? [invalid(`${at}.mountPath`, mount.mountPath, "must be unique")] : []),
      ...(devices.has(mount.name)
        ? [invalid(`${at}.name`, mount.name, "must not already exist in volumeDevices")]
        : []),
      ...(devicePaths.has(mount.mountPath)
        ? [invalid(`${at}.mountPath`, mount.mountPath, "must not already exist as a path in volumeDevices")]
        : []),
      ...validateSubPaths(path, at, mount, volumes.get(mount.name)),
      ...validatePropagation(`${path}.mountPropagation`, mount.mountPropagation, privileged),
      ...validateRecursiveReadOnly(`${path}.recursiveReadOnly`, mount)
    ]
  })
}

/** Each device must name a claim of the pod and have a path of its own. @category combinators */
export const validateVolumeDevices = (path: string, container: CoreV1.Container, volumes: Volumes): Errors => {
  const mounts = new Set(container.volumeMounts?.map(({ name }) => name))
  const mountPaths = new Set(container.volumeMounts?.map(({ mountPath }) => mountPath))
  const names = new Set<string>()
  const paths = new Set<string>()
  return (container.volumeDevices ?? []).flatMap(({ devicePath, name }, index) => {
    const at = `${path}[${index}]`
    const volume = volumes.get(name)
    const isClaim = volume?.persistentVolumeClaim !== undefined || volume?.ephemeral !== undefined
    const repeatedName = names.has(name)
    const repeatedPath = paths.has(devicePath)
    if (name !== "") names.add(name)
    paths.add(devicePath)
    return [
      ...present(`${at}.name`, name),
      ...(repeatedName ? [invalid(`${at}.name`, name, "must be unique")] : []),
      ...(volume !== undefined && !isClaim
        ? [invalid(`${at}.name`, name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode")]
        : []),
      ...(volume === undefined ? [notFound(`${at}.name`, name)] : []),
      ...present(`${at}.devicePath`, devicePath),
      ...(repeatedPath ? [invalid(`${at}.devicePath`, devicePath, "must be unique")] : []),
      ...(devicePath.split("/").includes("..") ? [invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')")] : []),
      ...(mounts.has(name) ? [invalid(`${at}.name`, name, "must not already exist in volumeMounts")] : []),
      ...(mountPaths.has(devicePath)
        ? [invalid(`${at}.devicePath`, devicePath, "must not already exist as a path in volumeMounts")]
        : [])
    ]
  })
}
