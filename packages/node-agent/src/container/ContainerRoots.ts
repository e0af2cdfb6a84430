/**
 * The roots of containers. The zone boots from the image of one container; every container has a root of its own, a clone of its image that is
 * mounted into the zone, and its processes are started with that root. Pure.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import { type RootFile, ZoneDns, type ZoneRuntime } from "@reddwarf/runtime-illumos"
import type { DatasetName } from "@reddwarf/storage-zfs"
import * as Either from "effect/Either"
import { posix } from "node:path"
import * as rootMounts from "../internal/rootMounts.js"
import * as PodHosts from "../network/PodHosts.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { ContainerImage } from "./ImageProcess.js"

/** Where the roots of containers appear in a zone, one below the other. @category models */
export const folder = "/var/reddwarf-roots"

/** Where roots appear that come while the zone runs. Read-only in the zone: nobody there can change what the host does next in it. @category models */
export const laterFolder = "/var/reddwarf-later"

/** Name of that folder in the dataset of the zone. @category models */
export const laterName = "later"

/** Where a zone keeps what containers with read-only roots write into `/tmp`, and their last words. @category models */
export const { temporaryFolder } = rootMounts

/** Where a zone has the volumes of its pod that are memory, for the roots of containers. @category models */
export const memoryFolder = "/var/reddwarf-memory"

/** The root of one container beside that of its zone. @category models */
export interface ContainerRoot {
  readonly container: string
  /** Name of its dataset in that of the zone. Another image makes it another one. */
  readonly name: string
  /** The image, as the status of the container shows it. */
  readonly image: string
  /** What it is a clone of; the files are in the folder `root`. */
  readonly snapshot: DatasetName.SnapshotName
  /** Absolute path in the zone. */
  readonly path: string
  readonly readOnly: boolean
  /** Folders, absolute in the root, in which it shows what is of its zone. */
  readonly shows: ReadonlyArray<string>
  /** Where the container's process starts, absolute in the root. */
  readonly workingDirectory: string
  /** Where it leaves its last words, absolute in the root, without symbolic links; absent when that is in a volume. */
  readonly messagePath?: string | undefined
  /** What it shares with other containers that the zone mounts once only. */
  readonly binds?: ReadonlyArray<Files.RootBind> | undefined
}

/** What decides about the roots of a pod. @category models */
export interface Inputs {
  readonly pod: CoreV1.Pod
  /** By container; absent where images are not used, and all containers are in the root of the zone. */
  readonly images?: ReadonlyMap<string, ContainerImage> | undefined
}

/** Where a container leaves its last words. @category combinators */
export const messagePath = ({ terminationMessagePath = "" }: Pick<CoreV1.Container, "terminationMessagePath">): string =>
  posix.resolve("/", terminationMessagePath === "" ? "dev/termination-log" : terminationMessagePath)

const containersOf = ({ spec }: CoreV1.Pod): ReadonlyArray<CoreV1.Container> => [...spec?.initContainers ?? [], ...spec?.containers ?? []]

/**
 * The container whose image the zone boots from: the first main one that brings a shell, as what starts processes in a zone is a script; else
 * any that does, else the first. Undefined where images are not used.
 *
 * @category combinators
 */
export const zoneContainer = ({ images, pod }: Inputs): string | undefined => {
  const candidates = [...pod.spec?.containers ?? [], ...pod.spec?.initContainers ?? []].map(({ name }) => name).filter((name) => images?.has(name) === true)
  return candidates.find((name) => images?.get(name)?.root?.hasShell === true) ?? candidates[0]
}

const directoryOf = (image: ContainerImage, container: Pick<CoreV1.Container, "workingDir">): string => {
  const { workingDir = "" } = container
  return posix.resolve("/", workingDir === "" ? image.process.workingDir ?? "" : workingDir)
}

const rootOf = (image: ContainerImage, container: CoreV1.Container, readOnly: boolean, path: (name: string) => string): ContainerRoot | undefined => {
  if (image.root === undefined) return undefined
  const { places } = image.root
  const message = messagePath(container)
  const inVolume = (container.volumeMounts ?? []).some(({ mountPath }) => `${message}/`.startsWith(`${posix.resolve("/", mountPath)}/`))
  const name = `${container.name}.${image.root.id}`
  return {
    container: container.name,
    name,
    image: image.imageID,
    snapshot: image.root.snapshot,
    path: path(name),
    readOnly,
    shows: image.root.os === "linux" ? ["/dev", "/proc"] : ["/dev", "/proc", ...rootMounts.systemFolders.map((name) => `/${name}`)],
    workingDirectory: directoryOf(image, container),
    ...(inVolume ? {} : { messagePath: places.get(message) ?? message })
  }
}

