/**
 * Many small versions in one blob: heartbeats and events resemble each other so much that they take a tenth of their size
 * together. Layout of an entry: type, length of the key, revision, create revision, length of the bytes, key, bytes.
 */
import * as Zlib from "node:zlib"
import type { ChangeType } from "../ObjectStore.js"
import { SqliteCode } from "./sqliteValue.js"

/** A version as it lies in a segment. */
export interface Entry {
  readonly key: string
  readonly type: ChangeType
  readonly revision: number
  readonly createRevision: number
  readonly bytes: Uint8Array
}

const types: ReadonlyArray<ChangeType> = ["create", "update", "delete"]
const headLength = 1 + 2 + 6 + 6 + 4

/** Segments are made of about this many bytes. */
export const targetBytes = 1024 * 1024

const nothing = new Uint8Array(0)

/** The entries as one buffer; of a deletion only that it happened. */
export const encode = (entries: ReadonlyArray<Entry>): Buffer => {
  let length = 0
  const keys: Array<Buffer> = []
  for (const { bytes, key, type } of entries) {
    const encoded = Buffer.from(key, "utf8")
    keys.push(encoded)
    length += headLength + encoded.length + (type === "delete" ? 0 : bytes.length)
  }
  const buffer = Buffer.allocUnsafe(length)
  let at = 0
  entries.forEach((entry, i) => {
    const key = keys[i] ?? nothing
    const bytes = entry.type === "delete" ? nothing : entry.bytes
    at = buffer.writeUInt8(types.indexOf(entry.type), at)
    at = buffer.writeUInt16BE(key.length, at)
    at = buffer.writeUIntBE(entry.revision, at, 6)
    at = buffer.writeUIntBE(entry.createRevision, at, 6)
    at = buffer.writeUInt32BE(bytes.length, at)
    buffer.set(key, at)
    buffer.set(bytes, at + key.length)
    at += key.length + bytes.length
  })
  return buffer
}

const damaged = (cause: unknown): Error =>
  Object.assign(new Error("a segment of versions cannot be read", { cause }), { errcode: SqliteCode.corrupt })

const decode = (buffer: Buffer): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  for (let at = 0; at < buffer.length;) {
    const type = types[buffer.readUInt8(at)]
    if (type === undefined) throw damaged("unknown type")
    const keyAt = at + headLength
    const bytesAt = keyAt + buffer.readUInt16BE(at + 1)
    const end = bytesAt + buffer.readUInt32BE(at + 15)
    if (end > buffer.length) throw damaged("it ends too early")
    entries.push({
      type,
      key: buffer.toString("utf8", keyAt, bytesAt),
      revision: buffer.readUIntBE(at + 3, 6),
      createRevision: buffer.readUIntBE(at + 9, 6),
      // Its own copy: one version must not keep all the others of its segment in memory.
      bytes: new Uint8Array(buffer.subarray(bytesAt, end))
    })
    at = end
  }
  return entries
}

const level = { params: { [Zlib.constants.ZSTD_c_compressionLevel]: 3 } }

/** Packs encoded entries off the main thread. */
export const pack = (encoded: Buffer, done: (error: Error | null, packed: Buffer) => void): void =>
  Zlib.zstdCompress(encoded, level, done)

/** The same at once. */
export const packSync = (encoded: Buffer): Buffer => Zlib.zstdCompressSync(encoded, level)

/** The entries of a segment. */
export const read = (packed: Uint8Array): ReadonlyArray<Entry> => {
  try {
    return decode(Zlib.zstdDecompressSync(packed))
  } catch (cause) {
    throw damaged(cause)
  }
}

/** Entries in groups of about `targetBytes`, encoded. */
export const split = (entries: Iterable<Entry>): ReadonlyArray<Buffer> => {
  const buffers: Array<Buffer> = []
  let group: Array<Entry> = []
  let bytes = 0
  for (const entry of entries) {
    group.push(entry)
    bytes += entry.bytes.length + entry.key.length + headLength
    if (bytes < targetBytes) continue
    buffers.push(encode(group))
    group = []
    bytes = 0
  }
  if (group.length > 0) buffers.push(encode(group))
  return buffers
}
