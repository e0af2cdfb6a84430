/** Storage as a node agent needs it: one dataset per zone, marked with its owner, and the space that is left. */
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as DatasetName from "./DatasetName.js"
import { DatasetNotMounted, DatasetNotOwned, PropertyRejected, type StorageError } from "./StorageError.js"
import * as Zfs from "./Zfs.js"
import type { PropertyValue } from "./ZfsOutput.js"

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
  /** All marks, without their `reddwarf:` prefix. */
  readonly properties: Readonly<Record<string, string>>
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

/**
 * Storage of one host. Everything is idempotent.
 *
 * @category services
 */
export class StorageEngine extends Context.Tag("@reddwarf/storage-zfs/StorageEngine")<StorageEngine, {
  /** Makes the parents: zones, images and volumes. */
  readonly ensureDatasets: Effect.Effect<void, StorageError>
  /** Makes the dataset of a zone, or brings quota and marks of an existing one up to date. `DatasetNotOwned` when another uid has it. */
  readonly ensureZoneDataset: (spec: ZoneDatasetSpec) => Effect.Effect<ZoneDataset, StorageError>
  /** Destroys the dataset of a zone with all it contains, trying again a bounded time while it is busy. A missing one is fine. */
  readonly destroyZoneDataset: (zone: string) => Effect.Effect<void, StorageError>
  readonly poolUsage: Effect.Effect<PoolUsage, StorageError>
  /** Every zone dataset that carries a uid. */
  readonly listOwned: Effect.Effect<ReadonlyArray<ZoneDataset>, StorageError>
}>() {}

/**
 * Where the engine keeps its datasets.
 *
 * @category models
 */
export interface Options {
  /** The dataset everything lies below, for instance `rpool/reddwarf`; its pool must exist. */
  readonly root: DatasetName.DatasetName
  /** Where `root` is mounted when it is made. Default `/` and the name of `root`. */
  readonly mountpoint?: string
  /** Parents of what the engine makes; a parent elsewhere than directly below `root` needs its own parent to exist. Default `<root>/zones` and so on. */
  readonly zones?: DatasetName.DatasetName
  readonly images?: DatasetName.DatasetName
  readonly volumes?: DatasetName.DatasetName
  /** Where the parent of the zones is mounted when it is made; zonepaths lie below. Default: below the mountpoint of `root`. */
  readonly zonesMountpoint?: string
}

const markPrefix = "reddwarf:"
const markName = /^[a-z0-9][a-z0-9._-]{0,99}$/

/** 250 ms, doubling to at most 4 s, for about 30 s altogether. */
const busySchedule = Schedule.exponential("250 millis").pipe(
  Schedule.either(Schedule.spaced("4 seconds")),
  Schedule.intersect(Schedule.elapsed.pipe(Schedule.whileOutput((spent) => Duration.lessThan(spent, "30 seconds"))))
)

/** Only what was set on the dataset itself: marks are inherited by everything below it. */
const localMarks = (properties: ReadonlyMap<string, PropertyValue>): Record<string, string> =>
  Object.fromEntries(
    [...properties].flatMap(([name, { source, value }]) =>
      name.startsWith(markPrefix) && (source === "local" || source === "received")
        ? [[name.slice(markPrefix.length), value] as const]
        : []
    )
  )

const numberOf = (properties: ReadonlyMap<string, PropertyValue>, name: string): number => {
  const value = properties.get(name)?.value ?? ""
  // `none` where the number is not set and the system has no number for that.
  return /^\d+$/.test(value) ? Number(value) : 0
}

