/** The files of the content store: names, durable publication, and what a crash may have left behind. */
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"
import * as Digest from "../Digest.js"
import { DiskFull, StorageFailed } from "../ImageError.js"

const codeOf = (cause: unknown): unknown => (typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined)

/** What a failed file operation means to whoever wants an image. */
export const storageError = (operation: string, path: string) => (error: PlatformError): DiskFull | StorageFailed => {
  const code = error._tag === "SystemError" ? codeOf(error.cause) : undefined
  return code === "ENOSPC" || code === "EDQUOT"
    ? new DiskFull({ path, detail: `${operation}: ${error.message}` })
    : new StorageFailed({ operation, path, detail: error.message, cause: error })
}

const failed = (operation: string, path: string) => (error: PlatformError): StorageFailed =>
  new StorageFailed({ operation, path, detail: error.message, cause: error })

const isMissing = (error: PlatformError): boolean => error._tag === "SystemError" && error.reason === "NotFound"

/** Owners of this process that are open: a claim of another owner with this process' id is of a former life of the id. */
const openOwners = new Set<string>()

/** A partial file that one fetch writes. */
export interface Claim {
  readonly digest: Digest.Digest
  readonly path: string
  /** Bytes it had when it was claimed. */
  readonly present: number
}

/** Files of one store, for one open store ("owner"). */
export class BlobFiles {
  readonly owner = `${process.pid}-${randomBytes(4).toString("hex")}`
  private readonly fs: FileSystem.FileSystem
  readonly directory: string
  /** Claims of one owner differ, too: a fetch that is being given up may still hold its file when the next one begins. */
  private claims = 0

  constructor(fs: FileSystem.FileSystem, directory: string) {
    this.fs = fs
    this.directory = directory
  }

  blob(digest: Digest.Digest): string {
    return `${this.directory}/blobs/${Digest.algorithm(digest)}/${Digest.hex(digest)}`
  }

  /** The partial file nobody writes. */
  private free(digest: Digest.Digest): string {
    return `${this.directory}/partial/${Digest.algorithm(digest)}-${Digest.hex(digest)}`
  }

  /** A file for a stream whose digest is not known yet. */
  scratch(): string {
    return `${this.directory}/partial/ingest-${randomBytes(8).toString("hex")}.${this.owner}`
  }

  /** Makes the folders and takes over what dead owners left. */
  readonly open = (options: { readonly isRunning: (pid: number) => boolean; readonly partialMaxAge: number }): Effect.Effect<void, StorageFailed> =>
    Effect.gen(this, function*() {
      openOwners.add(this.owner)
      for (const folder of ["", "/blobs/sha256", "/blobs/sha512", "/partial"]) {
        yield* this.fs.makeDirectory(`${this.directory}${folder}`, { recursive: true, mode: 0o700 })
      }
      const now = yield* Clock.currentTimeMillis
      for (const name of yield* this.fs.readDirectory(`${this.directory}/partial`)) {
        yield* this.recover(name, now, options)
      }
    }).pipe(Effect.mapError(failed("opening the content store", this.directory)))

  readonly close = Effect.sync(() => openOwners.delete(this.owner))

  private recover(
    name: string,
    now: number,
    options: { readonly isRunning: (pid: number) => boolean; readonly partialMaxAge: number }
  ): Effect.Effect<void, PlatformError> {
    const path = `${this.directory}/partial/${name}`
    return Effect.gen(this, function*() {
      const dot = name.indexOf(".")
      const owner = dot < 0 ? undefined : name.slice(dot + 1).split(".")[0]
      const info = yield* this.fs.stat(path)
      const old = Option.match(info.mtime, { onNone: () => false, onSome: (mtime) => now - mtime.getTime() > options.partialMaxAge })
      if (owner !== undefined && !old) {
        const pid = Number(owner.split("-")[0])
        const alive = pid === process.pid ? openOwners.has(owner) : Number.isSafeInteger(pid) && pid > 0 && options.isRunning(pid)
        if (alive) return
      }
      // An id of a process can be taken again: a file that has not changed for so long has no writer, whoever has the id.
      if (old || name.startsWith("ingest-")) {
        yield* this.fs.remove(path, { force: true })
        return
      }
      if (owner !== undefined) yield* this.giveBack(path, `${this.directory}/partial/${name.slice(0, dot)}`)
    }).pipe(Effect.catchIf(isMissing, () => Effect.void))
  }