/** Where containers with roots of their own mount volumes that are memory, by container. */
const memoryMounts = ({ pod }: Inputs, container: CoreV1.Container): ReadonlyArray<CoreV1.VolumeMount> => {
  const memory = new Set((pod.spec?.volumes ?? []).flatMap(({ emptyDir, name }) => emptyDir?.medium === "Memory" ? [name] : []))
  return (container.volumeMounts ?? []).filter((mount) => memory.has(mount.name) && (mount.subPath ?? "") === "" && (mount.subPathExpr ?? "") === "")
}

/** The zone mounts memory once, beside all roots; those who mount the volume share that. */
const memoryBinds = (inputs: Inputs, container: CoreV1.Container): ReadonlyArray<Files.RootBind> =>
  memoryMounts(inputs, container).map(({ mountPath, name, readOnly }) => ({
    from: `${memoryFolder}/${name}`,
    to: inContainer(inputs, container.name, mountPath),
    ...(readOnly === true ? { readOnly: true } : {})
  }))

/**
 * The roots of the containers: one for each that has an image, also for the one whose image the zone boots from. The root of the zone cannot be
 * made fresh while the zone runs, and its system writes there what it likes; no container sees it.
 *
 * @category combinators
 */
export const of = (inputs: Inputs): ReadonlyMap<string, ContainerRoot> =>
  new Map(containersOf(inputs.pod).flatMap((container) => {
    const image = inputs.images?.get(container.name)
    const readOnly = container.securityContext?.readOnlyRootFilesystem === true
    const root = image === undefined ? undefined : rootOf(image, container, readOnly, () => `${folder}/${container.name}`)
    const binds = memoryBinds(inputs, container)
    return root === undefined ? [] : [[container.name, binds.length === 0 ? root : { ...root, binds }] as const]
  }))

/** The root of a container that comes while the zone runs. @category combinators */
export const later = (container: CoreV1.Container, image: ContainerImage): ContainerRoot | undefined =>
  rootOf(image, container, true, (name) => `${laterFolder}/${name}/root`)

/** Where a path of a container is for itself, free of the symbolic links of its image. @category combinators */
export const inContainer = ({ images }: Inputs, container: string, path: string): string => {
  const wanted = posix.resolve("/", path)
  return images?.get(container)?.root?.places.get(wanted) ?? wanted
}

/** Where a path of a container is in the zone. @category combinators */
export const place = (inputs: Inputs, container: string, path: string): string => {
  const root = of(inputs).get(container)
  const own = inContainer(inputs, container, path)
  return root === undefined ? own : posix.join(root.path, own)
}

/** Places in the zone at which the zone itself mounts nothing, because a container shares there what is mounted elsewhere. @category combinators */
export const sharedPlaces = (inputs: Inputs): ReadonlySet<string> =>
  new Set([...of(inputs).values()].flatMap(({ binds = [], path }) => binds.map(({ to }) => posix.join(path, to))))

/** The volumes in memory that the zone mounts beside the roots, with their places. @category combinators */
export const memoryPlaces = (inputs: Inputs): ReadonlyMap<string, string> => {
  const roots = of(inputs)
  return new Map(containersOf(inputs.pod).filter(({ name }) => roots.has(name)).flatMap((container) =>
    memoryMounts(inputs, container).map(({ name }) => [name, `${memoryFolder}/${name}`] as const)))
}

/** Why the images of a pod do not fit into one zone, if they do not. @category combinators */
export const conflict = (inputs: Inputs): { readonly container: string; readonly detail: string } | undefined => {
  const first = zoneContainer(inputs)
  const wanted = inputs.images?.get(first ?? "")?.root
  if (first === undefined || wanted === undefined) return undefined
  const other = [...inputs.images ?? []].find(([, { root }]) => root !== undefined && root.os !== wanted.os)
  return other === undefined ? undefined : {
    container: other[0],
    detail: `the image of container "${other[0]}" is for ${other[1].root?.os ?? ""} and that of container "${first}" for ${wanted.os}, and a pod is one zone with one kind of programs: use images for the same system, or make a pod for each`
  }
}

/** A container that wants a read-only root on a node where it has none of its own. @category combinators */
export const notReadOnly = (inputs: Inputs): ReadonlyArray<string> =>
  inputs.images !== undefined ? [] : containersOf(inputs.pod).flatMap(({ name, securityContext }) => securityContext?.readOnlyRootFilesystem === true ? [name] : [])

/** A root and what is mounted in it, as its zone has it configured. @category combinators */
export const fileSystem = (root: ContainerRoot, special: string): ZoneRuntime.ZoneFileSystem => ({
  dir: root.path,
  special,
  type: "lofs",
  options: root.readOnly ? ["ro", "nodevices"] : ["nodevices"]
})

/** The folder of roots that come later. @category combinators */
export const laterFileSystem = (special: string): ZoneRuntime.ZoneFileSystem => ({ dir: laterFolder, special, type: "lofs", options: ["ro", "nodevices"] })

