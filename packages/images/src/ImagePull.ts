/**
 * Brings an image from a source into the content store: manifest, then config, then layers.
 *
 * What is here already is not fetched again; what was begun is continued. Which image of an index is taken follows from what the zone
 * can run.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as BlobSource from "./BlobSource.js"
import { BlobStore } from "./BlobStore.js"
import type { Digest } from "./Digest.js"
import * as ImageConfig from "./ImageConfig.js"
import { type ImageError, InvalidManifest, SizeMismatch, UnsupportedMedia, UnsupportedPlatform } from "./ImageError.js"
import type { Descriptor, ImageManifest, ManifestDocument } from "./ImageManifest.js"
import * as MediaType from "./MediaType.js"
import * as Platform from "./Platform.js"
import { PullEvent } from "./PullEvent.js"

/** What is pulled, and how. @category models */
export interface Options {
  /** The name as the user wrote it, for events and messages. */
  readonly image: string
  readonly wanted: Platform.Wanted
  /** Told on the way; its failures and delays are the pull's. */
  readonly onEvent?: (event: PullEvent) => Effect.Effect<void>
  /** Blobs of this image that are fetched at the same time: 3 unless given. */
  readonly concurrency?: number
  /** The most that all blobs together may have, in bytes, as they are packed: 64 GiB unless given. */
  readonly maxImageBytes?: number
  /** When somebody began to wait for this pull, in milliseconds of the clock: now unless given. */
  readonly since?: number
}

/** A layer of an image. @category models */
export interface Layer {
  /** The blob, as it is packed. */
  readonly blob: Descriptor
  /** Digest of the unpacked archive. */
  readonly diffId: Digest
}

/** An image whose name has been looked up, nothing but its manifest and config fetched. @category models */
export interface ResolvedImage {
  /** Digest of what the name stands for: an index or a manifest. The one in `name@digest`. */
  readonly digest: Digest
  /** Digest of the config: what Docker shows as the image id. */
  readonly id: Digest
  readonly root: ManifestDocument
  readonly document: ManifestDocument
  readonly manifest: ImageManifest
  readonly config: ImageConfig.ImageConfig
  readonly platform: Platform.Platform
  /** Lowest first. */
  readonly layers: ReadonlyArray<Layer>
  /** Of config and layers, as they are packed, in bytes. */
  readonly size: number
}

const maxIndexDepth = 3
const maxConfigBytes = 8 * 1024 * 1024
/** An index lists proofs of origin as images for this system. */
const noSystem = "unknown"

const unsupported = (options: Options, available: ReadonlyArray<Platform.Platform | undefined>) =>
  new UnsupportedPlatform({
    reference: options.image,
    wanted: options.wanted.platforms.map(Platform.format),
    ...(options.wanted.brand === undefined ? {} : { brand: options.wanted.brand }),
    available: [...new Set(available.flatMap((platform) => (platform === undefined || platform.os === noSystem ? [] : [Platform.format(platform)])))]
  })

/** The manifest for the wanted platform, through any indexes. */
const choose = (
  source: BlobSource.ImageSource,
  document: ManifestDocument,
  options: Options,
  depth = 0
): Effect.Effect<ManifestDocument & { readonly kind: "manifest" }, ImageError> =>
  Effect.gen(function*() {
    if (document.kind === "manifest") return document
    const images = document.index.manifests.filter(({ mediaType }) => MediaType.isIndex(mediaType) || MediaType.isManifest(mediaType))
    const described = Platform.select(options.wanted, images)
    // An entry that does not say what it is for can only be the one if it is the only one; its config will tell.
    const chosen = described ?? (images.length === 1 && images[0]?.platform === undefined ? images[0] : undefined)
    if (chosen === undefined) return yield* unsupported(options, images.map(({ platform }) => platform))
    if (depth >= maxIndexDepth) {
      return yield* new InvalidManifest({ source: source.name, what: `index ${document.digest}`, reason: `it is nested more than ${maxIndexDepth} levels deep` })
    }
    return yield* choose(source, yield* source.document(chosen), options, depth + 1)
  })

const checkPlatform = (options: Options, config: ImageConfig.ImageConfig): Effect.Effect<void, UnsupportedPlatform> => {
  const brand = config.process.labels[Platform.brandAnnotation]
  // Early tools wrote configs without a platform: nothing speaks against those.
  const silent = config.os === "" && config.architecture === ""
  const found = Platform.select(options.wanted, [{ platform: config, annotations: brand === undefined ? undefined : { [Platform.brandAnnotation]: brand } }])
  return silent || found !== undefined ? Effect.void : unsupported(options, [config])
}

