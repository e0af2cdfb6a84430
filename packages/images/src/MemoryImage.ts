/** An image of one layer that is in memory: what a tool or a test has made and is about to push. */
import * as Stream from "effect/Stream"
import { gzipSync } from "node:zlib"
import type * as BlobSource from "./BlobSource.js"
import * as Digest from "./Digest.js"
import * as ImageConfig from "./ImageConfig.js"
import * as ImageError from "./ImageError.js"
import * as ImageManifest from "./ImageManifest.js"
import * as MediaType from "./MediaType.js"
import type * as Platform from "./Platform.js"

/**
 * @category models
 */
export interface MemoryImage {
  readonly document: ImageManifest.ManifestDocument
  /** Its configuration and its layer. */
  readonly blobs: BlobSource.BlobSource
}

/**
 * The image of a layer, given as a tar archive, that runs `process`. For Linux on AMD64 unless said otherwise.
 *
 * @category constructors
 */
export const make = (
  layer: Uint8Array,
  process: Partial<ImageConfig.Process>,
  platform: Platform.Platform = { os: "linux", architecture: "amd64" }
): MemoryImage => {
  const packed = new Uint8Array(gzipSync(layer, { level: 1 }))
  const config = ImageConfig.encode(ImageConfig.make(platform, [Digest.of(layer)], process))
  const descriptor = (mediaType: string, bytes: Uint8Array): ImageManifest.Descriptor => ({ mediaType, digest: Digest.of(bytes), size: bytes.length })
  const bytes = new Map([[Digest.of(config), config], [Digest.of(packed), packed]])
  return {
    document: ImageManifest.fromManifest({
      mediaType: MediaType.ociManifest,
      config: descriptor(MediaType.ociConfig, config),
      layers: [descriptor(MediaType.ociLayerGzip, packed)]
    }),
    blobs: {
      name: "memory",
      open: ({ digest }, from = 0) => {
        const found = bytes.get(digest)
        return found === undefined
          ? Stream.fail(new ImageError.NotFound({ reference: digest, what: `blob ${digest}`, source: "memory" }))
          : Stream.make(found.subarray(from))
      }
    }
  }
}
