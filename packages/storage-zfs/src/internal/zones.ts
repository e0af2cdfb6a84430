/** Datasets of zones, what is cloned into them, and what is delegated to them. */
import * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import * as DatasetName from "../DatasetName.js"
import * as Marks from "../Marks.js"
import type * as StorageEngine from "../StorageEngine.js"
import { DatasetExists, DatasetNotMounted, DatasetNotOwned, PropertyRejected, type StorageError } from "../StorageError.js"
import type { Layout } from "../StorageLayout.js"
import type * as Zfs from "../Zfs.js"
import type * as ZfsCommands from "../ZfsCommands.js"
import { type Datasets, type Found, initial, limit, numberOf } from "./datasets.js"
import * as beginnings from "./rootBeginnings.js"

type Dataset = DatasetName.DatasetName

const zoneOf = (dataset: Dataset): string => dataset.slice(dataset.lastIndexOf("/") + 1)

const ownerOf = (dataset: Dataset, properties: Found): StorageEngine.ZoneOwner | undefined => {
  const marks = Marks.read(properties)
  return marks["uid"] === undefined ? undefined : { dataset, zone: zoneOf(dataset), uid: marks["uid"], properties: marks }
}

const describe = (dataset: Dataset, properties: Found): StorageEngine.ZoneDataset | undefined => {
  const owner = ownerOf(dataset, properties)
  if (owner === undefined) return undefined
  const mountpoint = properties.get("mountpoint")?.value ?? "-"
  const quota = numberOf(properties, "quota")
  const origin = properties.get("origin")?.value ?? "-"
  return {
    ...owner,
    mountpoint,
    zonepath: `${mountpoint}/zone`,
    used: numberOf(properties, "used"),
    ...(quota === 0 ? {} : { quota }),
    ...(DatasetName.isSnapshot(origin) ? { origin } : {})
  }
}

const mountedAt = (dataset: Dataset, properties: Found): Effect.Effect<string, DatasetNotMounted> => {
  const mountpoint = properties.get("mountpoint")?.value ?? "-"
  return mountpoint.startsWith("/")
    ? Effect.succeed(mountpoint)
    : Effect.fail(new DatasetNotMounted({ operation: "use dataset", dataset, detail: `its mountpoint is ${mountpoint}` }))
}

