/** Empty volumes that live as long as their pod: a folder, a dataset where they have a limit, or memory. */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Quantity } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { VolumeSetupError } from "../pod/PodError.js"
import * as DatasetVolume from "./DatasetVolume.js"

/** @category models */
export type EmptyDir =
  | { readonly type: "folder"; readonly path: string }
  | { readonly type: "dataset"; readonly path: string }
  /** Bytes; undefined leaves the limit to the memory of the pod. */
  | { readonly type: "memory"; readonly size: number | undefined }

/** Everybody in the pod may write there; with a group, what is made there belongs to it. */
const modeFor = (gid: number | undefined): number => gid === undefined ? 0o777 : 0o2777

const limitOf = (volume: string, { sizeLimit }: CoreV1.EmptyDirVolumeSource): Effect.Effect<number | undefined, VolumeSetupError> => {
  if (sizeLimit === undefined) return Effect.succeed(undefined)
  const quantity = Quantity.parse(sizeLimit)
  return Either.isLeft(quantity)
    ? Effect.fail(new VolumeSetupError({ volume, detail: `sizeLimit ${sizeLimit} is no quantity; write for example 500Mi` }))
    : Effect.succeed(Quantity.toNumber(quantity.right) || undefined)
}

/** Smallest tmpfs limit that is passed on: a page. */
const leastMemory = 4096

/**
 * Makes an empty volume, or finds the one that is there. Media other than `Memory` are the disk.
 *
 * @category constructors
 */
export const prepare = (
  folder: string,
  uid: string,
  volume: string,
  source: CoreV1.EmptyDirVolumeSource,
  gid: number | undefined
): Effect.Effect<EmptyDir, VolumeSetupError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const limit = yield* limitOf(volume, source)
    if (source.medium === "Memory") return { type: "memory", size: limit === undefined ? undefined : Math.max(limit, leastMemory) }
    // A folder that was made before, by an agent that knew no limits, keeps its content.
    const hasFolder = yield* Effect.orElseSucceed(fs.exists(folder), () => false)
    if (limit !== undefined && !hasFolder) {
      const name = DatasetVolume.emptyName(uid, volume)
      const marks = { kind: "empty-dir" }
      return { type: "dataset", path: yield* DatasetVolume.prepare(volume, { name, owner: uid, quota: limit, mode: modeFor(gid), gid, marks }) }
    }
    yield* Effect.gen(function*() {
      if (hasFolder) return
      yield* fs.makeDirectory(folder, { recursive: true, mode: 0o755 })
      if (gid !== undefined) yield* fs.chown(folder, 0, gid)
      yield* fs.chmod(folder, modeFor(gid))
    }).pipe(Effect.mapError((error) => new VolumeSetupError({ volume, detail: error.message })))
    return { type: "folder", path: folder }
  })

/** Names of the volumes of a pod that have datasets. @category combinators */
export const datasets = (pod: CoreV1.Pod): ReadonlyArray<string> =>
  (pod.spec?.volumes ?? []).flatMap(({ emptyDir, name }) => emptyDir?.sizeLimit === undefined || emptyDir.medium === "Memory" ? [] : [name])
