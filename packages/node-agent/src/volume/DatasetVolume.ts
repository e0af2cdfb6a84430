/** Volumes that are ZFS datasets: those of claims, and empty ones with a limit. */
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { StorageEngine } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { VolumeSetupError } from "../pod/PodError.js"
import * as SubPath from "./SubPath.js"

/** A dataset that is to exist. @category models */
export interface Spec {
  readonly name: string
  /** Uid of what it belongs to. */
  readonly owner: string
  /** Bytes; 0 for no limit. */
  readonly quota: number
  readonly mode: number
  readonly gid?: number | undefined
  readonly marks: Readonly<Record<string, string>>
}

/** The ZFS of this node. Looked for where the agent runs: a node whose agent has none gets no such volumes. */
const engine = (volume: string) =>
  Effect.flatMap(Effect.all([Effect.serviceOption(StorageEngine.StorageEngine), Effect.serviceOption(CommandRunner.CommandRunner)]), ([storage, runner]) =>
    Option.isSome(storage) && Option.isSome(runner)
      ? Effect.succeed({ storage: storage.value, runner: runner.value })
      : new VolumeSetupError({ volume, detail: "this node has no ZFS for volumes" }))

/**
 * Makes the dataset, or brings it up to date, and gives the path where it is mounted.
 *
 * @category constructors
 */
export const prepare = (volume: string, spec: Spec): Effect.Effect<string, VolumeSetupError> =>
  Effect.gen(function*() {
    const { storage } = yield* engine(volume)
    const { mountpoint } = yield* storage.ensureVolume({
      name: spec.name,
      owner: spec.owner,
      ...(spec.quota > 0 ? { quota: spec.quota } : {}),
      access: { uid: 0, gid: spec.gid ?? 0, mode: spec.mode },
      properties: spec.marks
    }).pipe(Effect.mapError((error) => new VolumeSetupError({ volume, detail: error.message })))
    return mountpoint
  })

/** A path in a dataset, made where it is missing. @category combinators */
export const subPath = (volume: string, mountpoint: string, path: string): Effect.Effect<string, VolumeSetupError> =>
  Effect.gen(function*() {
    const { runner } = yield* engine(volume)
    return yield* Effect.mapError(SubPath.onDataset(runner, mountpoint, path), ({ message }) => new VolumeSetupError({ volume, detail: message }))
  })

/** Name of the dataset of an empty volume. @category constructors */
export const emptyName = (uid: string, volume: string): string => `empty-${uid}-${volume}`

/**
 * Destroys the datasets of the empty volumes of a pod; those of claims stay.
 *
 * @category combinators
 */
export const removeEmpty = (uid: string, volumes: ReadonlyArray<string>): Effect.Effect<void, VolumeSetupError> =>
  Effect.forEach(volumes, (volume) =>
    Effect.flatMap(engine(volume), ({ storage }) =>
      Effect.mapError(storage.destroyVolume(emptyName(uid, volume), uid), (error) => new VolumeSetupError({ volume, detail: error.message }))), {
    discard: true
  })

/** Empty volumes with datasets that are here for a pod of which nothing else is known. @category combinators */
export const emptyOf = (uid: string): Effect.Effect<ReadonlyArray<string>, VolumeSetupError> =>
  Effect.flatMap(Effect.serviceOption(StorageEngine.StorageEngine), (storage) =>
    Option.isNone(storage) ? Effect.succeed([]) : storage.value.listVolumes.pipe(
      Effect.map((volumes) => volumes.flatMap(({ name, owner }) => owner === uid && name.startsWith(emptyName(uid, "")) ? [name.slice(emptyName(uid, "").length)] : [])),
      Effect.mapError((error) => new VolumeSetupError({ volume: "*", detail: error.message }))
    ))
