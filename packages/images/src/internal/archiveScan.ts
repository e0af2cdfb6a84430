/** Reads an archive of images once and brings its blobs into the content store. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Mailbox from "effect/Mailbox"
import * as Stream from "effect/Stream"
import type { BlobStore, StoredBlob } from "../BlobStore.js"
import * as Digest from "../Digest.js"
import { type ImageError, InvalidManifest, SizeMismatch, UnsupportedMedia } from "../ImageError.js"
import type { Compression } from "../MediaType.js"
import { compressionOf, decompressed, PackingDamaged } from "./decompressed.js"
import { type TarEntry, TarInvalid, TarParser } from "./tarParser.js"

/** A file of the archive. */
export interface ArchiveFile {
  /** What it is in the store; absent for links. */
  readonly blob?: StoredBlob
  /** How it is packed itself. */
  readonly compression: Compression
  /** Its bytes, for the small files that describe the archive. */
  readonly content?: Uint8Array
  /** The file a link stands for. */
  readonly target?: string
}

type Action =
  | { readonly kind: "entry"; readonly entry: TarEntry }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "end" }

const maxDescriptionBytes = 4 * 1024 * 1024
const maxFiles = 100_000
const maxBuffered = 4
const descriptions: ReadonlySet<string> = new Set(["index.json", "manifest.json", "oci-layout", "repositories"])
/** Folders of root file systems: who sees one has been given something else than images. */
const rootFolders = /^(?:etc|usr|bin|sbin|lib|lib64|var|root|opt|home|native)\//

const normalised = (path: string): string => path.replace(/^(?:\.?\/)+/, "").replaceAll(/\/(?:\.?\/)+/g, "/")

/** A link target, seen from the folder of the link. */
const resolveTarget = (path: string, target: string): string => {
  const parts = path.split("/").slice(0, -1)
  for (const part of target.split("/")) {
    if (part === "..") parts.pop()
    else if (part !== "." && part !== "") parts.push(part)
  }
  return parts.join("/")
}

const blobPath = (path: string): Digest.Digest | undefined => {
  const parts = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(path)
  const digest = `${parts?.[1] ?? ""}:${parts?.[2] ?? ""}`
  return Digest.isDigest(digest) ? digest : undefined
}

/** A file that is being brought into the store. */
interface Current {
  readonly path: string
  readonly mailbox: Mailbox.Mailbox<Uint8Array>
  readonly fiber: Fiber.Fiber<StoredBlob, ImageError>
  readonly kept: Array<Uint8Array> | undefined
  head: Uint8Array
}

const headBytes = 6

const foreignPacking = (head: Uint8Array): string | undefined => {
  const text = Buffer.from(head).toString("latin1")
  return text.startsWith("\xfd7zXZ\0") ? "xz" : text.startsWith("BZh") ? "bzip2" : undefined
}

/** Refuses packings that cannot be read, by what they are instead of as damaged archives. */
export const refuseForeignPacking = (where: string, bytes: Stream.Stream<Uint8Array, ImageError>): Stream.Stream<Uint8Array, ImageError> =>
  Stream.mapAccumEffect(bytes, new Uint8Array(0), (head, chunk) => {
    if (head.length >= headBytes) return Effect.succeed([head, chunk] as const)
    const longer = Buffer.concat([head, chunk.subarray(0, headBytes)])
    const packing = foreignPacking(longer)
    return packing === undefined
      ? Effect.succeed([longer, chunk] as const)
      : new UnsupportedMedia({ source: where, media: `packing by ${packing}`, advice: "unpack the file, or pack it by gzip or zstd" })
  })

export const scan = (
  where: string,
  bytes: Stream.Stream<Uint8Array, ImageError>,
  store: typeof BlobStore.Service
): Effect.Effect<ReadonlyMap<string, ArchiveFile>, ImageError> =>
  Effect.scoped(Effect.gen(function*() {
    const invalid = (reason: string) => new InvalidManifest({ source: where, what: "image archive", reason })
    const files = new Map<string, ArchiveFile>()
    let actions: Array<Action> = []
    const parser = new TarParser({
      entry: (entry) => void actions.push({ kind: "entry", entry }),
      data: (bytes) => void actions.push({ kind: "data", bytes }),
      end: () => void actions.push({ kind: "end" })
    })
    let current: Current | undefined

    const refusal = (path: string, entry: TarEntry): ImageError | undefined =>
      rootFolders.test(path)
        ? invalid(`it holds ${path}: it is a root file system and has to be imported as one`)
        : files.size >= maxFiles
        ? invalid(`it has more than ${maxFiles} files`)
        : descriptions.has(path) && entry.size > maxDescriptionBytes
        ? new SizeMismatch({ source: where, what: path, detail: `its ${entry.size} bytes are more than the ${maxDescriptionBytes} allowed` })
        : undefined

    const begin = (entry: TarEntry) =>
      Effect.gen(function*() {
        const path = normalised(entry.path)
        const refused = refusal(path, entry)
        yield* refused === undefined ? Effect.void : Effect.fail(refused)
        if (entry.kind === "symlink" || entry.kind === "link") {
          files.set(path, { compression: "none", target: entry.kind === "link" ? normalised(entry.target) : resolveTarget(path, entry.target) })
        }
        if (entry.kind !== "file") return
        const mailbox = yield* Mailbox.make<Uint8Array>({ capacity: maxBuffered })
        const fiber = yield* store.ingest(Mailbox.toStream(mailbox), blobPath(path)).pipe(
          // Whoever still offers bytes to a file that cannot be kept must not wait for ever.
          Effect.onExit((exit) => (Exit.isSuccess(exit) ? Effect.void : mailbox.shutdown)),
          Effect.forkScoped
        )
        current = { path, mailbox, fiber, kept: descriptions.has(path) ? [] : undefined, head: new Uint8Array(0) }
      })

    const data = (bytes: Uint8Array) =>
      Effect.suspend(() => {
        if (current === undefined) return Effect.void
        if (current.head.length < headBytes) current.head = Buffer.concat([current.head, bytes.subarray(0, headBytes)])
        current.kept?.push(bytes)
        return Effect.asVoid(current.mailbox.offer(bytes))
      })

    const end = Effect.suspend(() => {
      const ended = current
      current = undefined
      if (ended === undefined) return Effect.void
      return Effect.map(Effect.zipRight(ended.mailbox.end, Fiber.join(ended.fiber)), (blob) =>
        void files.set(ended.path, {
          blob,
          compression: compressionOf(ended.head),
          ...(ended.kept === undefined ? {} : { content: Buffer.concat(ended.kept) })
        }))
    })

    const parse = (step: () => void): Effect.Effect<ReadonlyArray<Action>, InvalidManifest> =>
      Effect.try({
        try: () => {
          actions = []
          step()
          return actions
        },
        catch: (cause) => invalid(cause instanceof TarInvalid ? cause.message : String(cause))
      })

    const perform = (action: Action): Effect.Effect<void, ImageError, Effect.Effect.Context<ReturnType<typeof begin>>> =>
      action.kind === "entry" ? begin(action.entry) : action.kind === "data" ? data(action.bytes) : end

    yield* decompressed(refuseForeignPacking(where, bytes)).pipe(
      Stream.runForEach((chunk) => Effect.flatMap(parse(() => parser.push(chunk)), Effect.forEach(perform, { discard: true }))),
      Effect.mapError((error): ImageError => (error instanceof PackingDamaged ? invalid(error.message) : error))
    )
    yield* Effect.flatMap(parse(() => parser.finish()), Effect.forEach(perform, { discard: true }))
    return files
  }))