const zoneDatasetOf = (
  dataset: DatasetName.DatasetName,
  properties: ReadonlyMap<string, PropertyValue>
): ZoneDataset | undefined => {
  const marks = localMarks(properties)
  const { uid } = marks
  if (uid === undefined) return undefined
  const mountpoint = properties.get("mountpoint")?.value ?? "-"
  const quota = numberOf(properties, "quota")
  return {
    dataset,
    zone: dataset.slice(dataset.lastIndexOf("/") + 1),
    uid,
    mountpoint,
    zonepath: `${mountpoint}/zone`,
    used: numberOf(properties, "used"),
    ...(quota === 0 ? {} : { quota }),
    properties: marks
  }
}

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
      const { root } = options
      const zones = options.zones ?? DatasetName.child(root, "zones")

      const datasetOf = (zone: string): Effect.Effect<DatasetName.DatasetName, PropertyRejected> => {
        const name = `${zones}/${zone}`
        return DatasetName.is(name) && !zone.includes("/")
          ? Effect.succeed(name)
          : Effect.fail(
            new PropertyRejected({ operation: "name the dataset of zone", dataset: zone, detail: `${name} is not a dataset name` })
          )
      }

      const ensureMounted = (dataset: DatasetName.DatasetName) =>
        zfs.mount(dataset).pipe(
          // A dataset made in a busy moment is there but not mounted, and can be mounted a little later.
          Effect.retry({ schedule: busySchedule, while: (error) => error._tag === "DatasetBusy" }),
          Effect.catchIf((error) => error.message.includes("already mounted"), () => Effect.void)
        )

      /** Somebody else may make it between the look and the command. */
      const createIfMissing = (dataset: DatasetName.DatasetName, properties: Readonly<Record<string, string>>) =>
        Effect.catchTags(zfs.get(dataset, ["type"]), {
          DatasetNotFound: () =>
            Effect.catchTags(zfs.create(dataset, properties), {
              DatasetExists: () => Effect.void,
              DatasetNotMounted: () => ensureMounted(dataset)
            })
        })

      const ensureDatasets = Effect.gen(function*() {
        yield* createIfMissing(root, {
          mountpoint: options.mountpoint ?? `/${root}`,
          compression: "on",
          atime: "off"
        })
        yield* createIfMissing(zones, options.zonesMountpoint === undefined ? {} : { mountpoint: options.zonesMountpoint })
        yield* createIfMissing(options.images ?? DatasetName.child(root, "images"), {})
        yield* createIfMissing(options.volumes ?? DatasetName.child(root, "volumes"), {})
      })

      const marksOf = (spec: ZoneDatasetSpec): Effect.Effect<Record<string, string>, PropertyRejected> => {
        const marks = { ...spec.properties, uid: spec.uid, zone: spec.zone }
        const bad = Object.entries(marks).find(([name, value]) =>
          // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
          !markName.test(name) || value === "" || Buffer.byteLength(value) > 8191 || /[\u0000-\u001f]/.test(value)
        )
        return bad === undefined ? Effect.succeed(marks) : Effect.fail(
          new PropertyRejected({
            operation: "mark the dataset of zone",
            dataset: spec.zone,
            detail: `${bad[0]} must be a lower case name with 1 to 8191 bytes of printable text`
          })
        )
      }

      const read = (dataset: DatasetName.DatasetName) => Effect.map(zfs.get(dataset, "all"), (properties) => ({
        properties,
        zone: zoneDatasetOf(dataset, properties)
      }))

      const owned = (dataset: DatasetName.DatasetName, uid: string) =>
        Effect.flatMap(read(dataset), ({ zone }) => {
          const refuse = (detail: string) =>
            Effect.fail(new DatasetNotOwned({ operation: "use dataset", dataset, detail }))
          if (zone === undefined) return refuse("it carries no uid")
          return zone.uid === uid ? Effect.succeed(zone) : refuse(`it belongs to ${zone.uid}, not to ${uid}`)
        })

      const ensureZoneDataset = Effect.fn("StorageEngine.ensureZoneDataset")(function*(spec: ZoneDatasetSpec) {
        const dataset = yield* datasetOf(spec.zone)
        const marks = yield* marksOf(spec)
        const quota = spec.quota === undefined ? "none" : String(Math.ceil(spec.quota))
        yield* createIfMissing(dataset, {
          ...Object.fromEntries(Object.entries(marks).map(([name, value]) => [`${markPrefix}${name}`, value])),
          ...(spec.quota === undefined ? {} : { quota })
        })
        const found = yield* owned(dataset, spec.uid)
        const changes: Array<readonly [string, string]> = Object.entries(marks).flatMap(([name, value]) =>
          found.properties[name] === value ? [] : [[`${markPrefix}${name}`, value] as const])
        if (String(found.quota ?? "none") !== quota) changes.push(["quota", quota])
        for (const [name, value] of changes) yield* zfs.set(dataset, name, value)
        const result = changes.length === 0 ? found : yield* owned(dataset, spec.uid)
        return result.mountpoint.startsWith("/") ? result : yield* new DatasetNotMounted({
          operation: "use dataset",
          dataset,
          detail: `its mountpoint is ${result.mountpoint}`
        })
      })

      const destroyZoneDataset = Effect.fn("StorageEngine.destroyZoneDataset")(function*(zone: string) {
        const dataset = yield* datasetOf(zone)
        const found = yield* Effect.catchTags(read(dataset), { DatasetNotFound: () => Effect.succeed(undefined) })
        if (found === undefined) return
        if (found.zone === undefined) {
          yield* new DatasetNotOwned({ operation: "destroy dataset", dataset, detail: "it carries no uid" })
        }
        yield* zfs.destroy(dataset, { recursive: true }).pipe(
          Effect.retry({ schedule: busySchedule, while: (error) => error._tag === "DatasetBusy" }),
          Effect.catchTags({
            DatasetBusy: () => zfs.destroy(dataset, { recursive: true, force: true }),
            DatasetNotFound: () => Effect.void
          })
        )
      })

      return StorageEngine.of({
        ensureDatasets,
        ensureZoneDataset,
        destroyZoneDataset,
        poolUsage: Effect.gen(function*() {
          const pool = yield* zfs.pool(DatasetName.poolOf(root))
          const properties = yield* Effect.catchTags(zfs.get(root, ["available"]), {
            DatasetNotFound: () => zfs.get(DatasetName.poolOf(root), ["available"])
          })
          return {
            pool: pool.name,
            size: pool.size,
            allocated: pool.allocated,
            free: pool.free,
            available: numberOf(properties, "available"),
            health: pool.health
          }
        }),
        listOwned: Effect.map(
          Effect.catchTags(zfs.getTree(zones, "all", 1), { DatasetNotFound: () => Effect.succeed(new Map<never, never>()) }),
          (table) =>
            [...table].flatMap(([name, properties]) => {
              const zone = DatasetName.is(name) && name !== zones ? zoneDatasetOf(name, properties) : undefined
              return zone === undefined ? [] : [zone]
            })
        )
      })
    })
  ).pipe(Layer.provide(Zfs.layer))
