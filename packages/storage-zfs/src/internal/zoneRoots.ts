/** Staging, swapping and dropping the roots of a zone. */
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import * as DatasetName from "../DatasetName.js"
import * as Marks from "../Marks.js"
import { DatasetExists, DatasetNotFound, PropertyRejected, type StorageError } from "../StorageError.js"
import type { Layout } from "../StorageLayout.js"
import type * as Zfs from "../Zfs.js"
import type * as ZoneRoots from "../ZoneRoots.js"
import { busySchedule, type Datasets, type Found, initial } from "./datasets.js"

type Dataset = DatasetName.DatasetName

/** The last component of a zonepath; `ZoneDataset.zonepath` ends with it. */
const activeName = "zone"
const stagedPrefix = "stage-"
const previousPrefix = "prev-"

const changePattern = /^[A-Za-z0-9][A-Za-z0-9-]{7,63}$/
const short = (change: string): string => change.slice(0, 8)

const last = (dataset: string): string => dataset.slice(dataset.lastIndexOf("/") + 1)

const rootOf = (dataset: Dataset, properties: Found): ZoneRoots.ZoneRoot => {
  const marks = Marks.read(properties)
  const origin = properties.get("origin")?.value ?? "-"
  const change = marks["change"]
  return {
    dataset,
    mountpoint: properties.get("mountpoint")?.value ?? "-",
    ...(DatasetName.isSnapshot(origin) ? { origin } : {}),
    ...(change === undefined ? {} : { change })
  }
}

