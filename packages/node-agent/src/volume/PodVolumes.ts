/** Volumes of a pod: folders, datasets and memory of the host, mounted into its zone. */
import * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Inputs } from "../container/ContainerEnvironment.js"
import * as ContainerRoots from "../container/ContainerRoots.js"
import { VolumeSetupError } from "../pod/PodError.js"
import * as AtomicFiles from "./AtomicFiles.js"
import * as ClaimVolume from "./ClaimVolume.js"
import * as DatasetVolume from "./DatasetVolume.js"
import * as EmptyDirVolume from "./EmptyDirVolume.js"
import * as HostPathVolume from "./HostPathVolume.js"
import * as SubPath from "./SubPath.js"
import * as VolumeContent from "./VolumeContent.js"
import * as VolumeMounts from "./VolumeMounts.js"
import * as VolumeOwnership from "./VolumeOwnership.js"

/** Folder of all volumes of a pod. @category constructors */
export const directory = (dataDir: string, uid: string): string => `${dataDir}/volumes/${uid}`

/** Folder of the copies that mounts of single paths have, beside the volumes: no volume has a name that begins with a dot. */
const copies = ".paths"

/** A volume that is there. What the agent writes is read-only in the zone. */
type Source =
  | { readonly type: "content"; readonly path: string; readonly files: VolumeContent.Files }
  | { readonly type: "folder" | "dataset"; readonly path: string; readonly readOnly: boolean }
  | { readonly type: "memory"; readonly size: number | undefined }

const supported = "emptyDir, configMap, secret, downwardAPI, projected, hostPath, persistentVolumeClaim and ephemeral are supported"

const failed = (volume: string) => (error: { readonly message: string }): VolumeSetupError => new VolumeSetupError({ volume, detail: error.message })

const groupOf = ({ spec }: CoreV1.Pod): number | undefined => spec?.securityContext?.fsGroup

const writeContent = (path: string, volume: string, files: VolumeContent.Files, pod: CoreV1.Pod) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(path, { recursive: true, mode: 0o755 })
    return yield* AtomicFiles.write(path, files, { gid: groupOf(pod) })
  }).pipe(Effect.mapError(failed(volume)))

const claimed = ({ pod, sources }: Inputs, volume: string): Effect.Effect<Source, VolumeSetupError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const claim = sources.claims.get(volume)
    const fail = (detail: string) => new VolumeSetupError({ volume, detail })
    if (claim === undefined) return yield* fail("the claim of the volume was not read; this is tried again")
    const backing = yield* Either.mapLeft(ClaimVolume.backing(pod, claim), fail)
    const { readOnly } = claim
    if (backing.type === "dataset") {
      const gid = groupOf(pod)
      const path = yield* DatasetVolume.prepare(volume, { ...backing, gid, mode: gid === undefined ? 0o777 : 0o2775 })
      yield* VolumeOwnership.claim(pod, volume, path, readOnly)
      return { type: "dataset", path, readOnly }
    }
    if (backing.type === "hostPath") return { type: "folder", path: yield* HostPathVolume.prepare(volume, backing.source), readOnly }
    const exists = yield* Effect.orElseSucceed(fs.exists(backing.path), () => false)
    if (!exists) return yield* fail(`path ${JSON.stringify(backing.path)} does not exist`)
    yield* VolumeOwnership.claim(pod, volume, backing.path, readOnly)
    return { type: "folder", path: backing.path, readOnly }
  })

/** Makes what a volume consists of. */
const setUp = (dataDir: string, inputs: Inputs, volume: CoreV1.Volume): Effect.Effect<Source, VolumeSetupError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { name } = volume
    const { uid = "" } = inputs.pod.metadata
    const path = `${directory(dataDir, uid)}/${name}`
    if (volume.hostPath !== undefined) return { type: "folder", path: yield* HostPathVolume.prepare(name, volume.hostPath), readOnly: false }
    if (volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined) return yield* claimed(inputs, name)
    if (volume.emptyDir !== undefined) {
      const made = yield* EmptyDirVolume.prepare(path, uid, name, volume.emptyDir, groupOf(inputs.pod))
      return made.type === "memory" ? made : { ...made, readOnly: false }
    }
    const content = VolumeContent.of(inputs, volume)
    if (content === undefined) {
      const type = Object.keys(volume).find((key) => key !== "name") ?? "unknown"
      return yield* new VolumeSetupError({ volume: name, detail: `volume type ${type} is not supported by this node; ${supported}` })
    }
    const files = yield* content
    yield* writeContent(path, name, files, inputs.pod)
    return { type: "content", path, files }
  })

