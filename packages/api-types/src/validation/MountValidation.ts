/** Rules of the mounts and devices of a container. */
import { all, among, at, each, forbidden, invalid, none, notFound, notSupported } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { keysOf, localPath, present, repeats } from "../internal/fieldRules.js"

type Volumes = ReadonlyMap<string, CoreV1.Volume>

interface Named {
  readonly name: string
}

const nameOf = ({ name }: Named): string => name
const mountPathOf = ({ mountPath }: CoreV1.VolumeMount): string => mountPath
const devicePathOf = ({ devicePath }: CoreV1.VolumeDevice): string => devicePath

const propagations = ["Bidirectional", "HostToContainer", "None"]

const validatePropagation = (path: string, mode: string | undefined, privileged: boolean): Errors => {
  if (mode === undefined) return none
  if (!propagations.includes(mode)) return [notSupported(path, mode, propagations)]
  return mode === "Bidirectional" && !privileged
    ? [forbidden(path, "Bidirectional mount propagation is available only to privileged containers")]
    : none
}

const recursions = ["Disabled", "Enabled", "IfPossible"]

const validateRecursiveReadOnly = (path: string, mount: CoreV1.VolumeMount): Errors => {
  const mode = mount.recursiveReadOnly
  if (mode === undefined || mode === "Disabled") return none
  if (!recursions.includes(mode)) return [notSupported(path, mode, recursions)]
  return all(
    mount.readOnly === true ? none : [forbidden(path, "may only be specified when readOnly is true")],
    mount.mountPropagation !== undefined && mount.mountPropagation !== "None"
      ? [forbidden(path, "may only be specified when mountPropagation is None or not specified")]
      : none
  )
}

const notInImages = "not allowed in image volume sources"

/** Problems of the paths themselves belong to the list of mounts, those of their being there to the mount. */
const validateSubPaths = (mount: CoreV1.VolumeMount, index: number, volume: CoreV1.Volume | undefined): Errors => {
  const { subPath = "", subPathExpr = "" } = mount
  if (subPath === "" && subPathExpr === "") return none
  const isImage = volume?.image !== undefined
  return all(
    isImage && subPath !== "" ? [invalid(`[${index}].subPath`, subPath, notInImages)] : none,
    isImage && subPathExpr !== "" ? [invalid(`[${index}].subPathExpr`, subPathExpr, notInImages)] : none,
    subPath === "" ? none : localPath(".subPath", subPath),
    subPathExpr !== "" && subPath !== ""
      ? [invalid(`[${index}].subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive")]
      : none,
    subPathExpr === "" ? none : localPath(".subPathExpr", subPathExpr)
  )
}

/** Each mount must name a volume of the pod and have a path of its own. @category combinators */
export const validateVolumeMounts = (container: CoreV1.Container, volumes: Volumes): Errors => {
  const mounts = container.volumeMounts
  if (mounts === undefined || mounts.length === 0) return none
  const devices = keysOf(container.volumeDevices, nameOf)
  const devicePaths = keysOf(container.volumeDevices, devicePathOf)
  const privileged = container.securityContext?.privileged === true
  const repeated = repeats(mounts, mountPathOf)
  return among(mounts, (mount, index) => {
    const { mountPath, name } = mount
    const volume = volumes.get(name)
    const own = all(
      present(".name", name),
      volume === undefined ? [notFound(".name", name)] : none,
      present(".mountPath", mountPath),
      repeated.has(index) ? [invalid(".mountPath", mountPath, "must be unique")] : none,
      devices.has(name) ? [invalid(".name", name, "must not already exist in volumeDevices")] : none,
      devicePaths.has(mountPath) ? [invalid(".mountPath", mountPath, "must not already exist as a path in volumeDevices")] : none
    )
    return all(
      at(index, own),
      validateSubPaths(mount, index, volume),
      validatePropagation(".mountPropagation", mount.mountPropagation, privileged),
      validateRecursiveReadOnly(".recursiveReadOnly", mount)
    )
  })
}

/** Each device must name a claim of the pod and have a path of its own. @category combinators */
export const validateVolumeDevices = (container: CoreV1.Container, volumes: Volumes): Errors => {
  const devices = container.volumeDevices
  if (devices === undefined || devices.length === 0) return none
  const mounts = keysOf(container.volumeMounts, nameOf)
  const mountPaths = keysOf(container.volumeMounts, mountPathOf)
  const repeatedNames = repeats(devices, ({ name }) => (name === "" ? undefined : name))
  const repeatedPaths = repeats(devices, devicePathOf)
  return each(devices, ({ devicePath, name }, index) => {
    const volume = volumes.get(name)
    const isClaim = volume?.persistentVolumeClaim !== undefined || volume?.ephemeral !== undefined
    return all(
      present(".name", name),
      repeatedNames.has(index) ? [invalid(".name", name, "must be unique")] : none,
      volume !== undefined && !isClaim
        ? [invalid(".name", name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode")]
        : none,
      volume === undefined ? [notFound(".name", name)] : none,
      present(".devicePath", devicePath),
      repeatedPaths.has(index) ? [invalid(".devicePath", devicePath, "must be unique")] : none,
      devicePath.split("/").includes("..") ? [invalid(".devicePath", devicePath, "can not contain backsteps ('..')")] : none,
      mounts.has(name) ? [invalid(".name", name, "must not already exist in volumeMounts")] : none,
      mountPaths.has(devicePath) ? [invalid(".devicePath", devicePath, "must not already exist as a path in volumeMounts")] : none
    )
  })
}