  /** The longer one of a claimed and a free partial file stays, free. */
  private giveBack(claimed: string, free: string): Effect.Effect<void, PlatformError> {
    return Effect.gen(this, function*() {
      const mine = yield* this.fs.stat(claimed)
      const other = yield* Effect.option(this.fs.stat(free))
      yield* mine.size === 0n || (Option.isSome(other) && other.value.size >= mine.size)
        ? this.fs.remove(claimed, { force: true })
        : this.fs.rename(claimed, free)
    })
  }

  /** Takes the partial file of a digest, if there is one; nobody else can write it then. */
  readonly claim = (digest: Digest.Digest): Effect.Effect<Claim, DiskFull | StorageFailed> =>
    Effect.suspend(() => {
      this.claims += 1
      const free = this.free(digest)
      const path = `${free}.${this.owner}.${this.claims}`
      return this.fs.rename(free, path).pipe(
        Effect.zipRight(Effect.map(this.fs.stat(path), (info) => Number(info.size))),
        Effect.catchIf(isMissing, () => Effect.succeed(0)),
        Effect.mapBoth({ onFailure: storageError("claiming a partial blob", free), onSuccess: (present) => ({ digest, path, present }) })
      )
    })

  /** Leaves the claimed file for the next fetch. Nothing is lost if that does not work: it is found again when a store opens. */
  readonly release = (claim: Claim): Effect.Effect<void> => Effect.ignore(this.giveBack(claim.path, this.free(claim.digest)))

  /** Gives a complete and synced file its name, durably. */
  readonly publish = (from: string, digest: Digest.Digest): Effect.Effect<void, DiskFull | StorageFailed> => {
    const to = this.blob(digest)
    return Effect.gen(this, function*() {
      yield* this.fs.chmod(from, 0o400)
      yield* this.fs.rename(from, to)
      const folder = yield* this.fs.open(to.slice(0, to.lastIndexOf("/")), { flag: "r" })
      yield* folder.sync
    }).pipe(Effect.scoped, Effect.mapError(storageError(`keeping ${digest}`, to)))
  }

  readonly size = (digest: Digest.Digest): Effect.Effect<number | undefined, StorageFailed> =>
    this.fs.stat(this.blob(digest)).pipe(
      Effect.map((info): number | undefined => Number(info.size)),
      Effect.catchIf(isMissing, () => Effect.succeed(undefined)),
      Effect.mapError(failed("looking up a blob", this.blob(digest)))
    )

  /** Sizes of the files in a folder; those that vanish meanwhile are left out. */
  readonly sizes = (folder: string): Effect.Effect<ReadonlyArray<readonly [name: string, size: number]>, StorageFailed> =>
    this.fs.readDirectory(`${this.directory}/${folder}`).pipe(
      Effect.flatMap(Effect.forEach((name) =>
        this.fs.stat(`${this.directory}/${folder}/${name}`).pipe(
          Effect.map((info) => [[name, Number(info.size)] as const]),
          Effect.catchIf(isMissing, () => Effect.succeed([]))
        )
      )),
      Effect.map((found) => found.flat()),
      Effect.mapError(failed("listing", `${this.directory}/${folder}`))
    )

  readonly remove = (path: string): Effect.Effect<void, StorageFailed> =>
    Effect.mapError(this.fs.remove(path, { force: true }), failed("removing", path))
}
