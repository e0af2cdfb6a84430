/** An image of this host: what it is called, what it is, where its root is. */
import type { DatasetName } from "@reddwarf/storage-zfs"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.js"
import * as ImageConfig from "./ImageConfig.js"
import * as Platform from "./Platform.js"

/** How an image came here. @category schemas */
export const Origin = Schema.Literal("registry", "import", "archive", "zone")

/** @category models */
export type Origin = typeof Origin.Type

/** What is remembered of an image. @category schemas */
export const ImageRecord = Schema.Struct({
  /** Digest of the config: the image id. */
  id: Digest.Digest,
  /** Names with tags, complete: `docker.io/library/nginx:1.27`. */
  references: Schema.Array(Schema.String),
  /** Names with digests: `docker.io/library/nginx@sha256:…`. */
  digests: Schema.Array(Schema.String),
  config: ImageConfig.ImageConfig,
  /** All layers together. */
  chainId: Digest.Digest,
  /** The zone brand it is for; absent when its platform alone decides. */
  brand: Schema.optional(Schema.String),
  origin: Origin,
  /** Bytes as it was transferred. */
  packedSize: Schema.Number,
  /** Bytes of its files. */
  size: Schema.Number,
  /** Milliseconds since the epoch. */
  pulledAt: Schema.Number,
  /** When it was last asked for or given back; milliseconds since the epoch. */
  usedAt: Schema.Number,
  /** Who has it in use, such as the uid of a pod. */
  users: Schema.Array(Schema.String)
})

/** @category models */
export type ImageRecord = typeof ImageRecord.Type

/** An image as callers see it. @category models */
export type Image = ImageRecord & {
  readonly platform: Platform.Platform
  /** What to clone for a root: the files are in the folder `root` of the clone. */
  readonly snapshot: DatasetName.SnapshotName
}

/** Whether a host that wants these platforms, and perhaps a brand, can run the image. @category combinators */
export const fits = (image: ImageRecord, wanted: Platform.Wanted): boolean =>
  (image.config.os === "" && image.config.architecture === "") ||
  Platform.select(wanted, [{
    platform: Platform.normalise(image.config),
    annotations: image.brand === undefined ? undefined : { [Platform.brandAnnotation]: image.brand }
  }]) !== undefined

/** The name for people: the first tag, else the first name with a digest, else the beginning of the id. @category combinators */
export const nameOf = (image: ImageRecord): string => image.references[0] ?? image.digests[0] ?? Digest.short(image.id)
