/**
 * The blobs of images on this host, by digest.
 *
 * A blob is visible under its digest only when it is complete, verified and on disk; whatever a crash leaves behind is a partial file
 * that the next fetch continues. The folder is also the `blobs` folder of an OCI image layout.
 *
 *     <directory>/blobs/<algorithm>/<hex>          complete
 *     <directory>/partial/<algorithm>-<hex>        to be continued
 *     <directory>/partial/<algorithm>-<hex>.<who>  being written by a process
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { BlobSource } from "./BlobSource.js"
import type { Digest } from "./Digest.js"
import type { ImageError, StorageFailed } from "./ImageError.js"
import type { Descriptor } from "./ImageManifest.js"
import { make } from "./internal/blobStore.js"

/** Where blobs are kept and how much of them. @category models */
export interface Options {
  /** A folder of its own; made if it does not exist, with mode 0700. */
  readonly directory: string
  /** Largest blob, in bytes: 64 GiB unless given. */
  readonly maxBlobBytes?: number
  /** Blobs that are written at the same time: 8 unless given. Further ones wait. */
  readonly concurrency?: number
  /** Age in milliseconds at which a partial file that nobody writes is thrown away when the store opens: 7 days unless given. */
  readonly partialMaxAge?: number
  /**
   * Whether a process may still be writing here, by its id. Asked once per claimed partial file when the store opens; unless given, the
   * system is asked.
   */
  readonly isRunning?: (pid: number) => boolean
}

/** What a fetch did. @category models */
export interface Fetched {
  /** Whether any byte had to be fetched for it, by this or a concurrent fetch of the same blob. */
  readonly transferred: boolean
}

/** Bytes of a blob that are here, of all its bytes. @category models */
export interface Progress {
  readonly received: number
  readonly total: number
}

/** A complete blob. @category models */
export interface StoredBlob {
  readonly digest: Digest
  /** In bytes. */
  readonly size: number
}

/** What the store takes on disk, in bytes. @category models */
export interface Usage {
  readonly blobs: number
  readonly partial: number
}

/** The content store of this host. @category services */
export class BlobStore extends Context.Tag("@reddwarf/images/BlobStore")<BlobStore, {
  /** Opens complete blobs; fails with `NotFound` for others. `name` is the folder. */
  readonly source: BlobSource
  /** The size of a complete blob in bytes; undefined if it is not here. */
  readonly size: (digest: Digest) => Effect.Effect<number | undefined, StorageFailed>
  /**
   * Makes sure that a blob is here. Concurrent fetches of one blob share one transfer, which goes on as long as one of them waits; if it
   * fails, each waiting fetch tries its own source. A partial file is continued. The progress is told now and then, from any fetch.
   */
  readonly fetch: (
    blob: Descriptor,
    from: BlobSource,
    onProgress?: (progress: Progress) => Effect.Effect<void>
  ) => Effect.Effect<Fetched, ImageError>
  /** Keeps bytes at hand. */
  readonly put: (bytes: Uint8Array) => Effect.Effect<StoredBlob, ImageError>
  /** Keeps a stream whose digest is not known yet; fails with `DigestMismatch` if one was expected and it is another. */
  readonly ingest: <E>(bytes: Stream.Stream<Uint8Array, E>, expected?: Digest) => Effect.Effect<StoredBlob, E | ImageError>
  /** Keeps blobs, present or not yet, from being removed while the scope is open. */
  readonly hold: (digests: Iterable<Digest>) => Effect.Effect<void, never, Scope.Scope>
  /** Keeps everything from being removed while the scope is open: for imports, whose blobs are known only when they are here. */
  readonly holdAll: Effect.Effect<void, never, Scope.Scope>
  /** Every complete blob. */
  readonly list: Effect.Effect<ReadonlyArray<StoredBlob>, StorageFailed>
  /** Removes a blob. False if it stays: held, being fetched, or not here. */
  readonly remove: (digest: Digest) => Effect.Effect<boolean, StorageFailed>
  /** Removes the partial files that nobody writes; they are fetched from the beginning next time. */
  readonly removePartial: Effect.Effect<void, StorageFailed>
  readonly usage: Effect.Effect<Usage, StorageFailed>
}>() {}

/** The store in a folder. Fails if the folder cannot be used. @category layers */
export const layer = (options: Options): Layer.Layer<BlobStore, StorageFailed, FileSystem.FileSystem> =>
  Layer.scoped(BlobStore, make(options))
