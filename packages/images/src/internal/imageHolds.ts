/** Holds on the snapshots of images in use: ZFS itself refuses to destroy them, whoever tries. */
import { DatasetName, type Zfs, type ZfsOutput } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Digest from "../Digest.js"
import type { ImageRecord } from "../Image.js"
import type { ImageError } from "../ImageError.js"
import { snapshotOf } from "./layerDatasets.js"
import { fromZfs } from "./storageFailure.js"

/** Of each image its own: two images may be the same files. */
const tagOf = (image: ImageRecord): string => `reddwarf-${Digest.hex(image.id).slice(0, 32)}`

export const make = (zfs: Zfs.Zfs["Type"], snapshotFor: (image: ImageRecord) => DatasetName.SnapshotName) => {
  const hold = (image: ImageRecord): Effect.Effect<void, ImageError> =>
    zfs.hold(tagOf(image), snapshotFor(image)).pipe(
      Effect.catchTag("HoldExists", () => Effect.void),
      Effect.mapError(fromZfs("holding an image", snapshotFor(image)))
    )
  const release = (image: ImageRecord): Effect.Effect<void, ImageError> =>
    zfs.release(tagOf(image), snapshotFor(image)).pipe(
      Effect.catchTags({ HoldNotFound: () => Effect.void, DatasetNotFound: () => Effect.void }),
      Effect.mapError(fromZfs("giving back an image", snapshotFor(image)))
    )
  return {
    hold,
    release,
    /** Brings holds in line with who uses images. `sibling` is any dataset of a layer, there or not. */
    repair: (sibling: DatasetName.DatasetName, images: ReadonlyArray<ImageRecord>): Effect.Effect<void, ImageError> => {
      const layers = DatasetName.make(sibling.slice(0, sibling.lastIndexOf("/")))
      return zfs.getTree(layers, ["userrefs"], 2).pipe(
        Effect.catchTag("DatasetNotFound", () => Effect.succeed<ZfsOutput.PropertyTable>(new Map())),
        Effect.mapError(fromZfs("looking at holds", layers)),
        Effect.flatMap((table) =>
          Effect.forEach(images, (image) => {
            const snapshot = snapshotFor(image)
            const held = Number(table.get(snapshotOf(DatasetName.make(snapshot.slice(0, snapshot.indexOf("@")))))?.get("userrefs")?.value ?? 0) > 0
            return held === image.users.length > 0 ? Effect.void : held ? release(image) : hold(image)
          }, { discard: true }))
      )
    }
  }
}
