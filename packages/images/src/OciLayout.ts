/** OCI image layouts: folders with `index.json` and `blobs`, as image tools export them. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as BlobSource from "./BlobSource.js"
import * as Digest from "./Digest.js"
import { type ImageError, InvalidManifest, NotFound, StorageFailed } from "./ImageError.js"
import * as ImageManifest from "./ImageManifest.js"
import * as MediaType from "./MediaType.js"

/** An image that came without a registry. @category models */
export interface OfflineImage {
  /** Names it was saved under, as they are written there; a bare tag if only that was. */
  readonly names: ReadonlyArray<string>
  readonly source: BlobSource.ImageSource
}

const maxDocumentBytes = 4 * 1024 * 1024
const nameAnnotations = ["io.containerd.image.name", "org.opencontainers.image.ref.name"]

/** The images an index lists, whose blobs and manifests a source has. `where` is for messages. @category constructors */
export const images = (
  where: string,
  index: ImageManifest.ManifestDocument,
  blobs: BlobSource.BlobSource
): Effect.Effect<ReadonlyArray<OfflineImage>, ImageError> =>
  Effect.gen(function*() {
    if (index.kind !== "index") return yield* new InvalidManifest({ source: where, what: "index.json", reason: "it is not a list of images" })
    const document = (descriptor: ImageManifest.Descriptor): Effect.Effect<ImageManifest.ManifestDocument, ImageError> =>
      Effect.flatMap(BlobSource.readAll(blobs, descriptor, maxDocumentBytes), (bytes) =>
        ImageManifest.decode(bytes, { source: where, announced: descriptor.mediaType, digest: descriptor.digest }))
    const named = new Map<Digest.Digest, { readonly descriptor: ImageManifest.Descriptor; readonly names: Array<string> }>()
    for (const descriptor of index.index.manifests) {
      if (!MediaType.isIndex(descriptor.mediaType) && !MediaType.isManifest(descriptor.mediaType)) continue
      const known = named.get(descriptor.digest) ?? { descriptor, names: [] }
      const name = nameAnnotations.map((key) => descriptor.annotations?.[key]).find((text) => text !== undefined && text !== "")
      if (name !== undefined && !known.names.includes(name)) known.names.push(name)
      named.set(descriptor.digest, known)
    }
    const entries = [...named.values()]
    // Several images without names are one image for several platforms.
    if (entries.length > 1 && entries.every(({ names }) => names.length === 0)) {
      return [{ names: [], source: { name: where, open: blobs.open, root: Effect.succeed(index), document } }]
    }
    return entries.map(({ descriptor, names }): OfflineImage => ({ names, source: { name: where, open: blobs.open, root: document(descriptor), document } }))
  })

/** The images of a layout in a folder. Their blobs are read when they are pulled. @category constructors */
export const open = (folder: string): Effect.Effect<ReadonlyArray<OfflineImage>, ImageError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const file = `${folder}/index.json`
    const read = Effect.gen(function*() {
      const info = yield* fs.stat(file)
      if (info.size > BigInt(maxDocumentBytes)) return yield* new InvalidManifest({ source: folder, what: "index.json", reason: `it is larger than ${maxDocumentBytes} bytes` })
      return yield* fs.readFile(file)
    }).pipe(Effect.catchTags({
      SystemError: (error) =>
        error.reason === "NotFound"
          ? new InvalidManifest({ source: folder, what: "OCI layout", reason: "it has no index.json" })
          : new StorageFailed({ operation: "reading", path: file, detail: error.message, cause: error }),
      BadArgument: (error) => new StorageFailed({ operation: "reading", path: file, detail: error.message, cause: error })
    }))
    const index = yield* ImageManifest.decode(yield* read, { source: file, announced: MediaType.ociIndex })
    const blobs: BlobSource.BlobSource = {
      name: folder,
      open: (blob, from = 0) => {
        const path = `${folder}/blobs/${Digest.algorithm(blob.digest)}/${Digest.hex(blob.digest)}`
        return Stream.mapError(fs.stream(path, { offset: FileSystem.Size(from), chunkSize: 256 * 1024 }), (error) =>
          error._tag === "SystemError" && error.reason === "NotFound"
            ? new NotFound({ reference: folder, what: `blob ${blob.digest}`, source: folder })
            : new StorageFailed({ operation: "reading", path, detail: error.message, cause: error }))
      }
    }
    return yield* images(folder, index, blobs)
  })
