/**
 * Root file systems in a tar file, as distributions offer them for LX zones, made into images: one layer, and a config that says how its
 * programs are run. The same file and config give the same image.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ImageSource } from "./BlobSource.js"
import { BlobStore } from "./BlobStore.js"
import * as Digest from "./Digest.js"
import * as ImageConfig from "./ImageConfig.js"
import { type ImageError, InvalidManifest, NotFound, StorageFailed } from "./ImageError.js"
import * as ImageManifest from "./ImageManifest.js"
import { refuseForeignPacking } from "./internal/archiveScan.js"
import { compressionOf, decompressed, PackingDamaged } from "./internal/decompressed.js"
import { TarInvalid, TarParser } from "./internal/tarParser.js"
import * as MediaType from "./MediaType.js"
import type { Platform } from "./Platform.js"

/** What the file does not say itself. @category models */
export interface Options {
  /** `linux/amd64` for LX, `illumos/amd64` for native zones. */
  readonly platform: Platform
  /** What is run in it; nothing is said unless given. */
  readonly process?: Partial<ImageConfig.Process>
}

const layerTypes: Readonly<Record<MediaType.Compression, string>> = {
  none: MediaType.ociLayer,
  gzip: MediaType.ociLayerGzip,
  zstd: MediaType.ociLayerZstd
}

/**
 * The image of a file with a root file system; plain, or packed by gzip or zstd. The file goes into the content store and is kept from
 * being removed until the scope is closed. Fails with `InvalidManifest` if it is not a tar archive.
 *
 * @category constructors
 */
export const open = (
  path: string,
  options: Options
): Effect.Effect<ImageSource, ImageError, BlobStore | FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const store = yield* BlobStore
    yield* store.holdAll
    let head = new Uint8Array(0)
    const bytes = fs.stream(path, { chunkSize: 256 * 1024 }).pipe(
      Stream.mapError((error) => new StorageFailed({ operation: "reading", path, detail: error.message, cause: error })),
      Stream.tap((chunk) =>
        Effect.sync(() => {
          if (head.length < 4) head = new Uint8Array(Buffer.concat([head, chunk.subarray(0, 4)]))
        })
      )
    )
    const layer = yield* store.ingest(refuseForeignPacking(path, bytes))
    const blob: ImageManifest.Descriptor = { mediaType: layerTypes[compressionOf(head)], digest: layer.digest, size: layer.size }

    const invalid = (reason: string) => new InvalidManifest({ source: path, what: "root file system", reason })
    const hasher = Digest.hasher()
    let entries = 0
    const parser = new TarParser({ entry: () => (entries += 1), data: () => {}, end: () => {} })
    const parse = (step: () => void) =>
      Effect.try({ try: step, catch: (cause) => invalid(cause instanceof TarInvalid ? cause.message : String(cause)) })
    yield* decompressed(store.source.open(blob)).pipe(
      Stream.runForEach((chunk) =>
        parse(() => {
          hasher.update(chunk)
          parser.push(chunk)
        })
      ),
      Effect.mapError((error): ImageError => (error instanceof PackingDamaged ? invalid(error.message) : error))
    )
    yield* parse(() => parser.finish())
    if (entries === 0) return yield* invalid("it is empty")

    const config = yield* store.put(ImageConfig.encode(ImageConfig.make(options.platform, [hasher.finish()], options.process)))
    const document = ImageManifest.fromManifest({
      config: { mediaType: MediaType.ociConfig, digest: config.digest, size: config.size },
      layers: [blob]
    })
    return {
      name: path,
      open: store.source.open,
      root: Effect.succeed(document),
      document: ({ digest }) => new NotFound({ reference: path, what: `manifest ${digest}`, source: path })
    }
  })