/** What is mounted: the volume, or one path in it. */
const mounted = (dataDir: string, inputs: Inputs, mount: VolumeMounts.Mount, source: Source) =>
  Effect.gen(function*() {
    const { subPath, volume } = mount
    if (source.type === "memory") {
      return subPath === ""
        ? VolumeMounts.memory(mount, source.size)
        : yield* new VolumeSetupError({ volume, detail: "subPath of a volume in memory is not possible on this node; mount all of it" })
    }
    const readOnly = source.type === "content" || source.readOnly || mount.readOnly
    if (subPath === "") return VolumeMounts.fileSystem(mount, source.path, readOnly)
    if (source.type === "content") {
      const path = `${directory(dataDir, inputs.pod.metadata.uid ?? "")}/${copies}/${volume}/${subPath}`
      yield* AtomicFiles.copy(path, source.files, subPath, { gid: groupOf(inputs.pod) }).pipe(Effect.mapError(failed(volume)))
      return VolumeMounts.fileSystem(mount, path, readOnly)
    }
    const path = source.type === "dataset"
      ? yield* DatasetVolume.subPath(volume, source.path, subPath)
      : yield* SubPath.onHost(source.path, subPath).pipe(Effect.mapError(failed(volume)))
    return VolumeMounts.fileSystem(mount, path, readOnly)
  })

/** Memory is mounted by the zone, so each place would have its own. */
const checkMemory = (mounts: ReadonlyArray<VolumeMounts.Mount>, sources: ReadonlyMap<string, Source>) =>
  Effect.forEach(sources, ([volume, { type }]) => {
    const places = mounts.filter((mount) => mount.volume === volume).map(({ dir }) => dir)
    return type !== "memory" || places.length < 2 ? Effect.void : new VolumeSetupError({
      volume,
      detail: `a volume in memory can be at one place of a zone, and containers of the pod mount it at ${places.join(" and ")}; mount it at one path in containers of one image, or leave medium out`
    })
  }, { discard: true })

/**
 * Sets up the volumes that the containers mount, and gives the file systems for the zone's configuration. Doing it again renews the
 * content of ConfigMaps and Secrets.
 *
 * @category constructors
 */
export const prepare = (
  dataDir: string,
  inputs: Inputs
): Effect.Effect<ReadonlyArray<ZoneRuntime.ZoneFileSystem>, VolumeSetupError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const places = yield* VolumeMounts.of(inputs, (container, path) => ContainerRoots.place(inputs, container, path))
    const shared = ContainerRoots.sharedPlaces(inputs)
    const memory = [...ContainerRoots.memoryPlaces(inputs)].map(([volume, dir]) => ({ volume, dir, subPath: "", readOnly: false }))
    const mounts = [...places.filter(({ dir }) => !shared.has(dir)), ...memory]
    const wanted = new Set(mounts.map(({ volume }) => volume))
    const sources = new Map<string, Source>()
    for (const volume of inputs.pod.spec?.volumes ?? []) {
      if (wanted.has(volume.name)) sources.set(volume.name, yield* setUp(dataDir, inputs, volume))
    }
    yield* checkMemory(mounts, sources)
    return yield* Effect.forEach(mounts, (mount) => {
      const source = sources.get(mount.volume)
      return source === undefined
        ? Effect.fail(new VolumeSetupError({ volume: mount.volume, detail: "the pod has no such volume" }))
        : mounted(dataDir, inputs, mount, source)
    })
  })

/**
 * Writes the content of the volumes of a pod that runs again, where it changed: readers see the old files or the new ones. Mounts of single
 * paths keep what they have.
 *
 * @category constructors
 */
export const refresh = (dataDir: string, inputs: Inputs): Effect.Effect<void, VolumeSetupError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    for (const volume of inputs.pod.spec?.volumes ?? []) {
      const content = VolumeContent.of(inputs, volume)
      const path = `${directory(dataDir, inputs.pod.metadata.uid ?? "")}/${volume.name}`
      // Only what was mounted is there.
      if (content === undefined || !(yield* Effect.orElseSucceed(fs.exists(path), () => false))) continue
      yield* writeContent(path, volume.name, yield* content, inputs.pod)
    }
  })

/**
 * Removes the volumes of a pod; those on the host itself and those of claims stay. `pod` is absent when only its leftovers are here: then its
 * datasets are looked for by name.
 *
 * @category combinators
 */
export const remove = (dataDir: string, uid: string, pod: CoreV1.Pod | undefined): Effect.Effect<void, VolumeSetupError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const datasets = pod === undefined ? yield* DatasetVolume.emptyOf(uid) : EmptyDirVolume.datasets(pod)
    yield* DatasetVolume.removeEmpty(uid, datasets)
    yield* fs.remove(directory(dataDir, uid), { recursive: true, force: true }).pipe(
      // Where nothing can be changed at all, it goes with the other files of the pod when it can.
      Effect.catchIf(({ message }) => message.includes("EROFS"), (error) => Effect.logWarning("the files of the volumes of a pod that ends are left", error)),
      Effect.mapError(failed("*"))
    )
  })
