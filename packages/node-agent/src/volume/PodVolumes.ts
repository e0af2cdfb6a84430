/** Volumes of a pod: folders on the host, mounted into its zone by loopback. */
import * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { posix } from "node:path"
import type { Inputs } from "../container/ContainerEnvironment.js"
import * as FieldValues from "../container/FieldValues.js"
import { VolumeSetupError } from "../pod/PodError.js"
import * as PodTokens from "./PodTokens.js"

/** Content of a volume that the agent writes: files by relative path. */
type Files = ReadonlyMap<string, { readonly content: Uint8Array; readonly mode: number }>

type Result<A> = Either.Either<A, VolumeSetupError>

const encoder = new TextEncoder()
const defaultFileMode = 0o644

/** Folder of all volumes of a pod. @category constructors */
export const directory = (dataDir: string, uid: string): string => `${dataDir}/volumes/${uid}`

/** A path that stays inside the volume. */
const isInside = (path: string): boolean => path !== "" && !path.startsWith("/") && !path.split("/").includes("..")

const keyed = (
  volume: string,
  what: string,
  data: ReadonlyMap<string, Uint8Array> | undefined,
  options: {
    readonly items?: ReadonlyArray<CoreV1.KeyToPath> | undefined
    readonly optional?: boolean | undefined
    readonly mode?: number | undefined
  }
): Result<Files> => {
  const fail = (detail: string) => Either.left(new VolumeSetupError({ volume, detail }))
  const mode = options.mode ?? defaultFileMode
  const files = new Map<string, { content: Uint8Array; mode: number }>()
  if (data === undefined) return options.optional === true ? Either.right(files) : fail(`${what} not found`)
  if (options.items === undefined || options.items.length === 0) {
    for (const [key, content] of data) files.set(key, { content, mode })
    return Either.right(files)
  }
  for (const item of options.items) {
    const content = data.get(item.key)
    if (content === undefined) {
      if (options.optional === true) continue
      return fail(`references non-existent key: ${item.key}`)
    }
    if (!isInside(item.path)) return fail(`path ${JSON.stringify(item.path)} leads out of the volume`)
    files.set(item.path, { content, mode: item.mode ?? mode })
  }
  return Either.right(files)
}

const configMapData = (object: CoreV1.ConfigMap | undefined): ReadonlyMap<string, Uint8Array> | undefined =>
  object === undefined ? undefined : new Map([
    ...Object.entries(object.data ?? {}).map(([key, value]) => [key, encoder.encode(value)] as const),
    ...Object.entries(object.binaryData ?? {}).map(([key, value]) => [key, new Uint8Array(Buffer.from(value, "base64"))] as const)
  ])

const secretData = (object: CoreV1.Secret | undefined): ReadonlyMap<string, Uint8Array> | undefined =>
  object === undefined ? undefined : new Map(
    Object.entries(object.data ?? {}).map(([key, value]) => [key, new Uint8Array(Buffer.from(value, "base64"))] as const)
  )

const downward = (
  inputs: Inputs,
  volume: string,
  items: ReadonlyArray<CoreV1.DownwardAPIVolumeFile> | undefined,
  defaultMode: number | undefined
): Result<Files> => {
  const files = new Map<string, { content: Uint8Array; mode: number }>()
  for (const item of items ?? []) {
    const fail = (detail: string) => new VolumeSetupError({ volume, detail })
    const { resourceFieldRef } = item
    const container = inputs.pod.spec?.containers.find(({ name }) => name === resourceFieldRef?.containerName)
    const value = item.fieldRef !== undefined
      ? FieldValues.field(inputs.pod, inputs.facts, item.fieldRef.fieldPath)
      : resourceFieldRef !== undefined && container !== undefined
      ? FieldValues.resource(container, inputs.facts, resourceFieldRef)
      : Either.left(`no value for ${item.path}: neither a field nor a resource of a container of the pod`)
    if (Either.isLeft(value)) return Either.left(fail(value.left))
    if (!isInside(item.path)) return Either.left(fail(`path ${JSON.stringify(item.path)} leads out of the volume`))
    files.set(item.path, { content: encoder.encode(value.right), mode: item.mode ?? defaultMode ?? defaultFileMode })
  }
  return Either.right(files)
}

