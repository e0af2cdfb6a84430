/** Storage as a node agent needs it: datasets for zones, persistent volumes, and the state of the pool. Everything it makes carries the uid of its owner. */
import { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import * as DatasetName from "./DatasetName.js"
import * as datasetOperations from "./internal/datasets.js"
import * as orphanOperations from "./internal/orphans.js"
import * as volumeOperations from "./internal/volumes.js"
import * as zoneOperations from "./internal/zones.js"
import * as rootSnapshots from "./internal/rootSnapshots.js"
import * as zoneRootOperations from "./internal/zoneRoots.js"
import type { StorageError } from "./StorageError.js"
import * as StorageLayout from "./StorageLayout.js"
import type * as Volume from "./Volume.js"
import * as Zfs from "./Zfs.js"
import type * as ZoneRoots from "./ZoneRoots.js"
import type * as ZpoolStatus from "./ZpoolStatus.js"

/** What a zone needs on disk. @category models */
export interface ZoneDatasetSpec {
  /** Zone name; becomes the last component of the dataset. */
  readonly zone: string
  /** Uid of the pod; written as `reddwarf:uid`. */
  readonly uid: string
  /** Bytes for everything in the zone, snapshots included; absent means no limit. */
  readonly quota?: number | undefined
  /** Further marks, written as `reddwarf:<name>`: lower case letters, digits, `-`, `_`, `.`. */
  readonly properties?: Readonly<Record<string, string>> | undefined
  /** The snapshot of an image the dataset is a clone of; absent means an empty one. */
  readonly origin?: DatasetName.SnapshotName | undefined
}

/** A dataset that belongs to a zone. @category models */
export interface ZoneDataset {
  readonly dataset: DatasetName.DatasetName
  readonly zone: string
  readonly uid: string
  /** Where the dataset is mounted. */
  readonly mountpoint: string
  /**
   * The zonepath to configure: a directory inside the dataset that the installer of the brand creates (with the mode a
   * zonepath needs) or replaces. Quota and marks stay on the dataset around it.
   */
  readonly zonepath: string
  /** Bytes used, descendants and snapshots included. */
  readonly used: number
  /** Bytes; absent means no limit. */
  readonly quota?: number
  /** The snapshot it is a clone of. */
  readonly origin?: DatasetName.SnapshotName
  /** All marks, without their `reddwarf:` prefix. */
  readonly properties: Readonly<Record<string, string>>
}

/** Who a zone dataset belongs to. @category models */
export type ZoneOwner = Pick<ZoneDataset, "dataset" | "properties" | "uid" | "zone">

/** A root file system beside that of the zone, such as that of one container. @category models */
export interface ZoneRootSpec {
  readonly zone: string
  readonly uid: string
  /** Name of the root in its zone, for instance that of the container. */
  readonly name: string
  /** The snapshot of an image it is a clone of. */
  readonly origin: DatasetName.SnapshotName
  /** Bytes for its files; absent means no limit of its own. */
  readonly quota?: number | undefined
  /** Further marks, without their `reddwarf:` prefix. */
  readonly properties?: Readonly<Record<string, string>> | undefined
  /**
   * Name of a folder in the dataset of the zone in which the root appears, under its name: who has mounted the folder sees it come, also when
   * it was made without one before. Absent leaves it where it is, at first beside the folders.
   */
  readonly folder?: string | undefined
}

/** Which root of a zone is meant. @category models */
export type RootName = Pick<ZoneRootSpec, "zone" | "uid" | "name">

/** A root beside that of the zone, as it is there. @category models */
export interface OwnRoot {
  readonly name: string
  readonly dataset: DatasetName.DatasetName
  /** The snapshot it is a clone of. */
  readonly origin: DatasetName.SnapshotName
  /** All marks, without their prefix. */
  readonly properties: Readonly<Record<string, string>>
}

/** A dataset that a zone manages by itself. @category models */
export interface DelegatedSpec {
  readonly zone: string
  readonly uid: string
  readonly name: string
  /** Absolute path inside the zone. */
  readonly mountpoint: string
  readonly quota?: number | undefined
  readonly reservation?: number | undefined
}

/** Space of the pool, in bytes. @category models */
export interface PoolUsage {
  readonly pool: string
  readonly size: number
  readonly allocated: number
  readonly free: number
  /** Bytes a new dataset below the root could still write, quotas of its parents included. */
  readonly available: number
  /** `ONLINE`, `DEGRADED`, `FAULTED`, … */
  readonly health: string
}

/** How a pool is. @category models */
export interface PoolHealth extends ZpoolStatus.Status {
  /** Data can be read and written: `ONLINE` or `DEGRADED`. */
  readonly usable: boolean
  /** Another failure may lose data, or has: the pool is not `ONLINE`, or there are data errors. */
  readonly atRisk: boolean
}

/** A dataset below the zones or volumes whose owner is not known. @category models */
export interface Orphan {
  readonly kind: "zone" | "volume"
  readonly dataset: DatasetName.DatasetName
  /** Absent when it carries none. */
  readonly uid?: string
  /** Bytes that would become free. */
  readonly used: number
  /** Why it is thought to be one. */
  readonly reason: string
  /** Whether `removeOrphan` would remove it: only what this engine has made. */
  readonly removable: boolean
}

/** How a stream becomes a volume. @category models */
export interface ReceiveTarget {
  readonly name: string
  readonly owner: string
  /** Take an incremental stream although the volume was changed after its newest snapshot; the changes are lost. Default false. */
  readonly discardChanges?: boolean | undefined
}

/** What a transfer has left behind that has not ended yet. @category models */
export interface Arrival {
  readonly dataset: DatasetName.DatasetName
  /** For `resumeStream` of the sending engine; absent when the stream was complete, or this ZFS keeps no parts. */
  readonly token: string | undefined
  readonly snapshots: ReadonlyArray<Volume.VolumeSnapshot>
}

/**
 * Storage of one host. Every operation can be repeated, after a crash at any point too: it looks at what is there and does the rest.
 * Busy datasets are tried again for about 30 seconds. Nothing that carries another uid, or none, is ever changed or destroyed.
 *
 * @category services
 */
export class StorageEngine extends Context.Tag("@reddwarf/storage-zfs/StorageEngine")<StorageEngine, {
  /** Where everything is. */
  readonly layout: StorageLayout.Layout
  /** Makes the parents: zones, images and volumes. */
  readonly ensureDatasets: Effect.Effect<void, StorageError>
  /**
   * Makes the dataset of a zone, or brings quota and marks of an existing one up to date. `DatasetNotOwned` when another uid has it,
   * `DatasetExists` when it comes from another image. Of its marks the answer has those of the specification.
   */
  readonly ensureZoneDataset: (spec: ZoneDatasetSpec) => Effect.Effect<ZoneDataset, StorageError>
  /** Destroys the dataset of a zone with all it contains, trying again a bounded time while it is busy. A missing one is fine. */
  readonly destroyZoneDataset: (zone: string) => Effect.Effect<void, StorageError>
  /** Every zone dataset that carries a uid. */
  readonly listOwned: Effect.Effect<ReadonlyArray<ZoneDataset>, StorageError>
  /** Whose the zone datasets are, of those that carry a uid: costs a look at their marks, and none at what they hold. */
  readonly listOwners: Effect.Effect<ReadonlyArray<ZoneOwner>, StorageError>
  /** A clone of an image inside the dataset of a zone; it goes with that. With `beginning`, if `keepRootBeginning` was called for it. */
  readonly ensureZoneRoot: (
    spec: ZoneRootSpec
  ) => Effect.Effect<
    { readonly dataset: DatasetName.DatasetName; readonly mountpoint: string; readonly beginning?: DatasetName.SnapshotName },
    StorageError
  >
  /**
   * Keeps the present content of a root as what it begins with: `Zfs.rollback` to the snapshot makes it fresh again, also while the zone runs
   * with it. One that is kept already stays.
   */
  readonly keepRootBeginning: (spec: RootName) => Effect.Effect<DatasetName.SnapshotName, StorageError>
  /**
   * Gives a root of a halted zone what it began with, and forgets that, so that the files of its next beginning can be written. Nothing
   * happens to one of which no beginning is kept.
   */
  readonly renewZoneRoot: (spec: RootName) => Effect.Effect<void, StorageError>
  /** The roots that `ensureZoneRoot` has made for a zone. */
  readonly listZoneRoots: (spec: { readonly zone: string; readonly uid: string }) => Effect.Effect<ReadonlyArray<OwnRoot>, StorageError>
  /** Destroys one of them, which no zone that runs may have mounted. A missing one is fine. */
  readonly destroyZoneRoot: (spec: RootName) => Effect.Effect<void, StorageError>
  /**
   * Makes a root ready to take the place of the present one of a zone, which goes on with that. `DatasetExists` when one was made ready for
   * the same change from another image.
   */
  readonly stageRoot: (spec: ZoneRoots.StageSpec) => Effect.Effect<ZoneRoots.ZoneRoot, StorageError>
  /**
   * Lets the zone, which must be halted, boot from another root: the staged one, or one it had before. The present one is put aside. Cut
   * off anywhere, the same call goes on from there. `DatasetNotFound` when the wanted root is not there; nothing has changed then.
   */
  readonly swapRoot: (spec: ZoneRoots.SwapSpec) => Effect.Effect<ZoneRoots.ZoneRoot, StorageError>
  /** Keeps the present root as it is now, as a snapshot that is marked with the change. One that was taken stays as it is. */
  readonly snapshotRoot: (spec: ZoneRoots.RootChange) => Effect.Effect<void, StorageError>
  /** Destroys the snapshots of all roots of a zone that `snapshotRoot` has taken. */
  readonly dropRootSnapshots: (spec: ZoneRoots.RootSnapshots) => Effect.Effect<void, StorageError>
  /** The roots of a zone. */
  readonly observeRoot: (spec: { readonly zone: string; readonly uid: string }) => Effect.Effect<ZoneRoots.ZoneRootVersions, StorageError>
  /** Destroys roots that are not in use. Nothing happens while none is in use. */
  readonly dropRoots: (spec: ZoneRoots.KeepSpec) => Effect.Effect<void, StorageError>
  /** A dataset for `add dataset` of a zone's configuration, inside the dataset of the zone; never mounted in the global zone. */
  readonly ensureDelegated: (spec: DelegatedSpec) => Effect.Effect<DatasetName.DatasetName, StorageError>
  /** Takes a delegated dataset back once its zone is down: without this it can neither be mounted nor read in the global zone. */
  readonly reclaimDelegated: (dataset: DatasetName.DatasetName) => Effect.Effect<void, StorageError>
  /** Makes a volume, or brings limits, owner and marks of an existing one up to date. */
  readonly ensureVolume: (spec: Volume.VolumeSpec) => Effect.Effect<Volume.Volume, StorageError>
  /** Makes a block device, or lets an existing one grow. `NotSupported` where ZFS has no volumes. */
  readonly ensureBlockVolume: (spec: Volume.BlockVolumeSpec) => Effect.Effect<Volume.BlockVolume, StorageError>
  /** Destroys a volume of either kind with its snapshots. A missing one is fine, one of another owner is not. */
  readonly destroyVolume: (name: string, owner: string) => Effect.Effect<void, StorageError>
  /** Every file system volume with its owner. */
  readonly listVolumes: Effect.Effect<ReadonlyArray<Volume.Volume>, StorageError>
  /** Takes a snapshot; one of that name that exists is kept as it is. */
  readonly snapshotVolume: (name: string, snapshot: string) => Effect.Effect<DatasetName.SnapshotName, StorageError>
  /** Oldest first. */
  readonly volumeSnapshots: (name: string) => Effect.Effect<ReadonlyArray<Volume.VolumeSnapshot>, StorageError>
  /** Destroys a snapshot, as soon as no clone and no hold needs it. A missing one is fine. */
  readonly destroyVolumeSnapshot: (name: string, snapshot: string) => Effect.Effect<void, StorageError>
  /** Brings a volume back to a snapshot; newer snapshots are destroyed. */
  readonly rollbackVolume: (name: string, snapshot: string) => Effect.Effect<void, StorageError>
  /** A snapshot as bytes for `receiveVolume`, possibly of another host; with `from`, only what changed since that snapshot. */
  readonly sendVolume: (name: string, snapshot: string, options?: { readonly from?: string }) => Stream.Stream<Uint8Array, StorageError>
  /** The rest of a stream that was cut; the token is that of the `arrival` on the receiving side. */
  readonly resumeStream: (token: string) => Stream.Stream<Uint8Array, StorageError>
  /** Makes a volume, or a new snapshot of one, from a stream. What arrives is no volume before it is complete. */
  readonly receiveVolume: <E>(target: ReceiveTarget, stream: Stream.Stream<Uint8Array, E>) => Effect.Effect<void, StorageError | E>
  /** What a transfer to a new volume of this name has left behind, if anything. */
  readonly arrival: (name: string) => Effect.Effect<Arrival | undefined, StorageError>
  /** Makes a complete arrival the volume, after a crash between the two. */
  readonly finishArrival: (name: string, owner: string) => Effect.Effect<void, StorageError>
  /** Throws away what a transfer has left behind. */
  readonly discardArrival: (name: string) => Effect.Effect<void, StorageError>
  readonly poolUsage: Effect.Effect<PoolUsage, StorageError>
  /** State, devices and errors of the pool the engine lives in. */
  readonly poolHealth: Effect.Effect<PoolHealth, StorageError>
  /** Datasets of zones and volumes whose uid is not among the owners, and what lies there without any. */
  readonly orphans: (owners: ReadonlySet<string>) => Effect.Effect<ReadonlyArray<Orphan>, StorageError>
  /** Destroys an orphan, unless it has found an owner since it was reported. */
  readonly removeOrphan: (orphan: Orphan) => Effect.Effect<void, StorageError>
}>() {}

/** Where the engine keeps its datasets. @category models */
export type Options = StorageLayout.Options

/**
 * The engine on ZFS.
 *
 * @category layers
 */
export const layerZfs = (options: Options): Layer.Layer<StorageEngine, never, CommandRunner.CommandRunner> =>
  Layer.effect(
    StorageEngine,
    Effect.gen(function*() {
      const zfs = yield* Zfs.Zfs
      const runner = yield* CommandRunner.CommandRunner
      const layout = StorageLayout.make(options)
      const datasets = datasetOperations.make(zfs)
      const zones = zoneOperations.make(zfs, datasets, layout)
      const roots = zoneRootOperations.make(zfs, runner, datasets, layout)
      const snapshots = rootSnapshots.make(zfs, datasets, roots, layout)
      const volumes = volumeOperations.make(zfs, runner, datasets, layout)
      const orphans = orphanOperations.make(zfs, datasets, layout)
      const pool = DatasetName.poolOf(layout.root)

      const ensureDatasets = Effect.gen(function*() {
        const ensure = (dataset: DatasetName.DatasetName, properties: Readonly<Record<string, string>>) =>
          datasets.makeIfMissing(dataset, zfs.create(dataset, properties))
        yield* ensure(layout.root, { mountpoint: options.mountpoint ?? `/${layout.root}`, compression: "on", atime: "off" })
        yield* ensure(layout.zones, options.zonesMountpoint === undefined ? {} : { mountpoint: options.zonesMountpoint })
        yield* ensure(layout.images, {})
        yield* ensure(layout.volumes, {})
      })

      const poolUsage = Effect.gen(function*() {
        const row = yield* zfs.pool(pool)
        const properties = yield* Effect.catchTags(zfs.get(layout.root, ["available"]), {
          DatasetNotFound: () => zfs.get(pool, ["available"])
        })
        return {
          pool: row.name,
          size: row.size,
          allocated: row.allocated,
          free: row.free,
          available: datasetOperations.numberOf(properties, "available"),
          health: row.health
        }
      })

      return StorageEngine.of({
        layout,
        ensureDatasets,
        ensureZoneDataset: zones.ensure,
        destroyZoneDataset: zones.destroy,
        listOwned: zones.list,
        listOwners: zones.listOwners,
        ensureZoneRoot: zones.ensureRoot,
        keepRootBeginning: zones.keepBeginning,
        renewZoneRoot: zones.renewRoot,
        listZoneRoots: zones.listRoots,
        destroyZoneRoot: zones.destroyRoot,
        stageRoot: roots.stage,
        swapRoot: roots.swap,
        snapshotRoot: snapshots.take,
        dropRootSnapshots: snapshots.drop,
        observeRoot: roots.observe,
        dropRoots: roots.drop,
        ensureDelegated: zones.ensureDelegated,
        reclaimDelegated: zones.reclaimDelegated,
        ensureVolume: volumes.ensure,
        ensureBlockVolume: volumes.ensureBlock,
        destroyVolume: volumes.destroy,
        listVolumes: volumes.list,
        snapshotVolume: volumes.takeSnapshot,
        volumeSnapshots: volumes.snapshots,
        destroyVolumeSnapshot: volumes.destroySnapshot,
        rollbackVolume: volumes.rollback,
        sendVolume: volumes.send,
        resumeStream: volumes.resume,
        receiveVolume: volumes.receive,
        arrival: volumes.arrival,
        finishArrival: volumes.finish,
        discardArrival: volumes.discardArrival,
        poolUsage,
        poolHealth: Effect.map(zfs.poolStatus(pool), (status) => ({
          ...status,
          usable: status.state === "ONLINE" || status.state === "DEGRADED",
          atRisk: status.state !== "ONLINE" || status.dataErrors
        })),
        orphans: orphans.find,
        removeOrphan: orphans.remove
      })
    })
  ).pipe(Layer.provide(Zfs.layer))
