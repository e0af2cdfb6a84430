/** Images made in the test, and a host with a store for them. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import { DatasetName, Zfs } from "@reddwarf/storage-zfs"
import { Effect, Layer, Stream } from "effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import type * as BlobSource from "../../src/BlobSource.js"
import * as BlobStore from "../../src/BlobStore.js"
import * as Digest from "../../src/Digest.js"
import * as ExtendedAttributes from "../../src/ExtendedAttributes.js"
import * as ImageConfig from "../../src/ImageConfig.js"
import { type ImageError, NotFound } from "../../src/ImageError.js"
import * as ImageManifest from "../../src/ImageManifest.js"
import * as ImageStore from "../../src/ImageStore.js"
import * as LayerStore from "../../src/LayerStore.js"
import * as MediaType from "../../src/MediaType.js"
import * as Platform from "../../src/Platform.js"
import { type Member, tar } from "./tarBytes.js"

export const linux: Platform.Wanted = Platform.forBrand("lx")

/** An image whose layers are these archives; counts what is read of it. */
export const imageOf = (
  layers: ReadonlyArray<ReadonlyArray<Member>>,
  options: { readonly platform?: Platform.Platform; readonly cmd?: string; readonly packing?: "gzip" | "zstd" | "none" } = {}
) => {
  const archives = layers.map((members) => tar(members))
  const pack = options.packing === "none" ? (bytes: Buffer) => bytes : options.packing === "zstd" ? zstdCompressSync : gzipSync
  const mediaType = options.packing === "none" ? MediaType.ociLayer : options.packing === "zstd" ? MediaType.ociLayerZstd : MediaType.ociLayerGzip
  const packed = archives.map((bytes) => pack(bytes))
  const config = ImageConfig.make(options.platform ?? { os: "linux", architecture: "amd64" }, archives.map((bytes) => Digest.of(bytes)), { cmd: [options.cmd ?? "/bin/sh"] })
  const configBytes = ImageConfig.encode(config)
  const blobs = new Map<string, Uint8Array>([configBytes, ...packed].map((bytes) => [Digest.of(bytes), bytes]))
  const document = ImageManifest.fromManifest({
    config: { mediaType: MediaType.ociConfig, digest: Digest.of(configBytes), size: configBytes.length },
    layers: packed.map((bytes) => ({ mediaType, digest: Digest.of(bytes), size: bytes.length }))
  })
  const opened: Array<string> = []
  const source: BlobSource.ImageSource = {
    name: "test",
    root: Effect.succeed(document),
    document: ({ digest }) => new NotFound({ reference: "test", what: digest, source: "test" }),
    open: ({ digest }, from = 0) =>
      Stream.suspend(() => {
        opened.push(digest)
        const bytes = blobs.get(digest)
        return bytes === undefined
          ? Stream.fail(new NotFound({ reference: "test", what: digest, source: "test" }))
          : Stream.make(bytes.subarray(from))
      })
  }
  return { config, document, id: Digest.of(configBytes), layers: archives, opened, packed, source }
}

export const images = DatasetName.make("rpool/images")

/** A simulated host in a folder, with a store on it: opening it again is a restart of the program. */
export const host = (options: Partial<ImageStore.Options> = {}, sim: Partial<SimulatedHost.Options> = {}) => {
  const directory = mkdtempSync(join(tmpdir(), "reddwarf-images-"))
  const realPath = (path: string) => join(directory, "host", "root", path)
  const commands = SimulatedHost.layerWithControls({ directory: join(directory, "host"), pools: [{ name: "rpool", size: 1024 ** 3 }], ...sim })
  const layers = LayerStore.layerZfs({ images, realPath }).pipe(
    Layer.provideMerge(Layer.mergeAll(Zfs.layer, ExtendedAttributes.layerNone))
  )
  const store = (): Layer.Layer<
    | ImageStore.ImageStore
    | LayerStore.LayerStore
    | BlobStore.BlobStore
    | Zfs.Zfs
    | ExtendedAttributes.ExtendedAttributes
    | CommandRunner.CommandRunner
    | SimulatedHost.SimulatedHost
    | NodeContext.NodeContext,
    ImageError
  > =>
    Layer.fresh(ImageStore.layer({ images, directory: join(directory, "data"), ...options })).pipe(
      Layer.provideMerge(Layer.mergeAll(layers, BlobStore.layer({ directory: join(directory, "blobs") }))),
      Layer.provideMerge(Layer.orDie(commands)),
      Layer.provideMerge(NodeContext.layer)
    )
  return { directory, realPath, store }
}