/** Paths in a root at which the zone mounts something, absolute in the root. @category combinators */
export const mountsIn = (root: ContainerRoot, fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>): ReadonlyArray<ZoneRuntime.ZoneFileSystem> =>
  fileSystems.flatMap((entry) => entry.dir.startsWith(`${root.path}/`) ? [{ ...entry, dir: entry.dir.slice(root.path.length) }] : [])

/** What files of the network are made from. @category models */
export interface Names {
  readonly addresses: ReadonlyArray<string>
  readonly clusterDomain: string
  readonly dns: ZoneRuntime.ZoneDns | undefined
}

const optionOf = (option: string) => {
  const [name = "", ...value] = option.split(":")
  return value.length === 0 ? { name } : { name, value: value.join(":") }
}

/** What cannot be written is left out by itself: a resolver does better with the rest than with nothing. */
const writable = <A>(all: ReadonlyArray<A>, as: (one: A) => ZoneDns.ZoneDns): ReadonlyArray<A> => all.filter((one) => Either.isRight(ZoneDns.resolvConf(as(one))))

const resolvConf = ({ nameservers, options = [], searches = [] }: ZoneRuntime.ZoneDns): string | undefined =>
  Either.getOrUndefined(ZoneDns.resolvConf({
    nameservers: writable(nameservers, (one) => ({ nameservers: [one] })).slice(0, ZoneDns.mostNameservers),
    searches: writable(searches, (one) => ({ nameservers: [], searches: [one] })),
    options: writable(options.map(optionOf), (one) => ({ nameservers: [], options: [one] }))
  }))

/**
 * The files that every container finds in its root whatever its image has: hosts, name resolution, its name. What a volume is mounted over
 * is left alone.
 *
 * @category constructors
 */
export const files = (pod: CoreV1.Pod, names: Names, mounts: ReadonlyArray<Pick<ZoneRuntime.ZoneFileSystem, "dir">>): ReadonlyArray<RootFile.RootFile> => {
  const all = [
    { path: "/etc/resolv.conf", content: names.dns === undefined ? undefined : resolvConf(names.dns) },
    { path: "/etc/hostname", content: `${PodHosts.nodename(pod, names.clusterDomain)}\n` }
  ]
  return [
    ...PodHosts.rootFiles(pod, names.addresses, names.clusterDomain, mounts),
    ...all.flatMap(({ content, path }) => content === undefined || mounts.some(({ dir }) => dir === path || dir === "/etc") ? [] : [{ path, content, mode: 0o644 }])
  ]
}

/** The file of its last words: one of the zone, as the root may be read-only, and its `/dev` is that of the whole pod. */
const lastWords = ({ container, messagePath }: ContainerRoot): ReadonlyArray<Files.RootBind> =>
  messagePath === undefined ? [] : [{ from: `${temporaryFolder}/${container}/termination-log`, to: messagePath, make: "file" }]

/**
 * How the processes of a container are started with its root.
 *
 * @category constructors
 */
export const entry = (root: ContainerRoot, binds: ReadonlyArray<Files.RootBind> = []): Files.ContainerRoot => ({
  path: root.path,
  binds: [...root.binds ?? [], ...binds, ...lastWords(root)]
})

/** What a container whose root came later can write to. @category constructors */
export const temporary = (root: ContainerRoot): ReadonlyArray<Files.RootBind> =>
  ["/tmp", "/var/tmp", "/run"].map((path) => ({ from: `${temporaryFolder}/${root.container}${path}`, to: path, make: "folder" }))

/**
 * What a root must have before anything is mounted in it: every place of a mount. Of a root that is made fresh all goes that came later, and with
 * it what is mounted there; in a read-only one nobody can make anything later.
 *
 * @category combinators
 */
export const places = (
  root: ContainerRoot,
  mounts: ReadonlyArray<Pick<ZoneRuntime.ZoneFileSystem, "dir" | "special">>,
  isFile: (special: string) => boolean
): { readonly folders: ReadonlyArray<string>; readonly files: ReadonlyArray<RootFile.RootFile> } => {
  const files = mounts.filter(({ special }) => isFile(special)).map(({ dir }) => dir)
  const folders = mounts.filter(({ special }) => !isFile(special)).map(({ dir }) => dir)
  const { messagePath } = root
  const words = messagePath === undefined || messagePath.startsWith("/dev/") ? [] : [messagePath]
  const shown = [...root.shows, ...folders, ...(root.binds ?? []).map(({ to }) => to)]
  return {
    folders: [...new Set(root.readOnly ? [...shown, root.workingDirectory] : shown)],
    files: [...files, ...words].map((path) => ({ path, content: "", mode: 0o644, unless: [path] }))
  }
}
