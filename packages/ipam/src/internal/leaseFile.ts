import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as AddressPool from "../AddressPool.js"
import { LeaseFileCorrupt, LeaseStorageFailed } from "../IpamError.js"
import { LeaseTable } from "./leaseTable.js"

const Content = Schema.Struct({
  version: Schema.Literal(1),
  cidr: Schema.String,
  /** The address whose turn it is. */
  next: Schema.String,
  leases: Schema.Array(Schema.Tuple(Schema.String, Schema.String))
})

const decodeContent = Schema.decodeUnknownEither(Schema.parseJson(Content))
const encodeContent = Schema.encodeSync(Schema.parseJson(Content))

const checksum = (text: string): string => createHash("sha256").update(text).digest("hex")

/** The content on one line, its checksum on the next. */
export const encode = (table: LeaseTable): string => {
  const text = encodeContent({
    version: 1,
    cidr: table.pool.cidr,
    next: AddressPool.addressAt(table.pool, table.cursor),
    leases: table.entries().map(([owner, offset]) => [owner, AddressPool.addressAt(table.pool, offset)] as const)
  })
  return `${text}\n${checksum(text)}\n`
}

/** Refuses everything `encode` did not write for this very pool. */
export const decode = (
  path: string,
  pool: AddressPool.AddressPool,
  text: string
): Either.Either<LeaseTable, LeaseFileCorrupt> => {
  const refuse = (reason: string) => Either.left(new LeaseFileCorrupt({ path, reason }))
  const [line = "", sum = "", end = "?", ...rest] = text.split("\n")
  if (end !== "" || rest.length > 0) return refuse("it does not consist of a line of content and a checksum")
  if (checksum(line) !== sum) return refuse("the checksum does not match the content")
  const content = decodeContent(line)
  if (Either.isLeft(content)) return refuse("it is not a lease file of version 1")
  const { cidr, leases, next } = content.right
  if (cidr !== pool.cidr) return refuse(`it was written for the pool ${cidr}, not for ${pool.cidr}`)

  const table = new LeaseTable(pool)
  for (const [owner, address] of leases) {
    const offset = AddressPool.offsetOf(pool, address)
    if (Either.isLeft(offset)) return refuse(`it leases ${address} to ${owner}: ${offset.left.reason}`)
    if (table.offsetOf(owner) !== undefined || table.holderOf(offset.right) !== undefined) {
      return refuse(`it leases ${address} to ${owner} a second time`)
    }
    table.take(owner, offset.right)
  }
  // The turn may be at an address that is itself reserved, so it is only looked at as a position.
  const cursor = AddressPool.positionOf(pool, next)
  if (cursor === undefined) return refuse(`its next address ${next} is outside the pool`)
  table.moveCursor(cursor)
  return Either.right(table)
}

const failed = (path: string, operation: string) => (error: PlatformError) =>
  new LeaseStorageFailed({ path, operation, detail: error.message })

/** The table in the file; an empty one when there is no file yet. */
export const load = (
  fileSystem: FileSystem.FileSystem,
  path: string,
  pool: AddressPool.AddressPool
): Effect.Effect<LeaseTable, LeaseFileCorrupt | LeaseStorageFailed> =>
  fileSystem.readFileString(path).pipe(
    Effect.map((text) => decode(path, pool, text)),
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed(Either.right(new LeaseTable(pool)))
    ),
    Effect.mapError(failed(path, "reading")),
    Effect.flatten
  )

/** Old or new content, never a mixture: a new file, on disk before it takes the name. */
export const save = (
  fileSystem: FileSystem.FileSystem,
  path: string,
  table: LeaseTable
): Effect.Effect<void, LeaseStorageFailed> => {
  const temporary = `${path}.new`
  const directory = path.slice(0, Math.max(1, path.lastIndexOf("/")))
  const write = Effect.gen(function*() {
    // One that a crash left behind may have another mode.
    yield* fileSystem.remove(temporary, { force: true })
    const file = yield* fileSystem.open(temporary, { flag: "wx", mode: 0o600 })
    yield* file.writeAll(new TextEncoder().encode(encode(table)))
    yield* file.sync
  }).pipe(Effect.scoped, Effect.mapError(failed(path, "writing")))
  const publish = Effect.gen(function*() {
    yield* fileSystem.rename(temporary, path)
    // The rename itself is durable only with its directory.
    const parent = yield* fileSystem.open(directory, { flag: "r" })
    yield* parent.sync
  }).pipe(Effect.scoped, Effect.mapError(failed(path, "renaming")))
  return Effect.zipRight(write, publish)
}
