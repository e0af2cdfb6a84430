/**
 * The group of a pod's volumes (`fsGroup`): everything in a volume belongs to it and can be used by it, and what is made there later belongs
 * to it too.
 *
 * Containers may be writing meanwhile: a link is never followed, and permissions are changed only through an open file.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { opendir } from "node:fs/promises"
import { join } from "node:path"
import { VolumeSetupError } from "../pod/PodError.js"

/** Whose a volume shall be. @category models */
export interface Options {
  readonly group: number
  /** Whether nobody can write to it: then the group can read. */
  readonly readOnly: boolean
  /** Nothing is looked at when the folder of the volume is right: what is in it was made right before. Default false. */
  readonly onRootMismatch?: boolean | undefined
}

const setGid = 0o2000
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/** Permission bits that the group needs. */
const wantedMode = (stat: fs.Stats, readOnly: boolean): number =>
  (stat.mode & 0o7777) | (readOnly ? 0o440 : 0o660) | (stat.isDirectory() ? setGid | 0o110 : 0)

const isRight = (path: string, { group, readOnly }: Options): boolean => {
  const stat = fs.lstatSync(path)
  return stat.gid === group && (stat.mode & 0o7777) === wantedMode(stat, readOnly)
}

/** Files that were made by somebody who may not give them away are left as they are: that is so on a machine for development. */
const mayChange = (): boolean => process.getuid?.() === 0

const changeOne = (path: string, stat: fs.Stats, { group, readOnly }: Options): void => {
  if (!stat.isFile() && !stat.isDirectory()) {
    fs.lchownSync(path, stat.uid, group)
    return
  }
  const descriptor = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (stat.isDirectory() ? O_DIRECTORY : 0))
  try {
    const now = fs.fstatSync(descriptor)
    const mode = wantedMode(now, readOnly)
    if (now.gid !== group) fs.fchownSync(descriptor, now.uid, group)
    // After the owner: changing that one takes setgid away.
    if (now.gid !== group || (now.mode & 0o7777) !== mode) fs.fchmodSync(descriptor, mode)
  } finally {
    fs.closeSync(descriptor)
  }
}

const isGone = (cause: unknown): boolean => cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ELOOP")

const change = async (path: string, options: Options): Promise<void> => {
  try {
    const stat = fs.lstatSync(path)
    changeOne(path, stat, options)
    if (!stat.isDirectory()) return
    for await (const { name } of await opendir(path)) await change(join(path, name), options)
  } catch (cause) {
    // Taken away, or replaced, by a container meanwhile.
    if (!isGone(cause)) throw cause
  }
}

/**
 * Gives a volume to the group. Its folder must be there.
 *
 * @category constructors
 */
export const apply = (volume: string, path: string, options: Options): Effect.Effect<void, VolumeSetupError> =>
  Effect.suspend(() => {
    if (!mayChange()) return Effect.void
    return Effect.tryPromise({
      try: async () => {
        if (options.onRootMismatch === true && isRight(path, options)) return
        await change(path, options)
      },
      catch: (cause) =>
        new VolumeSetupError({ volume, detail: `applyFSGroup failed for vol ${volume}: ${cause instanceof Error ? cause.message : String(cause)}` })
    })
  })

/**
 * Gives a volume that outlives its pods to the group of this one. Nothing happens where the pod names none.
 *
 * @category constructors
 */
export const claim = (pod: CoreV1.Pod, volume: string, path: string, readOnly: boolean): Effect.Effect<void, VolumeSetupError> => {
  const { fsGroup: group, fsGroupChangePolicy } = pod.spec?.securityContext ?? {}
  return group === undefined ? Effect.void : apply(volume, path, { group, readOnly, onRootMismatch: fsGroupChangePolicy === "OnRootMismatch" })
}
