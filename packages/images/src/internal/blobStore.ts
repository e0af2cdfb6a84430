/** The content store on a file system: transfers, shared by whoever waits for the same blob. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BlobSource } from "../BlobSource.js"
import type { BlobStore, Fetched, Options, Progress, StoredBlob } from "../BlobStore.js"
import * as Digest from "../Digest.js"
import { DigestMismatch, type ImageError, NotFound, SizeMismatch, type StorageFailed } from "../ImageError.js"
import type { Descriptor } from "../ImageManifest.js"
import { BlobFiles, type Claim, storageError } from "./blobFiles.js"

type Listener = (progress: Progress) => Effect.Effect<void>

interface Transfer {
  readonly fiber: Fiber.RuntimeFiber<void, ImageError>
  readonly listeners: Set<Listener>
  waiting: number
}

const readChunkBytes = 256 * 1024
const progressEveryMillis = 500
const day = 24 * 60 * 60 * 1000

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // Another user's process may not be signalled, but it is there.
    return typeof cause === "object" && cause !== null && "code" in cause && cause.code === "EPERM"
  }
}

export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<typeof BlobStore.Service, StorageFailed, FileSystem.FileSystem | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const scope = yield* Effect.scope
  const maxBlobBytes = options.maxBlobBytes ?? 64 * 1024 ** 3
  const writers = yield* Effect.makeSemaphore(options.concurrency ?? 8)
  const files = new BlobFiles(fs, options.directory)
  yield* Effect.acquireRelease(
    files.open({ isRunning: options.isRunning ?? isRunning, partialMaxAge: options.partialMaxAge ?? 7 * day }),
    () => files.close
  )

  const transfers = new Map<Digest.Digest, Transfer>()
  const holds = new Map<Digest.Digest, number>()
  let imports = 0
  const isHeld = (digest: Digest.Digest): boolean => imports > 0 || holds.has(digest)

  const source: BlobSource = {
    name: options.directory,
    open: (blob, from = 0) => {
      const path = files.blob(blob.digest)
      return Stream.mapError(fs.stream(path, { offset: FileSystem.Size(from), chunkSize: readChunkBytes }), (error) =>
        error._tag === "SystemError" && error.reason === "NotFound"
          ? new NotFound({ reference: options.directory, what: `blob ${blob.digest}`, source: options.directory })
          : storageError(`reading ${blob.digest}`, path)(error))
    }
  }

  /** Appends a stream to a file and says what the file holds then; on disk when it is done. */
  const append = <E>(
    path: string,
    bytes: Stream.Stream<Uint8Array, E>,
    take: (chunk: Uint8Array) => Effect.Effect<void, ImageError>
  ): Effect.Effect<void, E | ImageError> =>
    Effect.scoped(Effect.gen(function*() {
      const fail = storageError("writing a blob", path)
      const file = yield* Effect.mapError(fs.open(path, { flag: "a", mode: 0o600 }), fail)
      yield* Stream.runForEach(bytes, (chunk) => Effect.zipRight(take(chunk), Effect.mapError(file.writeAll(chunk), fail)))
      yield* Effect.mapError(file.sync, fail)
    }))

  /** Fetches what a claimed partial file lacks, checks the whole and publishes it. */
  const transfer = (claim: Claim, present: number, blob: Descriptor, from: BlobSource, tell: Listener): Effect.Effect<void, ImageError> =>
    Effect.gen(function*() {
      const wrongSize = (detail: string) => new SizeMismatch({ source: from.name, what: `blob ${blob.digest}`, detail })
      const hasher = Digest.hasher(Digest.algorithm(blob.digest))
      if (present > 0) {
        const reading = fs.stream(claim.path, { chunkSize: readChunkBytes })
        yield* Effect.mapError(Stream.runForEach(reading, (chunk) => Effect.sync(() => hasher.update(chunk))), storageError("reading a partial blob", claim.path))
      }
      let received = present
      let told = yield* Clock.currentTimeMillis
      yield* append(claim.path, present === blob.size ? Stream.empty : from.open(blob, present), (chunk) =>
        Effect.suspend((): Effect.Effect<void, ImageError> => {
          received += chunk.length
          if (received > blob.size) return Effect.zipRight(files.remove(claim.path), wrongSize(`it is longer than the ${blob.size} bytes that its manifest promises`))
          hasher.update(chunk)
          return Effect.flatMap(Clock.currentTimeMillis, (now) => {
            if (now - told < progressEveryMillis) return Effect.void
            told = now
            return tell({ received, total: blob.size })
          })
        }))
      if (received < blob.size) return yield* wrongSize(`it ended after ${received} of ${blob.size} bytes`)
      const actual = hasher.finish()
      if (actual !== blob.digest) {
        // Bytes that are wrong now would be wrong in the next fetch as well.
        yield* files.remove(claim.path)
        // The beginning may be what a power failure left of it: only a fetch of the whole says whether the source is to blame.
        if (present > 0) return yield* transfer(claim, 0, blob, from, tell)
        return yield* new DigestMismatch({ source: from.name, expected: blob.digest, actual })
      }
      yield* files.publish(claim.path, blob.digest)
      return yield* tell({ received, total: blob.size })
    })

  const fetchFile = (blob: Descriptor, from: BlobSource, tell: Listener): Effect.Effect<void, ImageError> =>
    writers.withPermits(1)(Effect.acquireUseRelease(
      files.claim(blob.digest),
      (claim) =>
        claim.present > blob.size
          ? Effect.zipRight(files.remove(claim.path), transfer(claim, 0, blob, from, tell))
          : transfer(claim, claim.present, blob, from, tell),
      (claim, exit) => (Exit.isSuccess(exit) ? Effect.void : files.release(claim))
    ))

  const start = (blob: Descriptor, from: BlobSource): Effect.Effect<Transfer> =>
    Effect.gen(function*() {
      const listeners = new Set<Listener>()
      const tell: Listener = (progress) => Effect.forEach(listeners, (listener) => listener(progress), { discard: true })
      // It outlives whoever started it, as long as others wait.
      const fiber = yield* Effect.forkIn(Effect.interruptible(fetchFile(blob, from, tell)), scope)
      const started: Transfer = { fiber, listeners, waiting: 0 }
      transfers.set(blob.digest, started)
      fiber.addObserver(() => {
        if (transfers.get(blob.digest) === started) transfers.delete(blob.digest)
      })
      return started
    })

  /** Waits for a transfer, existing or new; the last one to give up ends it. */
  const join = (blob: Descriptor, find: Effect.Effect<Transfer>, listener: Listener | undefined): Effect.Effect<void, ImageError> =>
    Effect.acquireUseRelease(
      Effect.tap(find, (joined) =>
        Effect.sync(() => {
          joined.waiting += 1
          if (listener !== undefined) joined.listeners.add(listener)
        })),
      ({ fiber }) => Effect.flatten(Fiber.await(fiber)),
      (joined) =>
        Effect.suspend(() => {
          joined.waiting -= 1
          if (listener !== undefined) joined.listeners.delete(listener)
          if (joined.waiting > 0) return Effect.void
          if (transfers.get(blob.digest) === joined) transfers.delete(blob.digest)
          return Fiber.interrupt(joined.fiber)
        })
    )

  const fetch = (blob: Descriptor, from: BlobSource, onProgress?: Listener): Effect.Effect<Fetched, ImageError> =>
    Effect.gen(function*() {
      const wrongSize = (detail: string) => new SizeMismatch({ source: from.name, what: `blob ${blob.digest}`, detail })
      if (blob.size > maxBlobBytes) return yield* wrongSize(`its ${blob.size} bytes are more than the ${maxBlobBytes} allowed for one blob`)
      const present = yield* files.size(blob.digest)
      if (present === blob.size) return { transferred: false }
      if (present !== undefined) return yield* wrongSize(`its manifest promises ${blob.size} bytes, but it has ${present}`)
      const running = transfers.get(blob.digest)
      yield* running === undefined
        ? join(blob, start(blob, from), onProgress)
        // Who joins did not choose the source: another registry, other credentials. Its failure is not the answer to this fetch.
        : Effect.catchAll(join(blob, Effect.succeed(running), onProgress), () => fetch(blob, from, onProgress))
      return { transferred: true }
    })

  const ingest = <E>(bytes: Stream.Stream<Uint8Array, E>, expected?: Digest.Digest): Effect.Effect<StoredBlob, E | ImageError> =>
    writers.withPermits(1)(Effect.acquireUseRelease(
      Effect.sync(() => files.scratch()),
      (path) =>
        Effect.gen(function*() {
          const hasher = Digest.hasher(expected === undefined ? "sha256" : Digest.algorithm(expected))
          let size = 0
          yield* append(path, bytes, (chunk) =>
            Effect.suspend(() => {
              size += chunk.length
              hasher.update(chunk)
              return size > maxBlobBytes
                ? new SizeMismatch({ source: options.directory, what: "stream", detail: `it is longer than the ${maxBlobBytes} bytes allowed for one blob` })
                : Effect.void
            }))
          const digest = hasher.finish()
          if (expected !== undefined && digest !== expected) return yield* new DigestMismatch({ source: "import", expected, actual: digest })
          if ((yield* files.size(digest)) === undefined) yield* files.publish(path, digest)
          return { digest, size }
        }),
      (path) => Effect.ignore(files.remove(path))
    ))

  const list = Effect.map(
    Effect.forEach(["sha256", "sha512"] as const, (algorithm) =>
      Effect.map(files.sizes(`blobs/${algorithm}`), (found) =>
        found.flatMap(([name, size]): ReadonlyArray<StoredBlob> => {
          const digest = `${algorithm}:${name}`
          return Digest.isDigest(digest) ? [{ digest, size }] : []
        }))),
    (found) => found.flat()
  )

  const total = (sizes: ReadonlyArray<readonly [string, number]>) => sizes.reduce((sum, [, size]) => sum + size, 0)

  return {
    source,
    size: files.size,
    fetch,
    put: (bytes) => ingest(Stream.make(bytes)),
    ingest,
    hold: (digests) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => {
          const held = [...digests]
          for (const digest of held) holds.set(digest, (holds.get(digest) ?? 0) + 1)
          return held
        }),
        (held) =>
          Effect.sync(() => {
            for (const digest of held) {
              const left = (holds.get(digest) ?? 1) - 1
              if (left === 0) holds.delete(digest)
              else holds.set(digest, left)
            }
          })
      )),
    holdAll: Effect.acquireRelease(
      Effect.sync(() => {
        imports += 1
      }),
      () =>
        Effect.sync(() => {
          imports -= 1
        })
    ),
    list,
    remove: (digest) =>
      Effect.suspend((): Effect.Effect<boolean, StorageFailed> => {
        if (isHeld(digest) || transfers.has(digest)) return Effect.succeed(false)
        return Effect.flatMap(files.size(digest), (size) =>
          // Somebody may have begun to hold it since.
          size === undefined || isHeld(digest) ? Effect.succeed(false) : Effect.as(files.remove(files.blob(digest)), true))
      }),
    removePartial: Effect.flatMap(files.sizes("partial"), (found) =>
      Effect.forEach(found.filter(([name]) => !name.includes(".")), ([name]) => files.remove(`${options.directory}/partial/${name}`), { discard: true })),
    usage: Effect.gen(function*() {
      const blobs = yield* list
      return { blobs: blobs.reduce((sum, { size }) => sum + size, 0), partial: total(yield* files.sizes("partial")) }
    })
  }
})