const projection = (inputs: Inputs, volume: string, source: CoreV1.VolumeProjection, mode: number | undefined): Result<Files> => {
  const { sources } = inputs
  if (source.configMap !== undefined) {
    const { items, name = "", optional } = source.configMap
    return keyed(volume, `configmap "${name}"`, configMapData(sources.configMaps.get(name)), { items, optional, mode })
  }
  if (source.secret !== undefined) {
    const { items, name = "", optional } = source.secret
    return keyed(volume, `secret "${name}"`, secretData(sources.secrets.get(name)), { items, optional, mode })
  }
  if (source.downwardAPI !== undefined) return downward(inputs, volume, source.downwardAPI.items, mode)
  const { serviceAccountToken } = source
  if (serviceAccountToken === undefined) {
    const detail = "only serviceAccountToken, configMap, secret and downwardAPI can be projected by this version"
    return Either.left(new VolumeSetupError({ volume, detail }))
  }
  const token = sources.tokens.get(PodTokens.keyOf(serviceAccountToken))
  if (token === undefined) return Either.left(new VolumeSetupError({ volume, detail: "there is no token for it" }))
  const { path } = serviceAccountToken
  return isInside(path)
    ? Either.right(new Map([[path, { content: encoder.encode(token), mode: mode ?? defaultFileMode }]]))
    : Either.left(new VolumeSetupError({ volume, detail: `path ${JSON.stringify(path)} leads out of the volume` }))
}

/** The files of a volume that the agent writes; undefined for volumes with content of their own. */
const contentOf = (inputs: Inputs, volume: CoreV1.Volume): Result<Files> | undefined => {
  const { sources } = inputs
  if (volume.configMap !== undefined) {
    const { defaultMode: mode, items, name = "", optional } = volume.configMap
    return keyed(volume.name, `configmap "${name}"`, configMapData(sources.configMaps.get(name)), { items, optional, mode })
  }
  if (volume.secret !== undefined) {
    const { defaultMode: mode, items, optional, secretName = "" } = volume.secret
    return keyed(volume.name, `secret "${secretName}"`, secretData(sources.secrets.get(secretName)), { items, optional, mode })
  }
  if (volume.downwardAPI !== undefined) return downward(inputs, volume.name, volume.downwardAPI.items, volume.downwardAPI.defaultMode)
  if (volume.projected !== undefined) {
    const { defaultMode, sources: projections } = volume.projected
    return Either.map(
      Either.all((projections ?? []).map((source) => projection(inputs, volume.name, source, defaultMode))),
      (parts) => new Map(parts.flatMap((part) => [...part]))
    )
  }
  return undefined
}

const detailOf = (error: { readonly message: string }): string => error.message

const writeFiles = (volume: string, path: string, files: Files) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    for (const [name, file] of files) {
      const target = `${path}/${name}`
      yield* fs.makeDirectory(posix.dirname(target), { recursive: true, mode: 0o755 })
      yield* fs.writeFile(`${target}.new`, file.content, { mode: file.mode })
      yield* fs.chmod(`${target}.new`, file.mode)
      yield* fs.rename(`${target}.new`, target)
    }
  }).pipe(Effect.mapError((error) => new VolumeSetupError({ volume, detail: detailOf(error) })))

const expectedTypes: ReadonlyMap<string, string> = new Map([
  ["Directory", "Directory"],
  ["DirectoryOrCreate", "Directory"],
  ["File", "File"],
  ["FileOrCreate", "File"]
])

const hostPath = (volume: string, source: CoreV1.HostPathVolumeSource) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const fail = (detail: string) => new VolumeSetupError({ volume, detail })
    const { path, type = "" } = source
    if (!path.startsWith("/")) return yield* fail(`hostPath ${path} is not an absolute path`)
    if (type === "DirectoryOrCreate") yield* fs.makeDirectory(path, { recursive: true, mode: 0o755 }).pipe(Effect.mapError((e) => fail(detailOf(e))))
    if (type === "FileOrCreate" && !(yield* Effect.orElseSucceed(fs.exists(path), () => false))) {
      yield* fs.writeFileString(path, "", { mode: 0o644 }).pipe(Effect.mapError((e) => fail(detailOf(e))))
    }
    const info = yield* fs.stat(path).pipe(Effect.mapError(() => fail(`hostPath type check failed: ${path} does not exist`)))
    const expected = expectedTypes.get(type)
    if (expected !== undefined && info.type !== expected) return yield* fail(`hostPath type check failed: ${path} is not a ${expected.toLowerCase()}`)
    return path
  })

const supported = "emptyDir, configMap, secret, downwardAPI, projected and hostPath are supported"

/** A volume on the host. What the agent writes is read-only in the zone; what belongs to the host may be a symbolic link. */
interface Source {
  readonly path: string
  readonly written: boolean
  readonly ofHost: boolean
}

