/** Makes room where images are kept, and puts right what a crash left. */
import { DatasetName, type Zfs } from "@reddwarf/storage-zfs"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { BlobStore } from "../BlobStore.js"
import * as ChainId from "../ChainId.js"
import * as GarbagePolicy from "../GarbagePolicy.js"
import type { ImageRecord } from "../Image.js"
import type { ImageError } from "../ImageError.js"
import type { ImageStore, Options } from "../ImageStore.js"
import type { LayerStore } from "../LayerStore.js"
import type * as imageHolds from "./imageHolds.js"
import type { ImageLedger } from "./imageLedger.js"
import * as imageRemoval from "./imageRemoval.js"
import { datasetOf } from "./layerDatasets.js"
import { fromZfs } from "./storageFailure.js"

interface Parts {
  readonly options: Options
  readonly layers: Context.Tag.Service<LayerStore>
  readonly blobs: Context.Tag.Service<BlobStore>
  readonly zfs: Context.Tag.Service<Zfs.Zfs>
  readonly ledger: ImageLedger
  readonly removal: imageRemoval.Removal
  readonly holds: ReturnType<typeof imageHolds.make>
}

export interface ImageCleaning extends Pick<ImageStore["Type"], "collect" | "prune"> {
  /** For whoever has the turn when the store is opened. */
  readonly recover: Effect.Effect<void, ImageError>
}

export const make = ({ blobs, holds, layers, ledger, options, removal, zfs }: Parts): ImageCleaning => ({
  collect: (policy = GarbagePolicy.defaultPolicy) =>
    Effect.gen(function*() {
      const space = yield* Effect.mapError(zfs.pool(DatasetName.poolOf(options.images)), fromZfs("reading the space of the pool", options.images))
      const now = yield* Clock.currentTimeMillis
      const choose = (images: ReadonlyArray<ImageRecord>) => GarbagePolicy.candidates(policy, images, now)
      return yield* imageRemoval.removeUntil(removal, ledger, choose, GarbagePolicy.excess(policy, space))
    }),

  prune: ({ all = false, minAge = 0 } = {}) =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const choose = (images: ReadonlyArray<ImageRecord>) =>
        GarbagePolicy.candidates({ minAge }, images, now).filter(({ references }) => all || references.length === 0)
      const collected = yield* imageRemoval.removeUntil(removal, ledger, choose, Number.POSITIVE_INFINITY)
      if (all && options.keepBlobs !== true) {
        for (const { digest } of yield* blobs.list) yield* blobs.remove(digest)
      }
      const orphans = yield* ledger.change((images) => Effect.map(removal.orphans(images), (freed) => [freed, images] as const))
      return { ...collected, freed: collected.freed + orphans }
    }),

  recover: Effect.gen(function*() {
    const half = yield* layers.recover
    if (half.length > 0) yield* Effect.logInfo("half done layers of images were removed").pipe(Effect.annotateLogs("datasets", half.join(" ")))
    const stored = new Set((yield* layers.list).map(({ chainId }) => chainId))
    yield* ledger.change((images) =>
      Effect.gen(function*() {
        const there = images.filter(({ chainId }) => stored.has(chainId))
        for (const { id } of images.filter(({ chainId }) => !stored.has(chainId))) {
          yield* Effect.logWarning("an image is forgotten because its layers are gone").pipe(Effect.annotateLogs("image", id))
        }
        yield* removal.orphans(there)
        yield* holds.repair(datasetOf(options.images, ChainId.empty), there)
        return [undefined, there.length === images.length ? images : there] as const
      }))
  })
})
