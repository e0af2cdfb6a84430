/** What a root of a zone begins with: a snapshot of it, taken before anything ran in it. */
import * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import * as DatasetName from "../DatasetName.js"
import * as Marks from "../Marks.js"
import { DatasetNotOwned, PropertyRejected, type StorageError } from "../StorageError.js"
import type * as Zfs from "../Zfs.js"
import type { Found } from "./datasets.js"

type Dataset = DatasetName.DatasetName
type Snapshot = DatasetName.SnapshotName

const nameOf = (dataset: Dataset): string => `${dataset}@beginning`

/** The operations on the roots of one host. */
export const make = (zfs: Context.Tag.Service<Zfs.Zfs>) => {
  /** The properties of a root that carries this uid, and what it begins with, if that is kept: one command for both. */
  const ownedRoot = (
    dataset: Dataset,
    uid: string
  ): Effect.Effect<{ readonly found: Found; readonly beginning: Snapshot | undefined }, StorageError> =>
    Effect.flatMap(zfs.getTree(dataset, "all", 1), (table) => {
      const found: Found = table.get(dataset) ?? new Map()
      const owner = Marks.read(found)["uid"]
      if (owner === uid) {
        const beginning = nameOf(dataset)
        return Effect.succeed({ found, beginning: DatasetName.isSnapshot(beginning) && table.has(beginning) ? beginning : undefined })
      }
      const detail = owner === undefined ? "it carries no uid" : `it belongs to ${owner}, not to ${uid}`
      return Effect.fail(new DatasetNotOwned({ operation: "use dataset", dataset, detail }))
    })

  const keep = (dataset: Dataset): Effect.Effect<Snapshot, StorageError> => {
    const beginning = nameOf(dataset)
    return DatasetName.isSnapshot(beginning)
      ? zfs.snapshot(beginning).pipe(Effect.catchTags({ DatasetExists: () => Effect.void }), Effect.as(beginning))
      : Effect.fail(new PropertyRejected({ operation: "keep the beginning of", dataset, detail: `${beginning} is not a snapshot name` }))
  }

  /** Killed between the two, the root is fresh, and is made so again. */
  const renew = (beginning: Snapshot): Effect.Effect<void, StorageError> =>
    Effect.zipRight(
      // Whoever else took snapshots of it meanwhile took them of what is to go.
      zfs.rollback(beginning, { destroyNewer: true }),
      Effect.catchTags(zfs.destroy(beginning), { DatasetNotFound: () => Effect.void })
    )

  return { ownedRoot, keep, renew }
}
