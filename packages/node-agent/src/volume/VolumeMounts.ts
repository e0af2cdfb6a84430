/** From the mounts of containers to the file systems of a zone. Pure, but for the paths in volumes, which are made as they are named. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Either from "effect/Either"
import { posix } from "node:path"
import * as ContainerEnvironment from "../container/ContainerEnvironment.js"
import * as Expansion from "../container/Expansion.js"
import { VolumeSetupError } from "../pod/PodError.js"
import { isInside } from "./VolumeContent.js"

/** One volume at one place in the zone, for all containers that mount it there. @category models */
export interface Mount {
  readonly volume: string
  /** Absolute path in the zone. */
  readonly dir: string
  /** Path in the volume, empty for all of it. */
  readonly subPath: string
  readonly readOnly: boolean
}

type Result<A> = Either.Either<A, VolumeSetupError>

/** The path in the volume that a mount asks for, with the variables of its container. */
const subPathOf = (inputs: ContainerEnvironment.Inputs, container: CoreV1.Container, mount: CoreV1.VolumeMount): Result<string> => {
  const fail = (detail: string) => Either.left(new VolumeSetupError({ volume: mount.name, detail }))
  const { subPath = "", subPathExpr = "" } = mount
  if (subPathExpr === "") return subPath === "" || isInside(subPath) ? Either.right(subPath) : fail(`subPath ${JSON.stringify(subPath)} leads out of the volume`)
  const variables = ContainerEnvironment.variables(inputs, container)
  if (Either.isLeft(variables)) return fail(variables.left.message)
  const missing: Array<string> = []
  const path = Expansion.expand(subPathExpr, (name) => {
    const value = variables.right.get(name)
    if (value === undefined) missing.push(name)
    return value
  })
  if (missing.length > 0) return fail(`missing value for ${missing.map((name) => JSON.stringify(name)).join(", ")} in subPathExpr ${JSON.stringify(subPathExpr)}`)
  return isInside(path) ? Either.right(path) : fail(`subPathExpr ${JSON.stringify(subPathExpr)} is ${JSON.stringify(path)}, which leads out of the volume`)
}

/**
 * The mounts of all containers. `place` says where a path of a container is in the zone; one place can only hold one volume. A mount is
 * read-only when all that share it are.
 *
 * @category combinators
 */
export const of = (
  inputs: ContainerEnvironment.Inputs,
  place: (container: string, path: string) => string
): Result<ReadonlyArray<Mount>> => {
  const { spec } = inputs.pod
  const volumes = new Set((spec?.volumes ?? []).map(({ name }) => name))
  const mounts = new Map<string, Mount>()
  for (const container of [...spec?.initContainers ?? [], ...spec?.containers ?? []]) {
    for (const mount of container.volumeMounts ?? []) {
      const fail = (detail: string) => Either.left(new VolumeSetupError({ volume: mount.name, detail }))
      if (!volumes.has(mount.name)) return fail("the pod has no such volume")
      if (mount.mountPropagation === "Bidirectional") return fail("mountPropagation Bidirectional is not possible in a zone; use None or HostToContainer")
      const subPath = subPathOf(inputs, container, mount)
      if (Either.isLeft(subPath)) return Either.left(subPath.left)
      const dir = posix.resolve("/", place(container.name, posix.resolve("/", mount.mountPath)))
      const other = mounts.get(dir)
      if (other !== undefined && (other.volume !== mount.name || other.subPath !== subPath.right)) {
        return fail(`containers of the pod mount different volumes at ${dir}, and share one root on this node; use different paths`)
      }
      mounts.set(dir, { volume: mount.name, dir, subPath: subPath.right, readOnly: (other?.readOnly ?? true) && mount.readOnly === true })
    }
  }
  return Either.right([...mounts.values()].sort((a, b) => (a.dir < b.dir ? -1 : 1)))
}

/** A mount as the zone has it configured. @category constructors */
export const fileSystem = (mount: Mount, special: string, readOnly: boolean): ZoneRuntime.ZoneFileSystem => ({
  dir: mount.dir,
  special,
  type: "lofs",
  options: readOnly ? ["ro", "nodevices"] : ["nodevices"]
})

/** Memory at the place of a mount; bytes. @category constructors */
export const memory = (mount: Mount, size: number | undefined): ZoneRuntime.ZoneFileSystem => ({
  dir: mount.dir,
  special: "swap",
  type: "tmpfs",
  options: [...size === undefined ? [] : [`size=${size}`], "nodevices", ...mount.readOnly ? ["ro"] : []]
})
