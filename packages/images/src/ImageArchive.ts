/**
 * Images in one tar file: what `docker save` writes (one or several images, each with its tags) and OCI layouts; plain, or packed by gzip
 * or zstd.
 *
 * The archive is read once, from its beginning to its end, so it may also come from a pipe; its blobs go into the content store on the
 * way. They are kept from being removed until the scope is closed.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { BlobStore, type StoredBlob } from "./BlobStore.js"
import { type ImageError, InvalidManifest, StorageFailed } from "./ImageError.js"
import * as ImageManifest from "./ImageManifest.js"
import { type ArchiveFile, scan } from "./internal/archiveScan.js"
import * as MediaType from "./MediaType.js"
import * as OciLayout from "./OciLayout.js"

const Saved = Schema.parseJson(Schema.Array(Schema.Struct({
  Config: Schema.String,
  RepoTags: Schema.optionalWith(Schema.Array(Schema.String), { nullable: true, default: () => [] }),
  Layers: Schema.optionalWith(Schema.Array(Schema.String), { nullable: true, default: () => [] })
})))

const decodeSaved = Schema.decodeUnknown(Saved)

const layerTypes: Readonly<Record<MediaType.Compression, string>> = {
  none: MediaType.ociLayer,
  gzip: MediaType.ociLayerGzip,
  zstd: MediaType.ociLayerZstd
}

const aliasDepth = 8

/** A file of the archive, through the links that stand for layers that several images share. */
const find = (files: ReadonlyMap<string, ArchiveFile>, path: string): ArchiveFile | undefined => {
  let at = path
  for (let depth = 0; depth < aliasDepth; depth += 1) {
    const found = files.get(at)
    if (found?.target === undefined) return found
    at = found.target
  }
  return undefined
}

const descriptor = (mediaType: string, blob: StoredBlob): ImageManifest.Descriptor => ({ mediaType, digest: blob.digest, size: blob.size })

/** The images of a `manifest.json`: their manifests are made here, for they have none. */
const saved = (where: string, files: ReadonlyMap<string, ArchiveFile>, text: Uint8Array, store: typeof BlobStore.Service) =>
  Effect.gen(function*() {
    const invalid = (reason: string) => new InvalidManifest({ source: where, what: "manifest.json", reason })
    const entries = yield* Effect.mapError(decodeSaved(new TextDecoder().decode(text)), (error) => invalid(error.message))
    return yield* Effect.forEach(entries, (entry) =>
      Effect.gen(function*() {
        const blobOf = (path: string) => {
          const file = find(files, path)
          return file?.blob === undefined ? invalid(`it names the file ${path}, which is not in the archive`) : Effect.succeed({ ...file, blob: file.blob })
        }
        const config = yield* blobOf(entry.Config)
        const layers = yield* Effect.forEach(entry.Layers, blobOf)
        const document = ImageManifest.fromManifest({
          config: descriptor(MediaType.ociConfig, config.blob),
          layers: layers.map(({ blob, compression }) => descriptor(layerTypes[compression], blob))
        })
        return {
          names: entry.RepoTags,
          source: {
            name: where,
            open: store.source.open,
            root: Effect.succeed(document),
            document: () => invalid("it has no list of images")
          }
        } satisfies OciLayout.OfflineImage
      }))
  })

/** The images of an archive whose bytes come from anywhere. `where` is for messages. @category constructors */
export const fromStream = (
  where: string,
  bytes: Stream.Stream<Uint8Array, ImageError>
): Effect.Effect<ReadonlyArray<OciLayout.OfflineImage>, ImageError, BlobStore | Scope.Scope> =>
  Effect.gen(function*() {
    const store = yield* BlobStore
    yield* store.holdAll
    const files = yield* scan(where, bytes, store)
    const index = files.get("index.json")?.content
    const manifest = files.get("manifest.json")?.content
    if (index !== undefined) {
      const document = yield* ImageManifest.decode(index, { source: `${where}: index.json`, announced: MediaType.ociIndex })
      return yield* OciLayout.images(where, document, store.source)
    }
    if (manifest !== undefined) return yield* saved(where, files, manifest, store)
    return yield* new InvalidManifest({ source: where, what: "image archive", reason: "it has neither manifest.json nor index.json" })
  })

/** The images of an archive in a file. @category constructors */
export const open = (
  path: string
): Effect.Effect<ReadonlyArray<OciLayout.OfflineImage>, ImageError, BlobStore | FileSystem.FileSystem | Scope.Scope> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    fromStream(
      path,
      Stream.mapError(fs.stream(path, { chunkSize: 256 * 1024 }), (error) =>
        new StorageFailed({ operation: "reading", path, detail: error.message, cause: error }))
    ))
