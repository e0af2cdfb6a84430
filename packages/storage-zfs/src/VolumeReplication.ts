/** Brings a volume from one engine to another: whole the first time, then only what changed, and on from where it was cut. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as StorageEngine from "./StorageEngine.js"
import { DatasetNotFound, type StorageError } from "./StorageError.js"

type Engine = Context.Tag.Service<StorageEngine.StorageEngine>

/** What is to be where. @category models */
export interface Options {
  readonly source: Engine
  readonly target: Engine
  /** Name of the volume on both sides. */
  readonly volume: string
  /** Name of the snapshot; it must exist at the source. */
  readonly snapshot: string
  /** Uid of the owner at the target. */
  readonly owner: string
  /** Take the stream although the volume at the target was changed since; the changes are lost. */
  readonly discardChanges?: boolean
}

/** How it was done. @category models */
export type Outcome = "present" | "full" | "incremental" | "resumed"

const shortName = (snapshot: string): string => snapshot.slice(snapshot.indexOf("@") + 1)

const begin = Effect.fnUntraced(function*({ owner, snapshot, source, target, volume }: Options, guid: string) {
  const arrival = yield* target.arrival(volume)
  if (arrival !== undefined) {
    if (arrival.snapshots.some((found) => found.guid === guid)) {
      yield* target.finishArrival(volume, owner)
      return "resumed" as const
    }
    if (arrival.token !== undefined) {
      const resumed = yield* Effect.either(target.receiveVolume({ name: volume, owner }, source.resumeStream(arrival.token)))
      const now = yield* target.volumeSnapshots(volume).pipe(Effect.catchTags({ DatasetNotFound: () => Effect.succeed([]) }))
      if (resumed._tag === "Right" && now.some((found) => found.guid === guid)) return "resumed" as const
      // Cut once more: what has arrived stays for the next attempt. A part of another snapshot is of no use.
      if (resumed._tag === "Left" && (yield* target.arrival(volume))?.token !== arrival.token) return yield* resumed.left
    }
    if ((yield* target.arrival(volume)) !== undefined) yield* target.discardArrival(volume)
  }
  yield* target.receiveVolume({ name: volume, owner }, source.sendVolume(volume, snapshot))
  return "full" as const
})

/**
 * Makes the snapshot exist at the target. When it was cut, calling it again goes on from there, on systems that keep the part that
 * arrived, and else begins anew. `DatasetNotFound` when the source has no such snapshot, `StreamRejected` when the target has nothing in
 * common with it or was changed.
 *
 * @category combinators
 */
export const replicate: (options: Options) => Effect.Effect<Outcome, StorageError> = Effect.fn("VolumeReplication.replicate")(
  function*(options: Options) {
    const { owner, snapshot, source, target, volume } = options
    const here = yield* source.volumeSnapshots(volume)
    const wanted = here.find((found) => shortName(found.name) === snapshot)
    if (wanted === undefined) {
      return yield* new DatasetNotFound({ operation: "replicate", dataset: `${volume}@${snapshot}`, detail: "the source has no such snapshot" })
    }
    const there = yield* Effect.catchTags(target.volumeSnapshots(volume), { DatasetNotFound: () => Effect.succeed(undefined) })
    if (there === undefined) return yield* begin(options, wanted.guid)
    if (there.some((found) => found.guid === wanted.guid)) return "present"
    const guids = new Set(there.map((found) => found.guid))
    const base = here.findLast((found) => found.createtxg < wanted.createtxg && guids.has(found.guid))
    const stream = base === undefined
      ? source.sendVolume(volume, snapshot)
      : source.sendVolume(volume, snapshot, { from: shortName(base.name) })
    yield* target.receiveVolume({ name: volume, owner, discardChanges: options.discardChanges }, stream)
    return base === undefined ? "full" : "incremental"
  }
)
