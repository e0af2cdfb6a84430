/**
 * Golden images: the root of a zone that somebody has installed and configured becomes an image.
 *
 * The zone is halted, and may be used again at once: what is read is a clone of a snapshot of its root, which goes when the image is there.
 */
import { type CommandRunner, type HostError, ZoneAdm, type ZoneName } from "@reddwarf/runtime-illumos"
import { DatasetName, type StorageError, Zfs } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { lstatSync, readdirSync } from "node:fs"
import { posix } from "node:path"
import * as Digest from "./Digest.js"
import type { Image, Origin } from "./Image.js"
import * as ImageConfig from "./ImageConfig.js"
import type { ImageError } from "./ImageError.js"
import { ImageStore } from "./ImageStore.js"
import { fromZfs } from "./internal/storageFailure.js"
import { treeArchive } from "./internal/treeArchive.js"
import * as Platform from "./Platform.js"

/** The zone cannot become an image as it is. @category errors */
export class ZoneNotCapturable extends Schema.TaggedError<ZoneNotCapturable>()("ZoneNotCapturable", {
  zone: Schema.String,
  reason: Schema.String,
  advice: Schema.String
}) {
  override get message(): string {
    return `zone ${this.zone} cannot become an image: ${this.reason}; ${this.advice}`
  }
}

/** A zone that becomes an image. @category models */
export interface Options {
  readonly zone: ZoneName.ZoneName
  /** Names with tags. */
  readonly references: ReadonlyArray<string>
  /** What is run in containers of the image. */
  readonly process?: Partial<ImageConfig.Process>
  /** Default `amd64`. */
  readonly architecture?: string
  /**
   * Detach the zone while its root is read, so that the brand takes this host's traces out of it; it is attached again afterwards. Default
   * false.
   */
  readonly detach?: boolean
  /** Dataset of the images of this host, in the same pool as the zone. */
  readonly images: DatasetName.DatasetName
  /** Where a path of the host is for this process. The same unless the host is simulated. */
  readonly realPath?: (hostPath: string) => string
}

/** @category errors */
export type CaptureError = ImageError | HostError.HostError | ZoneNotCapturable

/** A folder that becomes an image. @category models */
export interface FolderOptions {
  /** Platform and process; its layers are replaced. */
  readonly config: ImageConfig.ImageConfig
  readonly references: ReadonlyArray<string>
  readonly brand?: string
  /** Default `import`. */
  readonly origin?: Origin
}

/**
 * Makes an image of one layer of what is in a folder, a real path that nobody changes meanwhile. The same files give the same layer.
 *
 * @category constructors
 */
export const fromFolder = (folder: string, options: FolderOptions): Effect.Effect<Image, ImageError, ImageStore> =>
  Effect.gen(function*() {
    const store = yield* ImageStore
    const { brand, config } = options
    // Read twice: a layer is known by its digest before it is unpacked.
    const hasher = Digest.hasher()
    yield* Stream.runForEach(treeArchive(folder), (bytes) => Effect.sync(() => hasher.update(bytes)))
    const diffId = hasher.finish()
    const labels = brand === undefined ? config.process.labels : { ...config.process.labels, [Platform.brandAnnotation]: brand }
    return yield* store.create({
      config: { ...config, process: { ...config.process, labels }, rootfs: { type: "layers", diffIds: [diffId] }, history: [] },
      layers: [{ diffId, bytes: treeArchive(folder) }],
      references: options.references,
      ...(brand === undefined ? {} : { brand }),
      origin: options.origin ?? "import"
    })
  })

const isFilled = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true && readdirSync(path).length > 0

