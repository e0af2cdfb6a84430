/** A layer from a stream of `zfs send`. */
import { DatasetName, type Zfs } from "@reddwarf/storage-zfs"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { existsSync } from "node:fs"
import * as Digest from "../Digest.js"
import { DigestMismatch, type ImageError, InvalidManifest } from "../ImageError.js"
import type { LayerBlob } from "../LayerStore.js"
import { decompressed, PackingDamaged } from "./decompressed.js"
import { type Place, snapshotOf } from "./layerDatasets.js"
import { fromZfs } from "./storageFailure.js"

class SourceFailed extends Data.TaggedError("SourceFailed")<{}> {}

/** Receives into a dataset; the marks are set when everything else is right, in their order. */
export const make = (zfs: Zfs.Zfs["Type"], place: Place) =>
<E>(
  dataset: DatasetName.DatasetName,
  layer: LayerBlob<E>,
  marks: ReadonlyArray<readonly [string, string]>
): Effect.Effect<void, ImageError | E> =>
  Effect.gen(function*(): Effect.fn.Return<void, ImageError | E> {
    const refuse = (reason: string) => new InvalidManifest({ source: "image", what: `stream ${layer.diffId}`, reason })
    yield* place.discard(dataset)
    yield* place.ensureParents
    const hasher = Digest.hasher(Digest.algorithm(layer.diffId))
    const bytes = decompressed(layer.bytes).pipe(
      Stream.tap((piece) => Effect.sync(() => hasher.update(piece))),
      Stream.mapError((error) => error instanceof PackingDamaged ? refuse(`it cannot be unpacked: ${error.message}`) : error)
    )
    // Failures of the source are told apart from those of zfs by the place where they come from.
    const failures: Array<ImageError | E> = []
    const marked = Stream.mapError(bytes, (cause) => {
      failures.push(cause)
      return new SourceFailed()
    })
    yield* Effect.mapError(zfs.receive(dataset, marked), (error): ImageError | E =>
      error._tag === "SourceFailed"
        ? failures[0] ?? refuse("it cannot be read")
        : error._tag === "StreamRejected"
        ? refuse(error.detail)
        : fromZfs("receiving a layer", dataset)(error))
    const actual = hasher.finish()
    if (actual !== layer.diffId) yield* new DigestMismatch({ source: "received layer", expected: layer.diffId, actual })
    const failed = fromZfs("finishing a layer", dataset)
    const entries = yield* Effect.mapError(zfs.list(dataset, { depth: 1 }), failed)
    const snapshots = entries.flatMap(({ createtxg, name }) => DatasetName.isSnapshot(name) ? [{ createtxg, name }] : []).sort((a, b) => b.createtxg - a.createtxg)
    const newest = yield* Effect.mapError(Effect.fromNullable(snapshots[0]), () => refuse("it holds no snapshot"))
    if (newest.name !== snapshotOf(dataset)) yield* Effect.mapError(zfs.rename(newest.name, snapshotOf(dataset)), failed)
    yield* place.ensureMounted(dataset)
    const root = yield* place.rootOf(dataset)
    if (!existsSync(root)) yield* refuse("it has no folder \"root\"")
    for (const [name, value] of marks) yield* Effect.mapError(zfs.set(dataset, name, value), failed)
  })
