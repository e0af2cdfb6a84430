/** Where the variables of a container are that its pod wants from files: in an empty volume, at the place where the zone has it. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { posix } from "node:path"
import type * as FileVariables from "../supervisor/FileVariables.js"
import * as ContainerRoots from "./ContainerRoots.js"

/** Whether a path is at or below a folder of the same volume, and what remains of it. */
const below = (path: string, folder: string): string | undefined => {
  const wanted = posix.normalize(path)
  const base = posix.normalize(folder === "" ? "." : folder).replace(/\/$/, "")
  if (base === ".") return wanted
  return wanted.startsWith(`${base}/`) ? wanted.slice(base.length + 1) : undefined
}

/**
 * The place of a key; left is a sentence for people. A volume that no container mounts is nowhere: nobody can have written to it.
 *
 * @category combinators
 */
export const find = (inputs: ContainerRoots.Inputs, { key, optional, path, volumeName }: CoreV1.FileKeySelector): Either.Either<FileVariables.FileKey, string> => {
  const { containers = [], initContainers = [], volumes = [] } = inputs.pod.spec ?? {}
  const volume = volumes.find(({ name }) => name === volumeName)
  if (volume === undefined) return Either.left(`cannot find the volume ${JSON.stringify(volumeName)} referenced by FileKeyRef`)
  if (volume.emptyDir === undefined) return Either.left(`volume ${JSON.stringify(volumeName)} referenced by FileKeyRef is no emptyDir; files with variables can be in volumes of that type only`)
  const shared = ContainerRoots.sharedPlaces(inputs)
  for (const { name, volumeMounts = [] } of [...initContainers, ...containers]) {
    for (const mount of volumeMounts) {
      if (mount.name !== volumeName || (mount.subPathExpr ?? "") !== "") continue
      const rest = below(path, mount.subPath ?? "")
      const directory = posix.resolve("/", ContainerRoots.place(inputs, name, posix.resolve("/", mount.mountPath)))
      if (rest !== undefined && !shared.has(directory)) return Either.right({ volume: volumeName, directory, path: rest, key, optional: optional === true })
    }
  }
  return Either.left(`no container of the pod mounts volume ${JSON.stringify(volumeName)} where file ${JSON.stringify(path)} would be, so that none can write it; mount it in the container that does`)
}
