import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as AddressPool from "../AddressPool.js"
import { LeaseFileCorrupt, LeaseStorageFailed } from "../IpamError.js"
import * as leaseRecords from "./leaseRecords.js"
import { LeaseTable, type Reuse } from "./leaseTable.js"

/** Makes changes durable that were made to the table already. One call at a time. */
export type Save = (table: LeaseTable, changes: ReadonlyArray<leaseRecords.Change>) => Effect.Effect<void, LeaseStorageFailed>

const failed = (path: string, operation: string) => (error: PlatformError) =>
  new LeaseStorageFailed({ path, operation, detail: error.message })

/** The table in the file; an empty one when there is no file yet. */
export const load = (
  fileSystem: FileSystem.FileSystem,
  path: string,
  pools: ReadonlyArray<AddressPool.AddressPool>,
  reuse: Reuse
): Effect.Effect<LeaseTable, LeaseFileCorrupt | LeaseStorageFailed> =>
  Effect.gen(function*() {
    const text = yield* fileSystem.readFileString(path).pipe(
      Effect.catchIf((error) => error._tag === "SystemError" && error.reason === "NotFound", () => Effect.succeed(undefined)),
      Effect.mapError(failed(path, "reading"))
    )
    if (text === undefined) return new LeaseTable(pools, reuse)
    const table = leaseRecords.decode(pools, reuse, text)
    return Either.isRight(table) ? table.right : yield* new LeaseFileCorrupt({ path, reason: table.left })
  })

/** A file that transactions are appended to. */
interface Open {
  readonly file: FileSystem.File
  readonly scope: Scope.CloseableScope
  /** Bytes of the checkpoint, and of everything that is known to be on disk. */
  readonly base: number
  size: number
  serial: number
}

/** Below this many bytes of transactions a new checkpoint is not worth it. */
const leastBytes = 64 * 1024

/**
 * Writes to the file at `path`. A transaction is one appended line, so it costs the same however many leases there are. When the
 * transactions have grown larger than the checkpoint before them, the next one is a checkpoint itself: then that is paid for.
 *
 * The first change of a program is always a checkpoint: that takes care of everything that came before it, such as a line that was cut off.
 */
export const makeSave = (fileSystem: FileSystem.FileSystem, path: string): Effect.Effect<Save, never, Scope.Scope> =>
  Effect.gen(function*() {
    const life = yield* Effect.scope
    const temporary = `${path}.new`
    const directory = path.slice(0, Math.max(1, path.lastIndexOf("/")))
    let open: Open | undefined

    const close = Effect.suspend(() => {
      const before = open
      open = undefined
      return before === undefined ? Effect.void : Scope.close(before.scope, Exit.void)
    })

    /** Old or new content, never a mixture: a new file, on disk before it takes the name. */
    const checkpoint = (table: LeaseTable) =>
      Effect.gen(function*() {
        yield* close
        const bytes = new TextEncoder().encode(leaseRecords.checkpoint(table))
        const scope = yield* Scope.fork(life, ExecutionStrategy.sequential)
        return yield* Effect.gen(function*() {
          // One that a crash left behind may have another mode.
          yield* Effect.mapError(fileSystem.remove(temporary, { force: true }), failed(path, "writing"))
          const file = yield* fileSystem.open(temporary, { flag: "wx", mode: 0o600 }).pipe(
            Scope.extend(scope),
            Effect.tap((file) => file.writeAll(bytes)),
            Effect.tap((file) => file.sync),
            Effect.mapError(failed(path, "writing"))
          )
          yield* Effect.gen(function*() {
            yield* fileSystem.rename(temporary, path)
            // The rename itself is durable only with its directory.
            const parent = yield* fileSystem.open(directory, { flag: "r" })
            yield* parent.sync
          }).pipe(Effect.scoped, Effect.mapError(failed(path, "renaming")))
          open = { file, scope, base: bytes.byteLength, size: bytes.byteLength, serial: 1 }
        }).pipe(Effect.onError(() => Scope.close(scope, Exit.void)))
      })

    const append = (to: Open, bytes: Uint8Array) =>
      to.file.writeAll(bytes).pipe(
        Effect.zipRight(to.file.sync),
        Effect.map(() => {
          to.size += bytes.byteLength
          to.serial += 1
        }),
        Effect.mapError(failed(path, "writing")),
        // What reached the file is taken away as well as possible; the next change replaces the file in any case.
        Effect.onError(() => Effect.zipRight(Effect.ignore(Effect.zipRight(to.file.truncate(to.size), to.file.sync)), close))
      )

    return (table, changes) =>
      Effect.suspend(() => {
        if (open === undefined || open.size - open.base > Math.max(leastBytes, open.base)) return checkpoint(table)
        return append(open, new TextEncoder().encode(leaseRecords.transaction(open.serial, changes)))
      })
  })
