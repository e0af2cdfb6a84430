/**
 * The former versions of one object as they lie in the database: one blob, the newest version first, so that a version is added in
 * front and those that are too many are cut off behind, without a look at what is between.
 *
 * Layout of an entry: its length, type and packing, revision, create revision, when it was replaced, the revision that it is a
 * difference to (0 for none), the length of its origin, its origin, its bytes.
 */
import type { ChangeType } from "../ObjectStore.js"
import { SqliteCode } from "./sqliteValue.js"
import { Packing } from "./versionDelta.js"

/** What each row costs beside its bytes: its key, its numbers, and its place in the index. */
export const overhead = 160

/** A former version, packed. */
export interface Entry {
  readonly type: ChangeType
  readonly revision: number
  readonly createRevision: number
  /** When it was replaced, in milliseconds since the epoch. */
  readonly replaced: number
  /** The revision of the version that is needed to unpack it. */
  readonly base: number | undefined
  /** As `Origins.encode` gives it. */
  readonly origin: string
  readonly packing: Packing
  readonly bytes: Uint8Array
}

const types: ReadonlyArray<ChangeType> = ["create", "update", "delete"]
const packings: ReadonlyArray<Packing> = [Packing.whole, Packing.zstdWhole, Packing.delta, Packing.zstdDelta]
const replacedAt = 4 + 1 + 6 + 6
const headLength = replacedAt + 6 + 6 + 4

const damaged = (detail: string): Error =>
  Object.assign(new Error(`the history of an object cannot be read: ${detail}`), { errcode: SqliteCode.corrupt })

export const encode = (entry: Entry): Buffer => {
  const originLength = Buffer.byteLength(entry.origin)
  const buffer = Buffer.allocUnsafe(headLength + originLength + entry.bytes.length)
  let at = buffer.writeUInt32BE(buffer.length, 0)
  at = buffer.writeUInt8(types.indexOf(entry.type) << 4 | entry.packing, at)
  at = buffer.writeUIntBE(entry.revision, at, 6)
  at = buffer.writeUIntBE(entry.createRevision, at, 6)
  at = buffer.writeUIntBE(Math.max(0, Math.floor(entry.replaced)), at, 6)
  at = buffer.writeUIntBE(entry.base ?? 0, at, 6)
  at = buffer.writeUInt32BE(originLength, at)
  at += buffer.write(entry.origin, at)
  buffer.set(entry.bytes, at)
  return buffer
}

/** A row as a buffer, without a copy. */
export const bufferOf = (row: Uint8Array): Buffer => Buffer.from(row.buffer, row.byteOffset, row.byteLength)

/** Where the entry that begins at `at` ends. */
export const endOf = (row: Buffer, at: number): number => {
  const end = at + headLength > row.length ? Infinity : at + row.readUInt32BE(at)
  if (end < at + headLength || end > row.length) throw damaged("it ends too early")
  return end
}

/** When the entry that begins at `at` was replaced. */
export const replacedOf = (row: Buffer, at: number): number => row.readUIntBE(at + replacedAt, 6)

/** The entry that begins at `at`. Its bytes are a part of the row. */
export const read = (row: Buffer, at: number): Entry => {
  const end = endOf(row, at)
  const kind = row.readUInt8(at + 4)
  const type = types[kind >> 4]
  const packing = packings[kind & 15]
  const base = row.readUIntBE(at + replacedAt + 6, 6)
  const originAt = at + headLength
  const bytesAt = originAt + row.readUInt32BE(originAt - 4)
  if (type === undefined || packing === undefined || bytesAt > end) throw damaged("an unknown entry")
  return {
    type,
    packing,
    revision: row.readUIntBE(at + 5, 6),
    createRevision: row.readUIntBE(at + 11, 6),
    replaced: replacedOf(row, at),
    base: base === 0 ? undefined : base,
    origin: row.toString("utf8", originAt, bytesAt),
    bytes: row.subarray(bytesAt, end)
  }
}

/** All entries, the newest first. */
export function* entries(row: Buffer): Iterable<Entry> {
  for (let at = 0; at < row.length; at = endOf(row, at)) yield read(row, at)
}