const layersOf = (source: string, manifest: ImageManifest, config: ImageConfig.ImageConfig): Effect.Effect<ReadonlyArray<Layer>, ImageError> =>
  Effect.gen(function*() {
    const { diffIds } = config.rootfs
    if (diffIds.length !== manifest.layers.length) {
      return yield* new InvalidManifest({
        source,
        what: "image",
        reason: `its manifest has ${manifest.layers.length} layers, its config ${diffIds.length}`
      })
    }
    return yield* Effect.forEach(manifest.layers, (blob, index) => {
      const diffId = diffIds[index]
      return diffId === undefined || MediaType.layerCompression(blob.mediaType) === undefined
        ? new UnsupportedMedia({ source, media: `layer of type ${blob.mediaType}`, advice: "build the image with tar layers, plain or packed by gzip or zstd, and not encrypted" })
        : Effect.succeed({ blob, diffId })
    })
  })

/** Looks up what a source has for a platform. Fetches nothing but manifests and the config, and keeps the config. @category combinators */
export const resolve = (source: BlobSource.ImageSource, options: Options): Effect.Effect<ResolvedImage, ImageError, BlobStore> =>
  Effect.gen(function*() {
    const store = yield* BlobStore
    const root = yield* source.root
    const document = yield* choose(source, root, options)
    const { manifest } = document
    yield* store.fetch(manifest.config, source)
    const config = yield* Effect.flatMap(BlobSource.readAll(store.source, manifest.config, maxConfigBytes), (bytes) => ImageConfig.decode(bytes, source.name))
    yield* checkPlatform(options, config)
    const layers = yield* layersOf(source.name, manifest, config)
    const size = layers.reduce((sum, { blob }) => sum + blob.size, manifest.config.size)
    const limit = options.maxImageBytes ?? 64 * 1024 ** 3
    if (size > limit) {
      return yield* new SizeMismatch({ source: source.name, what: "image", detail: `its ${size} bytes are more than the ${limit} allowed` })
    }
    return { digest: root.digest, id: manifest.config.digest, root, document, manifest, config, platform: Platform.normalise(config), layers, size }
  })

/**
 * Brings the image here. Its blobs are kept from being removed until the scope is closed, so that they can be unpacked and recorded.
 *
 * @category combinators
 */
export const pull = (source: BlobSource.ImageSource, options: Options): Effect.Effect<ResolvedImage, ImageError, BlobStore | Scope.Scope> => {
  const tell = options.onEvent ?? (() => Effect.void)
  const { image } = options
  return Effect.gen(function*() {
    const store = yield* BlobStore
    const begun = yield* Clock.currentTimeMillis
    const since = Math.min(begun, options.since ?? begun)
    yield* tell(PullEvent.Pulling({ image }))
    const resolved = yield* resolve(source, options)
    const blobs = new Map([resolved.manifest.config, ...resolved.manifest.layers].map((blob) => [blob.digest, blob]))
    yield* store.hold([...blobs.keys(), resolved.root.digest, resolved.document.digest])
    // Manifests as well: with them the image can be exported again as it came.
    yield* Effect.forEach([resolved.root, resolved.document], ({ bytes, digest }) => store.ingest(Stream.make(bytes), digest), { discard: true })
    yield* tell(PullEvent.Resolved({
      image,
      digest: resolved.digest,
      platform: Platform.format(resolved.platform),
      blobs: blobs.size,
      size: resolved.size
    }))
    yield* Effect.forEach(blobs.values(), (blob) =>
      Effect.flatMap(
        store.fetch(blob, source, ({ received, total }) => tell(PullEvent.Progress({ image, digest: blob.digest, received, total }))),
        ({ transferred }) => tell(PullEvent.BlobReady({ image, digest: blob.digest, size: blob.size, transferred }))
      ), { concurrency: options.concurrency ?? 3, discard: true })
    const end = yield* Clock.currentTimeMillis
    yield* tell(PullEvent.Pulled({ image, digest: resolved.digest, size: resolved.size, duration: end - since, waited: begun - since }))
    return resolved
  }).pipe(Effect.tapError((error) => tell(PullEvent.Failed({ image, error }))), Effect.withSpan("ImagePull.pull", { attributes: { image } }))
}
