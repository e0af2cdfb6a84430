/** One layer from its packed bytes to files, in pieces: memory does not grow with the layer. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Digest from "../Digest.js"
import { DigestMismatch, type ImageError, InvalidManifest } from "../ImageError.js"
import { decompressed, PackingDamaged } from "./decompressed.js"
import { LayerWriter, type Limits, type PendingAttribute } from "./layerWriter.js"
import { PathRefused } from "./safeTree.js"
import { fromFiles, isRefusal } from "./storageFailure.js"
import { TarInvalid, TarParser } from "./tarParser.js"

/** What unpacking found. */
export interface Unpacked {
  readonly skipped: number
  readonly owners: boolean
  readonly attributes: ReadonlyArray<PendingAttribute>
}

/** Larger pieces would keep everything else of the process waiting. */
const pieceSize = 64 * 1024

const pieces = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  bytes.length <= pieceSize
    ? [bytes]
    : Array.from({ length: Math.ceil(bytes.length / pieceSize) }, (_, index) => bytes.subarray(index * pieceSize, (index + 1) * pieceSize))

/**
 * Applies a layer to the files in `root`, a real path.
 *
 * Files are written synchronously, piece by piece: so no other part of this process can come between the look at a path and its use.
 */
export const unpack = <E>(options: {
  readonly root: string
  readonly bytes: Stream.Stream<Uint8Array, E>
  readonly diffId: Digest.Digest
  readonly limits: Limits
}): Effect.Effect<Unpacked, ImageError | E> => {
  const { diffId, root } = options
  const refuse = (reason: string) => new InvalidManifest({ source: "image", what: `layer ${diffId}`, reason })
  const attempt = <A>(operation: () => A) =>
    Effect.try({
      try: operation,
      catch: (cause): ImageError =>
        cause instanceof TarInvalid || cause instanceof PathRefused
          ? refuse(cause.message)
          : isRefusal(cause)
          ? refuse(cause instanceof Error ? cause.message : String(cause))
          : fromFiles("unpacking a layer", root)(cause)
    })
  return Effect.suspend(() => {
    const owners = process.getuid?.() === 0
    const hasher = Digest.hasher(Digest.algorithm(diffId))
    const writer = new LayerWriter(root, options.limits, owners)
    const parser = new TarParser(writer)
    return decompressed(options.bytes).pipe(
      Stream.mapConcat(pieces),
      Stream.runForEach((piece) =>
        attempt(() => {
          hasher.update(piece)
          parser.push(piece)
        })),
      Effect.mapError((error) => error instanceof PackingDamaged ? refuse(`it cannot be unpacked: ${error.message}`) : error),
      Effect.zipRight(attempt(() => parser.finish())),
      Effect.zipRight(Effect.suspend(() => {
        const actual = hasher.finish()
        return actual === diffId ? Effect.void : new DigestMismatch({ source: "unpacked layer", expected: diffId, actual })
      })),
      Effect.zipRight(attempt(() => writer.finish())),
      Effect.map((attributes) => ({ skipped: writer.skipped, owners, attributes })),
      Effect.ensuring(Effect.sync(() => writer.close()))
    )
  })
}
