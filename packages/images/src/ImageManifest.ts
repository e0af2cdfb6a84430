/** Manifests and indexes of OCI and Docker (schema 2): which blobs make an image, and which images share a name. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.js"
import { InvalidManifest } from "./ImageError.js"
import * as MediaType from "./MediaType.js"
import { Platform } from "./Platform.js"

const size = Schema.Int.pipe(Schema.nonNegative())
const annotations = Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { nullable: true, exact: true })

/** A blob: what it is, its name, its size in bytes. @category schemas */
export const Descriptor = Schema.Struct({
  mediaType: Schema.String,
  digest: Digest.Digest,
  size,
  annotations,
  /** Only in an index: what the image there is for. */
  platform: Schema.optionalWith(Platform, { nullable: true, exact: true })
})

/** @category models */
export type Descriptor = typeof Descriptor.Type

/** The manifest of one image for one platform. @category schemas */
export const ImageManifest = Schema.Struct({
  schemaVersion: Schema.Literal(2),
  mediaType: Schema.optionalWith(Schema.String, { nullable: true, exact: true }),
  config: Descriptor,
  /** Lowest layer first. */
  layers: Schema.Array(Descriptor),
  annotations
})

/** @category models */
export type ImageManifest = typeof ImageManifest.Type

/** A list of manifests, one for each platform. @category schemas */
export const ImageIndex = Schema.Struct({
  schemaVersion: Schema.Literal(2),
  mediaType: Schema.optionalWith(Schema.String, { nullable: true, exact: true }),
  manifests: Schema.Array(Descriptor),
  annotations
})

/** @category models */
export type ImageIndex = typeof ImageIndex.Type

/** A manifest or index as it was received: its exact bytes, their name, and what they say. @category models */
export type ManifestDocument =
  & { readonly mediaType: string; readonly digest: Digest.Digest; readonly bytes: Uint8Array }
  & ({ readonly kind: "manifest"; readonly manifest: ImageManifest } | { readonly kind: "index"; readonly index: ImageIndex })

/** The most that an index may list and an image may have as layers. @category models */
export const maxEntries = 1000

const decodeJson = Schema.decodeUnknown(Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown })))
const decodeManifest = Schema.decodeUnknown(ImageManifest)
const decodeIndex = Schema.decodeUnknown(ImageIndex)
const encodeManifest = Schema.encodeSync(ImageManifest)
const encodeIndex = Schema.encodeSync(ImageIndex)

/**
 * Reads a manifest or index. The type is the one the document names itself, else the one it was announced with, else what its content
 * shows; a document that has both layers and manifests, or names another type than announced, is refused (it could mean different
 * images to different readers).
 *
 * @category constructors
 */
export const decode = Effect.fnUntraced(function*(
  bytes: Uint8Array,
  options: { readonly source: string; readonly announced?: string | undefined; readonly digest?: Digest.Digest | undefined }
): Effect.fn.Return<ManifestDocument, InvalidManifest> {
  const digest = Digest.of(bytes, options.digest === undefined ? "sha256" : Digest.algorithm(options.digest))
  const refuse = (reason: string) => new InvalidManifest({ source: options.source, what: `manifest ${digest}`, reason })
  const json = yield* Effect.mapError(decodeJson(new TextDecoder().decode(bytes)), () => refuse("it is not a JSON object"))
  if (json["schemaVersion"] === 1) return yield* refuse("it is of the obsolete schema version 1")
  if ("manifests" in json && ("layers" in json || "config" in json)) return yield* refuse("it has both an image and a list of images")
  const announced = options.announced?.split(";")[0]?.trim().toLowerCase()
  const known = announced !== undefined && (MediaType.isIndex(announced) || MediaType.isManifest(announced)) ? announced : undefined
  const own = typeof json["mediaType"] === "string" && json["mediaType"] !== "" ? json["mediaType"] : undefined
  if (own !== undefined && known !== undefined && own !== known) return yield* refuse(`it is announced as ${known}, but says that it is ${own}`)
  const mediaType = own ?? known ?? ("manifests" in json ? MediaType.ociIndex : MediaType.ociManifest)
  const common = { mediaType, digest, bytes }
  if (MediaType.isIndex(mediaType)) {
    const index = yield* Effect.mapError(decodeIndex(json), (error) => refuse(error.message))
    return index.manifests.length > maxEntries ? yield* refuse(`it lists more than ${maxEntries} images`) : { ...common, kind: "index", index }
  }
  if (!MediaType.isManifest(mediaType)) return yield* refuse(`its type ${mediaType} is not that of an image`)
  const manifest = yield* Effect.mapError(decodeManifest(json), (error) => refuse(error.message))
  return manifest.layers.length > maxEntries ? yield* refuse(`it has more than ${maxEntries} layers`) : { ...common, kind: "manifest", manifest }
})

const document = (mediaType: string, json: unknown) => {
  const bytes = new TextEncoder().encode(JSON.stringify(json))
  return { mediaType, digest: Digest.of(bytes), bytes }
}

/** A document made here: the same image gives the same bytes. @category constructors */
export const fromManifest = (manifest: Omit<ImageManifest, "schemaVersion">): ManifestDocument => {
  const whole: ImageManifest = { schemaVersion: 2, ...manifest, mediaType: manifest.mediaType ?? MediaType.ociManifest }
  return { ...document(whole.mediaType ?? MediaType.ociManifest, encodeManifest(whole)), kind: "manifest", manifest: whole }
}

/** An index made here. @category constructors */
export const fromIndex = (index: Omit<ImageIndex, "schemaVersion">): ManifestDocument => {
  const whole: ImageIndex = { schemaVersion: 2, ...index, mediaType: index.mediaType ?? MediaType.ociIndex }
  return { ...document(whole.mediaType ?? MediaType.ociIndex, encodeIndex(whole)), kind: "index", index: whole }
}

/** The entry for a document in an index. @category combinators */
export const descriptorOf = (document: ManifestDocument, platform?: Platform): Descriptor => ({
  mediaType: document.mediaType,
  digest: document.digest,
  size: document.bytes.length,
  ...(platform === undefined ? {} : { platform })
})