/** The operations of `StorageEngine` on zones. */
export const make = (zfs: Context.Tag.Service<Zfs.Zfs>, datasets: Datasets, { zones }: Layout) => {
  const rootBeginnings = beginnings.make(zfs)

  const sameOrigin = (dataset: Dataset, properties: Found, origin: DatasetName.SnapshotName | undefined): Effect.Effect<void, DatasetExists> => {
    const found = properties.get("origin")?.value ?? "-"
    return origin === undefined || found === origin
      ? Effect.void
      : Effect.fail(new DatasetExists({ operation: `clone ${origin} to`, dataset, detail: found === "-" ? "it is no clone" : `it is a clone of ${found}` }))
  }

  const made = (dataset: Dataset, origin: DatasetName.SnapshotName | undefined, properties: Readonly<Record<string, string>>) =>
    datasets.makeIfMissing(dataset, origin === undefined ? zfs.create(dataset, properties) : zfs.clone(origin, dataset, properties))

  const ensure = Effect.fn("StorageEngine.ensureZoneDataset")(function*(spec: StorageEngine.ZoneDatasetSpec) {
    const dataset = yield* datasets.named(zones, spec.zone, "zone")
    const marks = yield* datasets.checkedMarks({ ...spec.properties, uid: spec.uid, zone: spec.zone }, spec.zone)
    const limits = { quota: limit(spec.quota) }
    yield* made(dataset, spec.origin, initial(marks, limits))
    // Not all of them: what is free in a pool may take long to find out.
    const names = ["mountpoint", "origin", "quota", "used", ...Object.keys(Marks.toProperties(marks))]
    const found = yield* datasets.owned(dataset, spec.uid, names)
    yield* sameOrigin(dataset, found, spec.origin)
    const properties = yield* datasets.update(dataset, spec.uid, found, marks, limits, names)
    yield* mountedAt(dataset, properties)
    return describe(dataset, properties) ?? (yield* new DatasetNotOwned({ operation: "use dataset", dataset, detail: "it carries no uid" }))
  })

  const inner = (prefix: string) =>
    Effect.fnUntraced(function*(spec: { readonly zone: string; readonly uid: string; readonly name: string }) {
      const zone = yield* datasets.named(zones, spec.zone, "zone")
      yield* datasets.owned(zone, spec.uid)
      return yield* datasets.named(zone, `${prefix}-${spec.name}`, "zone")
    })

  /** Where a root appears that has its place in a folder of the zone's dataset. */
  const placeOf = Effect.fnUntraced(function*(spec: StorageEngine.ZoneRootSpec): Effect.fn.Return<{ readonly mountpoint?: string }, StorageError> {
    const { folder } = spec
    if (folder === undefined) return {}
    const zone = yield* datasets.named(zones, spec.zone, "zone")
    yield* datasets.named(zone, folder, "a folder")
    const above = yield* mountedAt(zone, yield* zfs.get(zone, ["mountpoint"]))
    return { mountpoint: `${above}/${folder}/${spec.name}` }
  })

  const ensureRoot = Effect.fn("StorageEngine.ensureZoneRoot")(function*(spec: StorageEngine.ZoneRootSpec) {
    const dataset = yield* inner("root")(spec)
    const marks = yield* datasets.checkedMarks({ ...spec.properties, uid: spec.uid, root: spec.name }, spec.zone)
    const limits = { refquota: limit(spec.quota) }
    const place = yield* placeOf(spec)
    yield* made(dataset, spec.origin, { ...initial(marks, limits), ...place })
    const { beginning, found } = yield* rootBeginnings.ownedRoot(dataset, spec.uid)
    yield* sameOrigin(dataset, found, spec.origin)
    const properties = yield* datasets.update(dataset, spec.uid, found, marks, limits)
    const present = yield* mountedAt(dataset, properties)
    const wanted = place.mountpoint ?? present
    if (wanted !== present) yield* zfs.set(dataset, "mountpoint", wanted)
    return { dataset, mountpoint: wanted, ...(beginning === undefined ? {} : { beginning }) }
  })

  const keepBeginning = Effect.fn("StorageEngine.keepRootBeginning")(function*(spec: StorageEngine.RootName) {
    return yield* rootBeginnings.keep(yield* inner("root")(spec))
  })

  const renewRoot = Effect.fn("StorageEngine.renewZoneRoot")(function*(spec: StorageEngine.RootName) {
    const dataset = yield* inner("root")(spec)
    const { beginning } = yield* rootBeginnings.ownedRoot(dataset, spec.uid)
    if (beginning !== undefined) yield* rootBeginnings.renew(beginning)
  })

  const listRoots = Effect.fn("StorageEngine.listZoneRoots")(function*(spec: { readonly zone: string; readonly uid: string }) {
    const zone = yield* datasets.named(zones, spec.zone, "zone")
    yield* datasets.owned(zone, spec.uid)
    return [...yield* zfs.getTree(zone, "all", 1)].flatMap(([dataset, properties]): ReadonlyArray<StorageEngine.OwnRoot> => {
      const marks = Marks.read(properties)
      const origin = properties.get("origin")?.value ?? "-"
      const { root } = marks
      return root === undefined || !DatasetName.is(dataset) || !DatasetName.isSnapshot(origin) ? [] : [{ name: root, dataset, origin, properties: marks }]
    })
  })

  const destroyRoot = Effect.fn("StorageEngine.destroyZoneRoot")(function*(spec: StorageEngine.RootName) {
    const dataset = yield* inner("root")(spec)
    const found = yield* Effect.catchTags(datasets.owned(dataset, spec.uid), { DatasetNotFound: () => Effect.succeed(undefined) })
    if (found !== undefined) yield* datasets.destroy(dataset)
  })

  /**
   * Gives a dataset of a zone another mountpoint. The global zone may do that only after it has taken the dataset back, and must not
   * mount it meanwhile at a path that is meant for the zone.
   */
  const withoutMounting = Effect.fnUntraced(function*(dataset: Dataset, mountpoint: string) {
    yield* zfs.set(dataset, "canmount", "noauto")
    yield* zfs.set(dataset, "zoned", "off")
    yield* zfs.set(dataset, "mountpoint", mountpoint)
  })

  const ensureDelegated = Effect.fn("StorageEngine.ensureDelegated")(function*(spec: StorageEngine.DelegatedSpec) {
    if (!/^\/[A-Za-z0-9._/-]*$/.test(spec.mountpoint) || spec.mountpoint.split("/").includes("..")) {
      return yield* new PropertyRejected({ operation: "delegate a dataset to zone", dataset: spec.zone, detail: `${spec.mountpoint} is no absolute path` })
    }
    const dataset = yield* inner("data")(spec)
    const marks = yield* datasets.checkedMarks({ uid: spec.uid, delegated: spec.name }, spec.zone)
    const limits = { quota: limit(spec.quota), reservation: limit(spec.reservation) }
    // Never mounted in the global zone: the path would be one of the zone, and a zone cannot boot with a dataset that is mounted outside.
    yield* made(dataset, undefined, { ...initial(marks, limits), zoned: "on", canmount: "on", mountpoint: spec.mountpoint })
    const found = yield* datasets.owned(dataset, spec.uid)
    const value = (name: string) => found.get(name)?.value
    const changed = value("zoned") !== "on" || value("mountpoint") !== spec.mountpoint
    if (changed) {
      yield* withoutMounting(dataset, spec.mountpoint)
      yield* zfs.set(dataset, "zoned", "on")
    }
    // A crash between these steps leaves it off.
    if (changed || value("canmount") !== "on") yield* zfs.set(dataset, "canmount", "on")
    yield* datasets.update(dataset, spec.uid, found, marks, limits)
    return dataset
  })

  const reclaimDelegated = Effect.fn("StorageEngine.reclaimDelegated")(function*(dataset: Dataset) {
    const marks = Marks.read(yield* datasets.read(dataset))
    if (marks["delegated"] === undefined) {
      yield* new DatasetNotOwned({ operation: "take back dataset", dataset, detail: "it was not delegated by this engine" })
    }
    yield* withoutMounting(dataset, "none")
    yield* zfs.set(dataset, "canmount", "on")
  })

  const destroy = Effect.fn("StorageEngine.destroyZoneDataset")(function*(zone: string) {
    const dataset = yield* datasets.named(zones, zone, "zone")
    // Its mark alone: numbers of a whole pool are not counted for that.
    const found = yield* Effect.catchTags(zfs.get(dataset, [`${Marks.prefix}uid`]), { DatasetNotFound: () => Effect.succeed(undefined) })
    if (found === undefined) return
    if (Marks.read(found)["uid"] === undefined) {
      yield* new DatasetNotOwned({ operation: "destroy dataset", dataset, detail: "it carries no uid" })
    }
    yield* datasets.destroy(dataset)
  })

  const each = <A>(of: (dataset: Dataset, properties: Found) => A | undefined, sources?: ZfsCommands.Sources): Effect.Effect<ReadonlyArray<A>, StorageError> =>
    Effect.map(
      Effect.catchTags(zfs.getTree(zones, "all", 1, sources), { DatasetNotFound: () => Effect.succeed(new Map<never, never>()) }),
      (table) =>
        [...table].flatMap(([name, properties]) => {
          const zone = DatasetName.is(name) && name !== zones ? of(name, properties) : undefined
          return zone === undefined ? [] : [zone]
        })
    )

  const list = each(describe)
  // Marks are set on the dataset, or came with a stream: nothing else is asked for.
  const listOwners = each(ownerOf, ["local", "received"])

  return { ensure, ensureRoot, listRoots, keepBeginning, renewRoot, destroyRoot, ensureDelegated, reclaimDelegated, destroy, list, listOwners }
}
