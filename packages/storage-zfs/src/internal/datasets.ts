/** What zones and volumes have in common: datasets that are made once, marked, brought up to date, and destroyed with patience. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Context from "effect/Context"
import * as DatasetName from "../DatasetName.js"
import * as Marks from "../Marks.js"
import { DatasetNotOwned, PropertyRejected, type StorageError } from "../StorageError.js"
import type * as Zfs from "../Zfs.js"
import type { PropertyValue } from "../ZfsOutput.js"

type Service = Context.Tag.Service<Zfs.Zfs>
type Dataset = DatasetName.DatasetName
/** Properties of one dataset. */
export type Found = ReadonlyMap<string, PropertyValue>

/** 250 ms, doubling to at most 4 s, for about 30 s altogether: what keeps a dataset busy after a halt or an unmount is mostly gone by then. */
export const busySchedule = Schedule.exponential("250 millis").pipe(
  Schedule.either(Schedule.spaced("4 seconds")),
  Schedule.intersect(Schedule.elapsed.pipe(Schedule.whileOutput((spent) => Duration.lessThan(spent, "30 seconds"))))
)

/** Bytes; 0 where the number is not set and the system has no number for that. */
export const numberOf = (properties: Found, name: string): number => {
  const value = properties.get(name)?.value ?? ""
  return /^\d+$/.test(value) ? Number(value) : 0
}

/** The operations on the datasets of one host. */
export const make = (zfs: Service) => {
  /** The dataset for a name given by others. */
  const named = (parent: Dataset, name: string, what: string): Effect.Effect<Dataset, PropertyRejected> => {
    const full = `${parent}/${name}`
    return DatasetName.is(full) && !name.includes("/")
      ? Effect.succeed(full)
      : Effect.fail(new PropertyRejected({ operation: `name the dataset of ${what}`, dataset: name, detail: `${full} is not a dataset name` }))
  }

  const ensureMounted = (dataset: Dataset): Effect.Effect<void, StorageError> =>
    zfs.mount(dataset).pipe(
      // A dataset made in a busy moment is there but not mounted, and can be mounted a little later.
      Effect.retry({ schedule: busySchedule, while: (error) => error._tag === "DatasetBusy" }),
      Effect.catchIf((error) => error.message.includes("already mounted"), () => Effect.void)
    )

  /** Makes what is missing. Somebody else may make it between the look and the command. */
  const makeIfMissing = (dataset: Dataset, create: Effect.Effect<void, StorageError>): Effect.Effect<void, StorageError> =>
    Effect.catchTags(zfs.get(dataset, ["type"]), {
      DatasetNotFound: () =>
        Effect.catchTags(create, {
          DatasetExists: () => Effect.void,
          DatasetNotMounted: () => ensureMounted(dataset)
        })
    }).pipe(Effect.asVoid)

  const read = (dataset: Dataset): Effect.Effect<Found, StorageError> => zfs.get(dataset, "all")

  /** The properties of a dataset that carries this uid: all of them, or those that are named. */
  const owned = (dataset: Dataset, uid: string, names?: ReadonlyArray<string>): Effect.Effect<Found, StorageError> =>
    Effect.flatMap(names === undefined ? read(dataset) : zfs.get(dataset, names), (properties) => {
      const found = Marks.read(properties)["uid"]
      if (found === uid) return Effect.succeed(properties)
      const detail = found === undefined ? "it carries no uid" : `it belongs to ${found}, not to ${uid}`
      return Effect.fail(new DatasetNotOwned({ operation: "use dataset", dataset, detail }))
    })

  /** Sets what differs: marks, and limits by property (0 is none). Gives the properties afterwards: all, or those that are named. */
  const update = (
    dataset: Dataset,
    uid: string,
    found: Found,
    marks: Marks.Marks,
    limits: Readonly<Record<string, number>>,
    names?: ReadonlyArray<string>
  ): Effect.Effect<Found, StorageError> => {
    const before = Marks.read(found)
    const changes = [
      ...Object.entries(marks).flatMap(([name, value]) => before[name] === value ? [] : [[`${Marks.prefix}${name}`, value] as const]),
      ...Object.entries(limits).flatMap(([name, value]) =>
        numberOf(found, name) === value ? [] : [[name, value === 0 ? "none" : String(value)] as const])
    ]
    return changes.length === 0
      ? Effect.succeed(found)
      : Effect.zipRight(Effect.forEach(changes, ([name, value]) => zfs.set(dataset, name, value), { discard: true }), owned(dataset, uid, names))
  }

  /** Destroys a dataset with all it contains: patiently while it is busy, by force at last. */
  const destroy = (dataset: Dataset): Effect.Effect<void, StorageError> =>
    zfs.destroy(dataset, { recursive: true }).pipe(
      Effect.retry({ schedule: busySchedule, while: (error) => error._tag === "DatasetBusy" }),
      Effect.catchTags({
        DatasetBusy: () => zfs.destroy(dataset, { recursive: true, force: true })
      }),
      Effect.catchTags({ DatasetNotFound: () => Effect.void })
    )

  const checkedMarks = (marks: Marks.Marks, what: string): Effect.Effect<Marks.Marks, PropertyRejected> => {
    const detail = Marks.problem(marks)
    return detail === undefined
      ? Effect.succeed(marks)
      : Effect.fail(new PropertyRejected({ operation: "mark the dataset of", dataset: what, detail }))
  }

  return { named, ensureMounted, makeIfMissing, read, owned, update, destroy, checkedMarks }
}

/** The operations on the datasets of one host. */
export type Datasets = ReturnType<typeof make>

/** The limit as ZFS takes it: whole bytes, 0 for none. */
export const limit = (bytes: number | undefined): number => bytes === undefined ? 0 : Math.ceil(bytes)

/** Properties for `create`: marks, and limits that are set. */
export const initial = (marks: Marks.Marks, limits: Readonly<Record<string, number>>): Readonly<Record<string, string>> => ({
  ...Marks.toProperties(marks),
  ...Object.fromEntries(Object.entries(limits).flatMap(([name, value]) => value === 0 ? [] : [[name, String(value)] as const]))
})
