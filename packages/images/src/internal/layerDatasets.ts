/** The datasets of layers: names, marks, and how they are made and thrown away. */
import { DatasetName, type StorageError, type Zfs } from "@reddwarf/storage-zfs"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as fs from "node:fs"
import { join } from "node:path"
import * as Digest from "../Digest.js"
import { StorageFailed } from "../ImageError.js"
import type { ImageError } from "../ImageError.js"
import { fromFiles, fromZfs } from "./storageFailure.js"

/** User properties of a layer's dataset. */
export const mark = {
  chain: "reddwarf:chain-id",
  diff: "reddwarf:diff-id",
  parent: "reddwarf:parent",
  notes: "reddwarf:notes"
} as const

/** Folder of the dataset that holds the files. */
export const rootFolder = "root"

/** The snapshot that finishes a layer. */
export const snapshotOf = (dataset: DatasetName.DatasetName): DatasetName.SnapshotName => DatasetName.snapshot(dataset, "layer")

/** The dataset of a layer. */
export const datasetOf = (images: DatasetName.DatasetName, chainId: Digest.Digest): DatasetName.DatasetName =>
  DatasetName.child(images, "layers", Digest.hex(chainId))

/** 100 ms, doubling to at most 4 s, for about 30 s altogether. */
const busySchedule = Schedule.exponential("100 millis").pipe(
  Schedule.either(Schedule.spaced("4 seconds")),
  Schedule.intersect(Schedule.elapsed.pipe(Schedule.whileOutput((spent) => Duration.lessThan(spent, "30 seconds"))))
)

const whileBusy = <A, R>(effect: Effect.Effect<A, StorageError.StorageError, R>) =>
  Effect.retry(effect, { schedule: busySchedule, while: (error) => error._tag === "DatasetBusy" })

/** What is done with datasets of layers. */
export type Place = ReturnType<typeof make>

/** Datasets of layers below `images`. */
export const make = (zfs: Zfs.Zfs["Type"], images: DatasetName.DatasetName, realPath: (hostPath: string) => string) => {
  const layers = DatasetName.child(images, "layers")

  const ensureMounted = (dataset: DatasetName.DatasetName) =>
    whileBusy(zfs.mount(dataset)).pipe(Effect.catchIf((error) => error.message.includes("already mounted"), () => Effect.void))

  const mounted = (dataset: DatasetName.DatasetName, made: Effect.Effect<void, StorageError.StorageError>) =>
    Effect.catchTag(made, "DatasetNotMounted", () => ensureMounted(dataset))

  const createIfMissing = (dataset: DatasetName.DatasetName, properties: Readonly<Record<string, string>>) =>
    Effect.catchTag(Effect.asVoid(zfs.get(dataset, ["type"])), "DatasetNotFound", () =>
      Effect.catchTag(mounted(dataset, zfs.create(dataset, properties)), "DatasetExists", () => Effect.void))

  const mountpointOf = (dataset: DatasetName.DatasetName): Effect.Effect<string, ImageError> =>
    Effect.flatMap(Effect.mapError(zfs.get(dataset, ["mountpoint"]), fromZfs("finding the files", dataset)), (properties) => {
      const path = properties.get("mountpoint")?.value ?? "-"
      return path.startsWith("/")
        ? Effect.succeed(realPath(path))
        : Effect.fail(new StorageFailed({ operation: "finding the files", path: dataset, detail: `its mountpoint is ${path}, not a folder` }))
    })

  /** Nobody but root may walk through, and nothing in a layer can be executed here or take privileges: the programs are for zones. */
  const ensureParents = Effect.gen(function*() {
    yield* Effect.mapError(
      Effect.zipRight(createIfMissing(images, {}), createIfMissing(layers, { devices: "off", exec: "off", setuid: "off", atime: "off" })),
      fromZfs("preparing the dataset of layers", layers)
    )
    const path = yield* mountpointOf(layers)
    yield* Effect.try({ try: () => fs.chmodSync(path, 0o700), catch: fromFiles("preparing the folder of layers", path) })
  })

  const rootOf = (dataset: DatasetName.DatasetName) => Effect.map(mountpointOf(dataset), (path) => join(path, rootFolder))

  return {
    layers,
    datasetOf: (chainId: Digest.Digest) => datasetOf(images, chainId),
    ensureParents,
    rootOf,
    ensureMounted: (dataset: DatasetName.DatasetName) => Effect.mapError(ensureMounted(dataset), fromZfs("mounting a layer", dataset)),

    /** A dataset with an empty root; gives its real path. */
    create: (dataset: DatasetName.DatasetName, marks: Readonly<Record<string, string>>) =>
      Effect.gen(function*() {
        yield* ensureParents
        yield* Effect.mapError(mounted(dataset, zfs.create(dataset, marks)), fromZfs("making a layer", dataset))
        const root = yield* rootOf(dataset)
        yield* Effect.try({
          try: () => {
            fs.mkdirSync(root, { recursive: true })
            fs.chmodSync(root, 0o755)
          },
          catch: fromFiles("making a layer", root)
        })
        return root
      }),

    /** A dataset that begins as a snapshot; gives the real path of its root. */
    clone: (source: DatasetName.SnapshotName, dataset: DatasetName.DatasetName, marks: Readonly<Record<string, string>>) =>
      Effect.zipRight(
        Effect.mapError(mounted(dataset, zfs.clone(source, dataset, marks)), fromZfs("making a layer", dataset)),
        rootOf(dataset)
      ),

    /** Destroys a dataset with its snapshots; waits while it is only just not used any more. */
    destroy: (dataset: DatasetName.DatasetName) => whileBusy(zfs.destroy(dataset, { recursive: true })),

    /** Destroys what may be there. */
    discard: (dataset: DatasetName.DatasetName): Effect.Effect<void, ImageError> =>
      whileBusy(zfs.destroy(dataset, { recursive: true })).pipe(
        Effect.catchTag("DatasetNotFound", () => Effect.void),
        Effect.mapError(fromZfs("removing a half done layer", dataset))
      )
  }
}
