/** The roots of the containers of a pod on the host: made with the dataset of its zone, filled before the zone boots, gone with the dataset. */
import type { CoreV1 } from "@reddwarf/api-types"
import { CommandLine, type CommandRunner, HostError, RootPreparation, type ZoneRuntime } from "@reddwarf/runtime-illumos"
import type { StorageEngine, StorageError } from "@reddwarf/storage-zfs"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as ContainerRoots from "../container/ContainerRoots.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type { PodFacts } from "./PodZone.js"

/** @category models */
export interface Services {
  readonly runner: Context.Tag.Service<CommandRunner.CommandRunner>
  readonly storage: Context.Tag.Service<StorageEngine.StorageEngine>
  readonly zones: Context.Tag.Service<ZoneRuntime.ZoneRuntime>
}

/** What the roots of one pod are made from. @category models */
export interface Wanted {
  readonly pod: CoreV1.Pod
  readonly uid: string
  /** Absent where images are not used. */
  readonly roots: ReadonlyArray<ContainerRoots.ContainerRoot> | undefined
  /** Everything that is mounted in the zone. */
  readonly fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>
  readonly names: ContainerRoots.Names
  /** Tells the supervisor what the roots begin with; called before anything runs in them. */
  readonly remember?: PodFacts["remember"]
}

type Failure = HostError.HostError | StorageError.StorageError | SupervisorFileFailed

/** Roots that are made at the same time. */
const mostAtOnce = 4

/** Where the files of a root are in its dataset. */
const filesOf = (mountpoint: string): string => `${mountpoint}/root`

/** Whether processes may be looking at the roots right now. Then nothing on the host touches their files. */
const isHalted = (state: string | undefined): boolean => state === undefined || ["configured", "incomplete", "installed"].includes(state)

const isFile = (special: string): boolean => fs.statSync(special, { throwIfNoEntry: false })?.isFile() === true

const fill = ({ runner }: Services, zone: string, { fileSystems, names, pod }: Wanted, root: ContainerRoots.ContainerRoot, mountpoint: string) => {
  const mounts = ContainerRoots.mountsIn(root, fileSystems)
  const places = ContainerRoots.places(root, mounts, isFile)
  return RootPreparation.prepare(runner, {
    zone,
    root: filesOf(mountpoint),
    folders: places.folders,
    files: [...ContainerRoots.files(pod, names, mounts), ...places.files]
  })
}

/** Roots in their places. @category models */
export interface Roots {
  /** What is to be mounted in the zone because of them. */
  readonly fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>
  /** Whether they are as they are to be when the zone boots: while it runs they are left alone. */
  readonly prepared: boolean
}

/**
 * Makes the roots in the dataset of the zone, and fresh, with their files, where the zone is halted. Can be repeated at any time.
 *
 * @category constructors
 */
export const ensure = (
  services: Services,
  { mountpoint, zone }: StorageEngine.ZoneDataset,
  wanted: Wanted
): Effect.Effect<Roots, Failure> =>
  Effect.gen(function*() {
    const { roots, uid } = wanted
    if (roots === undefined) return { fileSystems: [], prepared: true }
    const { runner, storage, zones } = services
    const halted = isHalted((yield* zones.list).find(({ name }) => name === zone)?.state)
    const later = `${mountpoint}/${ContainerRoots.laterName}`
    if (halted) {
      const made = yield* runner.run(CommandLine.make("/usr/bin/mkdir", "-p", later))
      if (made.exitCode !== 0) {
        yield* new HostError.HostCommandFailed({
          operation: "make a folder for zone",
          object: zone,
          detail: `${later}: ${made.stderr.trim()}`,
          exitCode: made.exitCode
        })
      }
    }
    const own = yield* Effect.forEach(roots, (root) =>
      Effect.gen(function*() {
        const named = { zone, uid, name: root.name }
        const made = yield* storage.ensureZoneRoot({ ...named, origin: root.snapshot, properties: { container: root.container, image: root.image } })
        const entry = ContainerRoots.fileSystem(root, filesOf(made.mountpoint))
        if (!halted) return { entry }
        // Something ran in it, unless whoever made it so ended here: the zone boots again, and its containers begin anew.
        if (made.beginning !== undefined) yield* storage.renewZoneRoot(named)
        yield* fill(services, zone, wanted, root, made.mountpoint)
        if (root.readOnly) return { entry }
        const snapshot = yield* storage.keepRootBeginning(named)
        return { entry, beginning: { container: root.container, snapshot } }
      }), { concurrency: mostAtOnce })
    // Before the zone boots, so before anything can run in one of them.
    if (halted) yield* wanted.remember?.(own.flatMap(({ beginning }) => beginning === undefined ? [] : [beginning])) ?? Effect.void
    return { fileSystems: [ContainerRoots.laterFileSystem(later), ...own.map(({ entry }) => entry)], prepared: halted }
  })

/**
 * A root that comes while the zone runs. It is filled where the zone does not see it, and shown then: from that moment on it is left alone.
 *
 * @category constructors
 */
export const add = (
  services: Services,
  zone: string,
  wanted: Omit<Wanted, "roots">,
  root: ContainerRoots.ContainerRoot
): Effect.Effect<void, Failure> =>
  Effect.gen(function*() {
    const spec = { zone, uid: wanted.uid, name: root.name, origin: root.snapshot }
    const { mountpoint } = yield* services.storage.ensureZoneRoot(spec)
    if (mountpoint.includes(`/${ContainerRoots.laterName}/`)) return
    yield* fill(services, zone, { ...wanted, roots: [] }, root, mountpoint)
    yield* services.storage.ensureZoneRoot({ ...spec, folder: ContainerRoots.laterName })
  })
