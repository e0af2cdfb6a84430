/** Snapshots of the root of a zone, as it was when a change of it began. */
import * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import * as DatasetName from "../DatasetName.js"
import * as Marks from "../Marks.js"
import { DatasetExists, type StorageError } from "../StorageError.js"
import type { Layout } from "../StorageLayout.js"
import type * as Zfs from "../Zfs.js"
import type * as ZoneRoots from "../ZoneRoots.js"
import type { Datasets } from "./datasets.js"
import type * as zoneRoots from "./zoneRoots.js"

const prefix = "change-"

/** The operations of `StorageEngine` on the snapshots of roots. */
export const make = (
  zfs: Context.Tag.Service<Zfs.Zfs>,
  datasets: Datasets,
  roots: Pick<ReturnType<typeof zoneRoots.make>, "checked" | "observe">,
  { zones }: Layout
) => {
  const take = Effect.fn("StorageEngine.snapshotRoot")(function*(spec: ZoneRoots.RootChange) {
    const { change, uid } = spec
    yield* roots.checked(change)
    const { active } = yield* roots.observe(spec)
    // What there is now is the change already: what was before it cannot be seen any more.
    if (active === undefined || active.change === change) return
    const name = DatasetName.snapshot(active.dataset, `${prefix}${change}`)
    const marks = yield* datasets.checkedMarks({ uid, change }, spec.zone)
    yield* Effect.catchTags(zfs.snapshot(name, { properties: Marks.toProperties(marks) }), {
      DatasetExists: () =>
        Effect.flatMap(zfs.get(name, "all"), (properties) => {
          const found = Marks.read(properties)
          return found["change"] === change && found["uid"] === uid ? Effect.void : Effect.fail(
            new DatasetExists({ operation: "take snapshot", dataset: name, detail: "it does not carry the mark of this change" })
          )
        })
    })
  })

  const drop = Effect.fn("StorageEngine.dropRootSnapshots")(function*(spec: ZoneRoots.RootSnapshots) {
    const zone = yield* datasets.named(zones, spec.zone, "zone")
    yield* datasets.owned(zone, spec.uid)
    // Of whatever root: those put aside have taken theirs with them.
    const entries = yield* zfs.list(zone, { depth: 2, types: ["snapshot"] })
    const doomed = entries.flatMap(({ name }) =>
      DatasetName.isSnapshot(name) && name.includes(`@${prefix}`) && (spec.keep === undefined || !name.endsWith(`@${prefix}${spec.keep}`)) ? [name] : [])
    yield* Effect.forEach(doomed, (name): Effect.Effect<void, StorageError> =>
      Effect.catchTags(zfs.destroy(name), { DatasetNotFound: () => Effect.void }), { discard: true })
  })

  return { take, drop }
}
