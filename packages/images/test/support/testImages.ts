/** Images made for tests: real archives, packed as asked for. */
import { DateTime, Effect, Stream } from "effect"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import * as tar from "tar"
import { type BlobSource, Digest, ImageConfig, ImageError, ImageManifest, MediaType, type Platform } from "../../src/index.js"

export const linux: Platform.Platform = { os: "linux", architecture: "amd64" }
export const illumos: Platform.Platform = { os: "illumos", architecture: "amd64" }

/** A folder that is gone with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-images-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** An archive with these files. */
export const archive = (files: Readonly<Record<string, string | Uint8Array>>): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), "reddwarf-tar-"))
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, "root", path)), { recursive: true })
      writeFileSync(join(folder, "root", path), content)
    }
    tar.create({ sync: true, cwd: join(folder, "root"), file: join(folder, "out.tar"), portable: true, mtime: DateTime.toDate(DateTime.unsafeMake(0)) }, Object.keys(files))
    return new Uint8Array(readFileSync(join(folder, "out.tar")))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Bytes that do not compress, the same for the same seed. */
export const noise = (length: number, seed = 1): Uint8Array => {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[at] = state >>> 16
  }
  return bytes
}

export interface TestImage {
  readonly document: ImageManifest.ManifestDocument
  readonly manifest: ImageManifest.ImageManifest
  readonly config: ImageConfig.ImageConfig
  readonly blobs: ReadonlyMap<Digest.Digest, Uint8Array>
}

export type Packing = "none" | "gzip" | "zstd"

const pack: Readonly<Record<Packing, (bytes: Uint8Array) => Uint8Array>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => new Uint8Array(gzipSync(bytes)),
  zstd: (bytes) => new Uint8Array(zstdCompressSync(bytes))
}
const mediaTypes: Readonly<Record<Packing, string>> = { none: MediaType.ociLayer, gzip: MediaType.ociLayerGzip, zstd: MediaType.ociLayerZstd }

export const testImage = (options: {
  readonly layers: ReadonlyArray<Readonly<Record<string, string | Uint8Array>>>
  readonly platform?: Platform.Platform
  readonly process?: Partial<ImageConfig.Process>
  readonly packing?: Packing
}): TestImage => {
  const packing = options.packing ?? "gzip"
  const archives = options.layers.map(archive)
  const packed = archives.map(pack[packing])
  const config = ImageConfig.make(options.platform ?? linux, archives.map((bytes) => Digest.of(bytes)), options.process)
  const configBytes = ImageConfig.encode(config)
  const descriptor = (mediaType: string, bytes: Uint8Array): ImageManifest.Descriptor => ({ mediaType, digest: Digest.of(bytes), size: bytes.length })
  const manifest: ImageManifest.ImageManifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: descriptor(MediaType.ociConfig, configBytes),
    layers: packed.map((bytes) => descriptor(mediaTypes[packing], bytes))
  }
  return {
    document: ImageManifest.fromManifest(manifest),
    manifest,
    config,
    blobs: new Map([configBytes, ...packed].map((bytes) => [Digest.of(bytes), bytes]))
  }
}

/** Blobs in memory, in pieces. */
export const memorySource = (blobs: ReadonlyMap<Digest.Digest, Uint8Array>, pieceBytes = 16 * 1024): BlobSource.BlobSource => ({
  name: "memory",
  open: (blob, from = 0) => {
    const bytes = blobs.get(blob.digest)
    if (bytes === undefined) return Stream.fail(new ImageError.NotFound({ reference: "test", what: `blob ${blob.digest}`, source: "memory" }))
    const pieces: Array<Uint8Array> = []
    for (let at = from; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes))
    return Stream.fromIterable(pieces)
  }
})

/** The image as a source of pulls. */
export const imageSource = (images: ReadonlyArray<TestImage>, root?: ImageManifest.ManifestDocument): BlobSource.ImageSource => {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]))
  const documents = new Map(images.map(({ document }) => [document.digest, document]))
  const first = root ?? images[0]?.document
  const missing = (what: string) => new ImageError.NotFound({ reference: "test", what, source: "memory" })
  return {
    ...memorySource(blobs),
    root: first === undefined ? missing("manifest") : Effect.succeed(first),
    document: ({ digest }) => {
      const found = documents.get(digest)
      return found === undefined ? missing(`manifest ${digest}`) : Effect.succeed(found)
    }
  }
}
