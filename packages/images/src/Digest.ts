/**
 * Names of content: an algorithm and the hash of the bytes, as in `sha256:6c3c624b58db…`.
 *
 * A digest reaches file names and request paths, so the brand admits nothing but lower-case hexadecimal of the right length.
 */
import { createHash, type Hash } from "node:crypto"
import * as Schema from "effect/Schema"

/** Hash functions a registry may use that this package verifies. @category models */
export type Algorithm = "sha256" | "sha512"

/** `sha256:` with 64 or `sha512:` with 128 hexadecimal digits. @category schemas */
export const Digest = Schema.String.pipe(
  Schema.pattern(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, { message: () => "expected sha256:<64 hex digits> or sha512:<128 hex digits>" }),
  Schema.brand("Digest")
)

/** @category models */
export type Digest = typeof Digest.Type

/** Whether a text is a digest this package can verify. @category combinators */
export const isDigest: (text: unknown) => text is Digest = Schema.is(Digest)

const fromHex = (algorithm: Algorithm, hex: string): Digest => Digest.make(`${algorithm}:${hex}`)

/** The digest of bytes at hand. @category constructors */
export const of = (bytes: Uint8Array | string, algorithm: Algorithm = "sha256"): Digest =>
  fromHex(algorithm, createHash(algorithm).update(bytes).digest("hex"))

/** The hash function of a digest. @category combinators */
export const algorithm = (digest: Digest): Algorithm => (digest.startsWith("sha512:") ? "sha512" : "sha256")

/** The hexadecimal part. @category combinators */
export const hex = (digest: Digest): string => digest.slice(digest.indexOf(":") + 1)

/** The first 12 hexadecimal digits, for people. Not unique. @category combinators */
export const short = (digest: Digest): string => hex(digest).slice(0, 12)

/** Hashes a stream piece by piece. @category models */
export interface Hasher {
  /** Takes the next bytes. */
  readonly update: (bytes: Uint8Array) => void
  /** The digest of everything taken. Only once: nothing can be taken afterwards. */
  readonly finish: () => Digest
}

/** A new, empty hasher. @category constructors */
export const hasher = (algorithm: Algorithm = "sha256"): Hasher => {
  const hash: Hash = createHash(algorithm)
  return {
    update: (bytes) => {
      hash.update(bytes)
    },
    finish: () => fromHex(algorithm, hash.digest("hex"))
  }
}