/** Makes what a volume consists of. */
const setUp = (dataDir: string, inputs: Inputs, volume: CoreV1.Volume) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = `${directory(dataDir, inputs.pod.metadata.uid ?? "")}/${volume.name}`
    if (volume.hostPath !== undefined) {
      return { path: yield* hostPath(volume.name, volume.hostPath), written: false, ofHost: true } satisfies Source
    }
    const content = contentOf(inputs, volume)
    if (content === undefined && volume.emptyDir === undefined) {
      const type = Object.keys(volume).find((key) => key !== "name") ?? "unknown"
      return yield* new VolumeSetupError({ volume: volume.name, detail: `volume type ${type} is not supported by this node; ${supported}` })
    }
    yield* fs.makeDirectory(path, { recursive: true, mode: content === undefined ? 0o777 : 0o755 }).pipe(
      Effect.mapError((error) => new VolumeSetupError({ volume: volume.name, detail: detailOf(error) }))
    )
    if (content !== undefined) yield* writeFiles(volume.name, path, yield* content)
    return { path, written: content !== undefined, ofHost: false } satisfies Source
  })

interface Mount {
  readonly volume: string
  readonly dir: string
  readonly special: string
  readonly source: Source
  readonly readOnly: boolean
}

/** Mounts of all containers. They share one zone, so one path can only hold one volume. */
const mountsOf = (pod: CoreV1.Pod, sources: ReadonlyMap<string, Source>): Result<ReadonlyArray<Mount>> => {
  const mounts = new Map<string, Mount>()
  for (const container of [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []]) {
    for (const mount of container.volumeMounts ?? []) {
      const fail = (detail: string) => Either.left(new VolumeSetupError({ volume: mount.name, detail }))
      const source = sources.get(mount.name)
      if (source === undefined) return fail("the pod has no such volume")
      if (mount.subPathExpr !== undefined) return fail("subPathExpr is not supported by this node; use subPath")
      const { subPath = "" } = mount
      if (subPath !== "" && !isInside(subPath)) return fail(`subPath ${JSON.stringify(subPath)} leads out of the volume`)
      const dir = posix.resolve("/", mount.mountPath)
      const special = subPath === "" ? source.path : `${source.path}/${subPath}`
      const other = mounts.get(dir)
      if (other !== undefined && other.special !== special) {
        return fail(`containers of the pod mount different volumes at ${dir}, and share one root on this node; use different paths`)
      }
      const readOnly = source.written || ((other?.readOnly ?? true) && mount.readOnly === true)
      mounts.set(dir, { volume: mount.name, dir, special, source, readOnly })
    }
  }
  return Either.right([...mounts.values()].sort((a, b) => (a.dir < b.dir ? -1 : 1)))
}

/** A sub-path exists, and does not lead out of its volume by a symbolic link that somebody in the zone made. */
const checkSpecial = ({ source, special, volume }: Mount) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* fs.exists(special))) yield* fs.makeDirectory(special, { recursive: true, mode: 0o755 })
    if (source.ofHost) return
    const [base, real] = yield* Effect.all([fs.realPath(source.path), fs.realPath(special)])
    if (real !== base && !real.startsWith(`${base}/`)) {
      yield* new VolumeSetupError({ volume, detail: "the subPath is a symbolic link that leads out of the volume" })
    }
  }).pipe(
    Effect.mapError((error) => error._tag === "VolumeSetupError" ? error : new VolumeSetupError({ volume, detail: detailOf(error) }))
  )

/**
 * Sets up the volumes that the containers mount, and gives the file systems for the zone's configuration. Doing it again renews the
 * content of ConfigMaps and Secrets in place.
 *
 * @category constructors
 */
export const prepare = (
  dataDir: string,
  inputs: Inputs
): Effect.Effect<ReadonlyArray<ZoneRuntime.ZoneFileSystem>, VolumeSetupError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const sources = new Map<string, Source>()
    for (const volume of inputs.pod.spec?.volumes ?? []) sources.set(volume.name, yield* setUp(dataDir, inputs, volume))
    const mounts = yield* mountsOf(inputs.pod, sources)
    yield* Effect.forEach(mounts, checkSpecial, { discard: true })
    return mounts.map(({ dir, readOnly, special }) => ({
      dir,
      special,
      type: "lofs",
      options: readOnly ? ["ro", "nodevices"] : ["nodevices"]
    }))
  })

/** Removes the volumes of a pod; those on the host itself stay. @category combinators */
export const remove = (dataDir: string, uid: string): Effect.Effect<void, VolumeSetupError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    fs.remove(directory(dataDir, uid), { recursive: true, force: true }).pipe(
      Effect.mapError((error) => new VolumeSetupError({ volume: "*", detail: detailOf(error) }))
    ))
