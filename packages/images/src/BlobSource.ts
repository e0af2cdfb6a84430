/** Anything bytes can be had from by their digest: the content store, a registry, a file that is imported. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Digest from "./Digest.js"
import { DigestMismatch, type ImageError, SizeMismatch } from "./ImageError.js"
import type { Descriptor, ManifestDocument } from "./ImageManifest.js"

/** Opens blobs. @category models */
export interface BlobSource {
  /** Where it is, for messages: a reference or a path. */
  readonly name: string
  /**
   * The bytes of a blob from a position on (0 unless given), as they are stored: layers are still packed. A cut connection has been
   * repaired, but the bytes are not checked: `verified` does that, and `BlobStore` while it writes.
   */
  readonly open: (blob: Descriptor, from?: number) => Stream.Stream<Uint8Array, ImageError>
}

/** One image, or several for different platforms, somewhere. @category models */
export interface ImageSource extends BlobSource {
  /** The manifest or index the source stands for. Checked against the digest, where it was named by one. */
  readonly root: Effect.Effect<ManifestDocument, ImageError>
  /** A manifest or index by its digest, checked. */
  readonly document: (descriptor: Descriptor) => Effect.Effect<ManifestDocument, ImageError>
}

/** The bytes of a blob, from the beginning. The stream fails at its end, at the latest, if they are not those of the descriptor. @category combinators */
export const verified = (source: BlobSource, blob: Descriptor): Stream.Stream<Uint8Array, ImageError> =>
  Stream.suspend(() => {
    const hasher = Digest.hasher(Digest.algorithm(blob.digest))
    let length = 0
    const wrongLength = (detail: string) => new SizeMismatch({ source: source.name, what: `blob ${blob.digest}`, detail })
    return source.open(blob).pipe(
      Stream.tap((bytes) =>
        Effect.suspend((): Effect.Effect<void, ImageError> => {
          length += bytes.length
          if (length > blob.size) return wrongLength(`it is longer than the ${blob.size} bytes that its manifest promises`)
          hasher.update(bytes)
          return Effect.void
        })
      ),
      Stream.concat(Stream.execute(Effect.suspend((): Effect.Effect<void, ImageError> => {
        if (length < blob.size) return wrongLength(`it ended after ${length} of ${blob.size} bytes`)
        const actual = hasher.finish()
        return actual === blob.digest ? Effect.void : new DigestMismatch({ source: source.name, expected: blob.digest, actual })
      })))
    )
  })

/** A small blob as a whole, checked; refused unread if it is larger than the limit (4 MiB unless given). @category combinators */
export const readAll = (source: BlobSource, blob: Descriptor, limit = 4 * 1024 * 1024): Effect.Effect<Uint8Array, ImageError> =>
  blob.size > limit
    ? new SizeMismatch({ source: source.name, what: `blob ${blob.digest}`, detail: `its ${blob.size} bytes are more than the ${limit} that are read at once` })
    : Effect.map(
      Stream.runFold(verified(source, blob), { bytes: new Uint8Array(blob.size), at: 0 }, (whole, bytes) => {
        whole.bytes.set(bytes, whole.at)
        return { bytes: whole.bytes, at: whole.at + bytes.length }
      }),
      ({ bytes }) => bytes
    )