const within = (folder: string, path: string): boolean => path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`)

/** The dataset with the root, and the folder of the root in it. */
interface RootPlace {
  readonly dataset: DatasetName.DatasetName
  readonly folder: string
}

const placeOf = (
  entries: ReadonlyArray<Zfs.DatasetEntry>,
  zonepath: string,
  rootIsFilled: boolean
): RootPlace | undefined => {
  const mounted = entries.flatMap(({ mountpoint, name, type }) =>
    type === "filesystem" && DatasetName.is(name) && mountpoint !== undefined && mountpoint.startsWith("/") && within(mountpoint, zonepath) ? [{ mountpoint, name }] : [])
  const nearest = mounted.sort((a, b) => b.mountpoint.length - a.mountpoint.length)[0]
  if (nearest === undefined) return undefined
  if (rootIsFilled) return { dataset: nearest.name, folder: posix.join(posix.relative(nearest.mountpoint, zonepath), "root") }
  // Package brands keep the root in a boot environment of its own, which is mounted only while the zone is ready.
  const environments = entries.flatMap(({ createtxg, name }) =>
    DatasetName.is(name) && name.startsWith(`${nearest.name}/ROOT/`) && !name.slice(nearest.name.length + 6).includes("/") ? [{ createtxg, name }] : [])
  const newest = environments.sort((a, b) => b.createtxg - a.createtxg)[0]
  return newest === undefined ? undefined : { dataset: newest.name, folder: "" }
}

/**
 * Makes an image of the zone's root. `ZoneNotCapturable` when the zone is not installed, or runs, or has no dataset.
 *
 * @category constructors
 */
export const capture = (
  runner: CommandRunner.CommandRunner["Type"],
  options: Options
): Effect.Effect<Image, CaptureError, ImageStore | Zfs.Zfs> =>
  Effect.scoped(Effect.gen(function*() {
    const zfs = yield* Zfs.Zfs
    const adm = ZoneAdm.make(runner)
    const realPath = options.realPath ?? ((path: string) => path)
    const refuse = (reason: string, advice: string) => new ZoneNotCapturable({ zone: options.zone, reason, advice })
    const storage = (operation: string) => (error: StorageError.StorageError) => fromZfs(operation, options.zone)(error)

    const zone = (yield* adm.list).find(({ name }) => name === options.zone)
    if (zone === undefined) return yield* refuse("there is no such zone", "look at zoneadm list -cv")
    if (zone.state !== "installed") return yield* refuse(`it is ${zone.state}`, zone.state === "configured" ? "install it first" : "halt it first")
    const pool = DatasetName.poolOf(options.images)
    const entries = yield* Effect.mapError(zfs.list(pool), storage("looking for the dataset of a zone"))
    const place = placeOf(entries, zone.zonepath, isFilled(realPath(`${zone.zonepath}/root`)))
    if (place === undefined) return yield* refuse(`no dataset of ${pool} holds its root`, "move the zone to the pool of the images")

    if (options.detach === true) {
      yield* Effect.acquireRelease(adm.detach(options.zone), () =>
        Effect.catchAll(adm.attach(options.zone, { force: true }), (error) => Effect.logError("the zone stays detached; attach it with zoneadm", error)))
    }
    const mark = `golden-${(yield* Random.nextIntBetween(0, 2 ** 31)).toString(16)}`
    const snapshot = DatasetName.snapshot(place.dataset, mark)
    const clone = DatasetName.child(options.images, mark)
    const gone = (name: DatasetName.DatasetName | DatasetName.SnapshotName) =>
      Effect.catchAll(Effect.retry(zfs.destroy(name), { times: 5, while: (error) => error._tag === "DatasetBusy" }), (error) =>
        error._tag === "DatasetNotFound" ? Effect.void : Effect.logWarning("what an image was made from stays behind", error))
    yield* Effect.acquireRelease(Effect.mapError(zfs.snapshot(snapshot), storage("taking a snapshot of a zone")), () => gone(snapshot))
    yield* Effect.acquireRelease(
      Effect.mapError(zfs.clone(snapshot, clone, { canmount: "on", exec: "off", setuid: "off", zoned: "off" }, { parents: true }), storage("reading a zone")),
      () => gone(clone)
    )
    const properties = yield* Effect.mapError(zfs.get(clone, ["mountpoint"]), storage("reading a zone"))
    const files = realPath(posix.join(properties.get("mountpoint")?.value ?? "/", place.folder))

    const wanted = Platform.forBrand(zone.brand, options.architecture)
    return yield* fromFolder(files, {
      config: ImageConfig.make(wanted.platforms[0], [], options.process),
      references: options.references,
      brand: zone.brand,
      origin: "zone"
    })
  }))
