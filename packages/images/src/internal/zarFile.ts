/** The file of a zone archive: a tar archive of two members, the second written first. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import { dirname } from "node:path"
import { constants, createGzip, createZstdCompress } from "node:zlib"
import * as Digest from "../Digest.js"
import { DigestMismatch, type ImageError, InvalidManifest, StorageFailed } from "../ImageError.js"
import type { Compression } from "../MediaType.js"
import { PackingDamaged, through } from "./decompressed.js"
import { fromFiles } from "./storageFailure.js"
import { TarInvalid, TarParser } from "./tarParser.js"
import { encode, endOfArchive, padding } from "./tarWriter.js"

/** Name of the first member. */
const manifestName = "manifest.json"

const manifestLimit = 1024 * 1024
const block = 512

interface Written {
  readonly digest: Digest.Digest
  readonly contentDigest: Digest.Digest
  readonly size: number
}

interface Described<A> {
  readonly manifest: A
  readonly text: string
  readonly member: string
}

const compress = (compression: Compression, content: Stream.Stream<Uint8Array, ImageError>) => {
  if (compression === "none") return content
  return through(content, compression === "gzip"
    ? () => createGzip({ level: 6 })
    : () => createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } }))
}

const memberHeader = (path: string, size: number): Buffer => encode({ kind: "file", path, mode: 0o644, uid: 0, gid: 0, size, mtime: 0 })

const writeAll = (descriptor: number, bytes: Uint8Array, position: number): void => {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(descriptor, bytes, at, bytes.length - at, position + at)
}

/** The largest numbers a manifest can hold: the space for it is left before they are known. */
const unknown: Written = {
  digest: Digest.Digest.make(`sha256:${"0".repeat(64)}`),
  contentDigest: Digest.Digest.make(`sha256:${"0".repeat(64)}`),
  size: Number.MAX_SAFE_INTEGER
}

/** Writes beside the file and renames: the file is what it was, or complete. */
export const write = <A>(options: {
  readonly path: string
  readonly compression: Compression
  readonly content: Stream.Stream<Uint8Array, ImageError>
  readonly describe: (written: Written) => Described<A>
}): Effect.Effect<A, ImageError> => {
  const temporary = `${options.path}.${process.pid}.new`
  const attempt = <B>(operation: () => B) => Effect.try({ try: operation, catch: fromFiles("writing a zone archive", options.path) })
  return Effect.scoped(Effect.gen(function*() {
    const descriptor = yield* Effect.acquireRelease(
      attempt(() => {
        fs.rmSync(temporary, { force: true })
        return fs.openSync(temporary, "wx", 0o600)
      }),
      (open) =>
        Effect.sync(() => {
          fs.closeSync(open)
          fs.rmSync(temporary, { force: true })
        })
    )
    const room = Buffer.byteLength(options.describe(unknown).text)
    const content = Digest.hasher()
    const packed = Digest.hasher()
    const start = block + room + padding(room).length + block
    let size = 0
    const hashed = Stream.tap(options.content, (bytes) => Effect.sync(() => content.update(bytes)))
    yield* Stream.runForEach(compress(options.compression, hashed), (bytes) =>
      attempt(() => {
        packed.update(bytes)
        writeAll(descriptor, bytes, start + size)
        size += bytes.length
      })).pipe(Effect.mapError((error) => error instanceof PackingDamaged
        ? new StorageFailed({ operation: "packing a zone archive", path: options.path, detail: error.message })
        : error))
    const described = options.describe({ digest: packed.finish(), contentDigest: content.finish(), size })
    yield* attempt(() => {
      // Blanks after the text fill what was left for larger numbers.
      const manifest = Buffer.from(described.text.padEnd(room - (Buffer.byteLength(described.text) - described.text.length)))
      writeAll(descriptor, Buffer.concat([memberHeader(manifestName, room), manifest, padding(room), memberHeader(described.member, size)]), 0)
      writeAll(descriptor, Buffer.concat([padding(size), endOfArchive]), start + size)
      fs.fsyncSync(descriptor)
      fs.renameSync(temporary, options.path)
      const folder = fs.openSync(dirname(options.path), "r")
      try {
        fs.fsyncSync(folder)
      } finally {
        fs.closeSync(folder)
      }
    })
    return described.manifest
  }))
}

interface Member {
  readonly path: string
  readonly size: number
  /** Where its bytes begin. */
  readonly offset: number
}

const readAt = (descriptor: number, position: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  let read = 0
  for (let more = -1; read < length && more !== 0; read += more) more = fs.readSync(descriptor, bytes, read, length - read, position + read)
  return bytes.subarray(0, read)
}

/** The headers of all members by their places, without reading what is between them; at most so many. */
const membersOf = (descriptor: number, length: number): ReadonlyArray<Member> => {
  const members: Array<Member> = []
  for (let at = 0; at < length && members.length < 4;) {
    const header = readAt(descriptor, at, block)
    if (header.length === block && header.every((byte) => byte === 0)) break
    let found: Member | undefined
    const parser = new TarParser({
      entry: ({ kind, path, size }) => {
        found = kind === "file" ? { path, size, offset: at + block } : undefined
      },
      data: () => {},
      end: () => {}
    })
    parser.push(header)
    if (found === undefined) throw new TarInvalid({ message: "it has members that are no plain files" })
    members.push(found)
    at += block + found.size + padding(found.size).length
    if (at > length) throw new TarInvalid({ message: "it is cut off" })
  }
  return members
}

/** The text of the manifest, and the members that follow it. */
export const readManifest = (path: string): Effect.Effect<{ readonly text: string; readonly members: ReadonlyArray<Member> }, ImageError> =>
  Effect.try({
    try: () => {
      const descriptor = fs.openSync(path, "r")
      try {
        const [first, ...members] = membersOf(descriptor, fs.fstatSync(descriptor).size)
        if (first?.path !== manifestName || first.size > manifestLimit) throw new TarInvalid({ message: `its first member is not ${manifestName}` })
        return { text: readAt(descriptor, first.offset, first.size).toString("utf8"), members }
      } finally {
        fs.closeSync(descriptor)
      }
    },
    catch: (cause) =>
      cause instanceof TarInvalid
        ? new InvalidManifest({ source: path, what: "zone archive", reason: cause.message })
        : fromFiles("reading a zone archive", path)(cause)
  })

const pieceSize = 256 * 1024

/** The bytes of a member; fails at the end when they are not those of the digest. */
export const payload = (path: string, offset: number, size: number, digest: Digest.Digest): Stream.Stream<Uint8Array, ImageError> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const failed = fromFiles("reading a zone archive", path)
    const descriptor = yield* Effect.acquireRelease(
      Effect.try({ try: () => fs.openSync(path, "r"), catch: failed }),
      (open) => Effect.sync(() => fs.closeSync(open))
    )
    const hasher = Digest.hasher(Digest.algorithm(digest))
    const bytes = Stream.unfoldEffect(0, (at) =>
      Effect.try({
        try: () => {
          if (at >= size) return undefined
          const piece = readAt(descriptor, offset + at, Math.min(pieceSize, size - at))
          if (piece.length === 0) throw new Error("the file became shorter while it was read")
          hasher.update(piece)
          return piece
        },
        catch: failed
      }).pipe(Effect.map((piece) => Option.map(Option.fromNullable(piece), (found) => [found, at + found.length] as const))))
    const verified = Effect.suspend(() => {
      const actual = hasher.finish()
      return actual === digest ? Effect.void : new DigestMismatch({ source: path, expected: digest, actual })
    })
    return Stream.concat(bytes, Stream.drain(Stream.fromEffect(verified)))
  }))
