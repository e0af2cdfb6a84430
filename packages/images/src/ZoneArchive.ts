/**
 * Zone archives (`.zar`): the root of a zone with everything that is needed to run it, in one file. The format is described in
 * `docs/zone-archives.md`.
 */
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Digest from "./Digest.js"
import * as ImageConfig from "./ImageConfig.js"
import { type ImageError, InvalidManifest } from "./ImageError.js"
import * as zarFile from "./internal/zarFile.js"
import { treeArchive } from "./internal/treeArchive.js"
import type { LayerBlob } from "./LayerStore.js"
import type { Compression } from "./MediaType.js"

/** Version of the format that is written; others are refused. @category models */
export const version = 1

/** Suffix of files. @category models */
export const extension = ".zar"

/** What the archive carries after its manifest. @category schemas */
export const Payload = Schema.Struct({
  /** Name of the member. */
  path: Schema.String.pipe(Schema.pattern(/^[a-z][a-z0-9.]{0,60}$/)),
  /** A tar archive of the root, or a stream of `zfs send` of a dataset with the root in its folder `root`. */
  kind: Schema.Literal("tar", "zfs"),
  compression: Schema.Literal("none", "gzip", "zstd"),
  /** Bytes of the member. */
  size: Schema.Int.pipe(Schema.nonNegative()),
  /** Of the member's bytes. */
  digest: Digest.Digest,
  /** Of the bytes without compression: the diff id. */
  contentDigest: Digest.Digest
})

/** @category models */
export type Payload = typeof Payload.Type

/** The first member of the archive, `manifest.json`. @category schemas */
export const Manifest = Schema.Struct({
  format: Schema.Literal("reddwarf.zone-archive"),
  version: Schema.Literal(version),
  /** Zone brand; absent when the platform in the config decides. */
  brand: Schema.optional(Schema.String.pipe(Schema.pattern(/^[a-z][a-z0-9-]{0,30}$/))),
  /** Names with tags that the image had. */
  references: Schema.Array(Schema.String),
  /** An OCI image config: platform, process, diff ids. */
  config: ImageConfig.ImageConfig,
  payload: Payload
})

/** @category models */
export type Manifest = typeof Manifest.Type

/** An archive that can be read. @category models */
export interface OpenArchive {
  readonly manifest: Manifest
  /** What it carries. Reading it to the end verifies both digests of the payload. */
  readonly layer: LayerBlob<ImageError>
}

/** What is written. @category models */
export interface WriteOptions {
  /** Replaced when it is complete; a failure leaves what was there. */
  readonly path: string
  readonly brand?: string | undefined
  readonly references?: ReadonlyArray<string> | undefined
  /** Its diff ids are replaced by the one of the payload. */
  readonly config: ImageConfig.ImageConfig
  readonly kind: Payload["kind"]
  /** Default `zstd`. */
  readonly compression?: Compression | undefined
  /** Not compressed. */
  readonly content: Stream.Stream<Uint8Array, ImageError>
}

const encodeManifest = Schema.encodeSync(Manifest)
const decodeManifest = Schema.decodeUnknown(Schema.parseJson(Manifest))

const parse = Schema.decodeSync(Schema.parseJson())

const extensions: Readonly<Record<Compression, string>> = { none: "", gzip: ".gz", zstd: ".zst" }

/** The bytes of `manifest.json`: the same for the same image. @category combinators */
export const encode = (manifest: Manifest): string => {
  const encoded = encodeManifest(manifest)
  // The config in its shortest form, as it is hashed for the image id.
  const config = parse(new TextDecoder().decode(ImageConfig.encode(manifest.config)))
  return JSON.stringify({ ...encoded, config })
}

/**
 * Writes an archive: the same content, config and names give the same bytes, wherever and whenever. Gives its manifest.
 *
 * @category constructors
 */
export const write = (options: WriteOptions): Effect.Effect<Manifest, ImageError> => {
  const compression = options.compression ?? "zstd"
  const member = options.kind === "tar" ? "root.tar" : "dataset.zfs"
  return zarFile.write({
    path: options.path,
    compression,
    content: options.content,
    describe: ({ contentDigest, digest, size }) => {
      const manifest: Manifest = {
        format: "reddwarf.zone-archive",
        version,
        ...(options.brand === undefined ? {} : { brand: options.brand }),
        references: [...(options.references ?? [])].sort(),
        config: { ...options.config, rootfs: { type: "layers", diffIds: [contentDigest] }, history: [] },
        payload: { path: `${member}${extensions[compression]}`, kind: options.kind, compression, size, digest, contentDigest }
      }
      return { manifest, text: encode(manifest), member: manifest.payload.path }
    }
  })
}

/**
 * Opens an archive: reads and checks its manifest, nothing else. `InvalidManifest` when it is no archive of this version, is cut off, or
 * carries anything but what its manifest says.
 *
 * @category constructors
 */
export const open = (path: string): Effect.Effect<OpenArchive, ImageError> =>
  Effect.gen(function*() {
    const { members, text } = yield* zarFile.readManifest(path)
    const refuse = (reason: string) => new InvalidManifest({ source: path, what: "zone archive", reason })
    const manifest = yield* Effect.mapError(decodeManifest(text), (error) => refuse(ParseResult.isParseError(error) ? ParseResult.TreeFormatter.formatErrorSync(error) : String(error)))
    const { payload } = manifest
    const [member, ...others] = members
    if (member === undefined || others.length > 0 || member.path !== payload.path || member.size !== payload.size) {
      return yield* refuse(`its manifest says that ${payload.path} with ${payload.size} bytes follows, which is not so`)
    }
    const { diffIds } = manifest.config.rootfs
    if (diffIds.length !== 1 || diffIds[0] !== payload.contentDigest) return yield* refuse("the diff ids of its config are not the digest of its content")
    return {
      manifest,
      layer: { diffId: payload.contentDigest, bytes: zarFile.payload(path, member.offset, payload.size, payload.digest) }
    }
  })

/** The content of an archive of kind `tar`: what is in a folder, a real path, that nobody changes meanwhile. @category constructors */
export const fromFolder: (root: string) => Stream.Stream<Uint8Array, ImageError> = treeArchive