/** The operations of `StorageEngine` on the roots of zones. */
export const make = (
  zfs: Context.Tag.Service<Zfs.Zfs>,
  runner: CommandRunner.CommandRunner["Type"],
  datasets: Datasets,
  { zones }: Layout
) => {
  const checked = (...changes: ReadonlyArray<string>): Effect.Effect<void, PropertyRejected> => {
    const bad = changes.find((change) => !changePattern.test(change))
    return bad === undefined ? Effect.void : Effect.fail(
      new PropertyRejected({ operation: "name a change of the root", dataset: bad, detail: "it must be 8 to 64 letters, digits and dashes" })
    )
  }

  const zoneOf = (spec: { readonly zone: string; readonly uid: string }) =>
    Effect.tap(datasets.named(zones, spec.zone, "zone"), (zone) => datasets.owned(zone, spec.uid))

  /** Busy for a moment is what a dataset of a zone that has just halted is. */
  const patiently = <A>(effect: Effect.Effect<A, StorageError>): Effect.Effect<A, StorageError> =>
    Effect.retry(effect, { schedule: busySchedule, while: (error) => error._tag === "DatasetBusy" })

  /** A rename of what is mounted takes it off its place and puts it on another in one go, which is more that can be in use. */
  const renamed = (from: Dataset, to: Dataset): Effect.Effect<void, StorageError> =>
    patiently(zfs.unmount(from)).pipe(
      Effect.catchIf((error) => error.message.includes("not currently mounted"), () => Effect.void),
      Effect.zipRight(patiently(zfs.rename(from, to)))
    )

  const versions = (zone: Dataset): Effect.Effect<ZoneRoots.ZoneRootVersions, StorageError> =>
    Effect.map(zfs.getTree(zone, "all", 1), (table) => {
      const roots = [...table].flatMap(([name, properties]) => DatasetName.is(name) && name !== zone ? [[name, properties] as const] : [])
      // In the order in which they were put aside: a rename does not change when a dataset was made.
      const aside = (properties: Found) => Number(Marks.read(properties)["aside"] ?? 0)
      const named = (prefix: string) =>
        new Map(roots.filter(([name]) => last(name).startsWith(prefix)).toSorted(([, a], [, b]) => aside(a) - aside(b))
          .map(([name, properties]) => [last(name).slice(prefix.length), rootOf(name, properties)]))
      const active = roots.find(([name]) => last(name) === activeName)
      return {
        active: active === undefined ? undefined : rootOf(...active),
        staged: named(stagedPrefix),
        previous: named(previousPrefix)
      }
    })

  const observe = Effect.fn("StorageEngine.observeRoot")(function*(spec: { readonly zone: string; readonly uid: string }) {
    return yield* versions(yield* zoneOf(spec))
  })

  const stage = Effect.fn("StorageEngine.stageRoot")(function*(spec: ZoneRoots.StageSpec) {
    yield* checked(spec.change)
    const zone = yield* zoneOf(spec)
    const before = yield* versions(zone)
    // Taken already: there is nothing to make ready any more.
    if (before.active?.change === spec.change) return before.active
    const dataset = DatasetName.child(zone, `${stagedPrefix}${short(spec.change)}`)
    const marks = yield* datasets.checkedMarks({ uid: spec.uid, change: spec.change }, spec.zone)
    yield* datasets.makeIfMissing(dataset, zfs.clone(spec.origin, dataset, initial(marks, {})))
    const properties = yield* datasets.owned(dataset, spec.uid)
    const root = rootOf(dataset, properties)
    if (root.origin !== spec.origin) {
      return yield* new DatasetExists({ operation: `clone ${spec.origin} to`, dataset, detail: `it is a clone of ${root.origin ?? "nothing"}` })
    }
    // A swap that was cut off between taking it off its place and renaming it left it without one.
    if (properties.get("mounted")?.value !== "yes") yield* datasets.ensureMounted(dataset)
    // A zonepath that others may read keeps its zone from booting.
    const mode = yield* runner.run({ program: "/usr/bin/chmod", args: ["0700", root.mountpoint] })
    if (mode.exitCode !== 0) {
      return yield* new PropertyRejected({ operation: "close to others the folder of", dataset, detail: mode.stderr.trim() })
    }
    return root
  })

  const swap = Effect.fn("StorageEngine.swapRoot")(function*(spec: ZoneRoots.SwapSpec) {
    yield* checked(spec.change, ...(spec.restore === undefined ? [] : [spec.restore]))
    const zone = yield* zoneOf(spec)
    const before = yield* versions(zone)
    if (before.active?.change === spec.change) {
      // Renamed, and perhaps cut off before it was mounted.
      yield* datasets.ensureMounted(before.active.dataset)
      return before.active
    }
    const candidate = spec.restore === undefined ? before.staged.get(short(spec.change)) : before.previous.get(short(spec.restore))
    if (candidate === undefined) {
      const name = `${spec.restore === undefined ? stagedPrefix : previousPrefix}${short(spec.restore ?? spec.change)}`
      return yield* new DatasetNotFound({ operation: "take as root", dataset: `${zone}/${name}`, detail: "it was not made ready, or is gone" })
    }
    // The mark goes on first: it is what says, after both renames, that they have been done for this change.
    if (candidate.change !== spec.change) yield* zfs.set(candidate.dataset, `${Marks.prefix}change`, spec.change)
    const active = DatasetName.child(zone, activeName)
    if (before.active !== undefined) {
      const newest = Math.max(0, ...(yield* asideOf(zone)))
      yield* zfs.set(active, `${Marks.prefix}aside`, String(newest + 1))
      yield* zfs.set(active, `${Marks.prefix}uid`, spec.uid)
      yield* renamed(active, DatasetName.child(zone, `${previousPrefix}${short(spec.change)}`))
    }
    yield* renamed(candidate.dataset, active)
    yield* datasets.ensureMounted(active)
    return rootOf(active, yield* datasets.read(active))
  })

  const asideOf = (zone: Dataset): Effect.Effect<ReadonlyArray<number>, StorageError> =>
    Effect.map(zfs.getTree(zone, [`${Marks.prefix}aside`], 1), (table) =>
      [...table.values()].map((properties) => Number(Marks.read(properties)["aside"] ?? 0)))

  const drop = Effect.fn("StorageEngine.dropRoots")(function*(spec: ZoneRoots.KeepSpec) {
    const zone = yield* zoneOf(spec)
    const { active, previous, staged } = yield* versions(zone)
    // Without a root in use, one of the others is what it will be: first that has to be put right.
    if (active === undefined) return
    const kept = spec.staged === undefined ? undefined : short(spec.staged)
    const doomed = [
      ...[...staged].flatMap(([name, root]) => name === kept ? [] : [root]),
      ...[...previous.values()].slice(0, Math.max(0, previous.size - spec.previous))
    ]
    yield* Effect.forEach(doomed, ({ dataset }) => Effect.zipRight(datasets.owned(dataset, spec.uid), datasets.destroy(dataset)), { discard: true })
  })

  return { checked, observe, stage, swap, drop }
}
