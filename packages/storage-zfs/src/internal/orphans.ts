/** Datasets that nobody needs any more, as far as can be told: found and reported, never removed by themselves. */
import * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import * as DatasetName from "../DatasetName.js"
import * as Marks from "../Marks.js"
import type * as StorageEngine from "../StorageEngine.js"
import { DatasetNotOwned, type StorageError } from "../StorageError.js"
import type { Layout } from "../StorageLayout.js"
import type * as Zfs from "../Zfs.js"
import { type Datasets, type Found, numberOf } from "./datasets.js"
import { incomingPrefix } from "./volumes.js"

type Dataset = DatasetName.DatasetName

/** The operations of `StorageEngine` on orphans. */
export const make = (zfs: Context.Tag.Service<Zfs.Zfs>, datasets: Datasets, layout: Layout) => {
  const below = (parent: Dataset) =>
    Effect.map(
      Effect.catchTags(zfs.getTree(parent, "all", 1), { DatasetNotFound: () => Effect.succeed(new Map<string, Found>()) }),
      (table) => [...table].flatMap(([name, found]) => DatasetName.is(name) && name !== parent ? [[name, found] as const] : [])
    )

  const judge = (
    kind: StorageEngine.Orphan["kind"],
    dataset: Dataset,
    found: Found,
    owners: ReadonlySet<string>
  ): ReadonlyArray<StorageEngine.Orphan> => {
    const { uid } = Marks.read(found)
    const used = numberOf(found, "used")
    const orphan = (reason: string, ours: boolean): ReadonlyArray<StorageEngine.Orphan> => [
      { kind, dataset, used, reason, removable: ours, ...(uid === undefined ? {} : { uid }) }
    ]
    if (kind === "volume" && dataset.slice(layout.volumes.length + 1).startsWith(incomingPrefix)) {
      return orphan("a transfer of a volume that did not end", true)
    }
    if (uid === undefined) return orphan("it carries no uid: somebody else has made it here", false)
    return owners.has(uid) ? [] : orphan(`it belongs to ${uid}, which is not known any more`, true)
  }

  const find = (owners: ReadonlySet<string>): Effect.Effect<ReadonlyArray<StorageEngine.Orphan>, StorageError> =>
    Effect.map(Effect.all([below(layout.zones), below(layout.volumes)]), ([zones, volumes]) => [
      ...zones.flatMap(([dataset, found]) => judge("zone", dataset, found, owners)),
      ...volumes.flatMap(([dataset, found]) => judge("volume", dataset, found, owners))
    ])

  /** Looks again before it destroys: the name may have passed to another owner since. */
  const remove = Effect.fn("StorageEngine.removeOrphan")(function*(orphan: StorageEngine.Orphan) {
    const { dataset } = orphan
    const refuse = (detail: string) => new DatasetNotOwned({ operation: "remove dataset", dataset, detail })
    const parent = orphan.kind === "zone" ? layout.zones : layout.volumes
    if (!dataset.startsWith(`${parent}/`)) yield* refuse(`it does not lie below ${parent}`)
    const found = yield* Effect.catchTags(datasets.read(dataset), { DatasetNotFound: () => Effect.succeed(undefined) })
    if (found === undefined) return
    if (!orphan.removable) yield* refuse(orphan.reason)
    const { uid } = Marks.read(found)
    if (uid !== orphan.uid) yield* refuse(`it belongs to ${uid ?? "nobody"} now`)
    yield* datasets.destroy(dataset)
  })

  return { find, remove }
}
