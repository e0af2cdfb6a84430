/**
 * Reads tar archives of unknown origin, byte for byte, without holding more of them than one block and one extended header.
 *
 * Names, link targets and extended attributes are bytes, not text: they are kept as they are, in strings of one byte to a character
 * (`latin1`). The libraries at hand decode them as UTF-8, which changes binary attributes and names of other encodings. Plain synchronous
 * functions on the hot path of unpacking.
 */
import * as Data from "effect/Data"

/** The archive cannot be read. */
export class TarInvalid extends Data.TaggedError("TarInvalid")<{ readonly message: string }> {}

/** What an entry makes. */
export type EntryKind = "file" | "link" | "symlink" | "directory" | "fifo" | "character" | "block"

/** The header of one entry, extended headers applied. */
export interface TarEntry {
  readonly kind: EntryKind
  /** Bytes as `latin1`, exactly as in the archive. */
  readonly path: string
  /** Target of a link, bytes as `latin1`; empty otherwise. */
  readonly target: string
  /** Permissions with setuid, setgid and sticky bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content that follow; 0 for everything but files (and folders that are marked as files with a slash). */
  readonly size: number
  /** Seconds since the epoch, with fractions. */
  readonly mtime: number
  /** Extended attributes by name (`latin1`). */
  readonly attributes: ReadonlyMap<string, Buffer>
}

/** Told what is in the archive, in its order: an entry, its content in pieces, its end. */
export interface TarHandler {
  readonly entry: (entry: TarEntry) => void
  readonly data: (bytes: Uint8Array) => void
  readonly end: () => void
}

const blockSize = 512
/** Of extended headers and long names: far more than any real one, far less than what would hurt. */
const metaLimit = 1024 * 1024
const pathLimit = 4096

const invalid = (message: string): TarInvalid => new TarInvalid({ message })

/** Text up to the first NUL. */
const textAt = (block: Buffer, from: number, length: number): string => {
  const end = block.indexOf(0, from)
  return block.toString("latin1", from, end < 0 || end > from + length ? from + length : end)
}

const numberAt = (block: Buffer, from: number, length: number, what: string): number => {
  const first = block[from] ?? 0
  if ((first & 0x80) !== 0) {
    // Base 256: a number too large for octal digits; a set second bit would make it negative.
    if (first !== 0x80) throw invalid(`${what} is negative or out of range`)
    let value = 0
    for (let at = from + 1; at < from + length; at += 1) value = value * 256 + (block[at] ?? 0)
    if (!Number.isSafeInteger(value)) throw invalid(`${what} is out of range`)
    return value
  }
  const text = block.toString("latin1", from, from + length).replace(/[\0 ]+$/, "").trimStart()
  if (text === "") return 0
  if (!/^[0-7]+$/.test(text)) throw invalid(`${what} is not a number`)
  return Number.parseInt(text, 8)
}

/** A time before 1970, which only base 256 can hold, is none that matters. */
const timeAt = (block: Buffer): number => ((block[136] ?? 0) === 0xff ? 0 : numberAt(block, 136, 12, "a time"))

const checksumOk = (block: Buffer): boolean => {
  const wanted = numberAt(block, 148, 8, "a checksum")
  let unsigned = 0
  let signed = 0
  for (let at = 0; at < blockSize; at += 1) {
    const byte = at >= 148 && at < 156 ? 0x20 : block[at] ?? 0
    unsigned += byte
    signed += byte > 127 ? byte - 256 : byte
  }
  return wanted === unsigned || wanted === signed
}

/** Records `LENGTH KEY=VALUE\n` of an extended header, values as bytes. */
const parsePax = (bytes: Buffer): ReadonlyMap<string, Buffer> => {
  const records = new Map<string, Buffer>()
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const digits = space < 0 ? "" : bytes.toString("latin1", at, space)
    const length = /^\d{1,7}$/.test(digits) ? Number(digits) : 0
    const equals = bytes.indexOf(0x3d, space)
    const end = at + length
    if (length === 0 || end > bytes.length || equals < 0 || equals >= end || bytes[end - 1] !== 0x0a) {
      throw invalid("an extended header is malformed")
    }
    records.set(bytes.toString("latin1", space + 1, equals), bytes.subarray(equals + 1, end - 1))
    at = end
  }
  return records
}

const decimal = (value: Buffer | undefined, what: string): number | undefined => {
  if (value === undefined) return undefined
  const text = value.toString("latin1")
  if (!/^-?\d{1,18}(?:\.\d{0,18})?$/.test(text)) throw invalid(`${what} of an extended header is not a number`)
  return Number(text)
}

const natural = (value: Buffer | undefined, what: string): number | undefined => {
  const number = decimal(value, what)
  if (number !== undefined && !(Number.isSafeInteger(number) && number >= 0)) throw invalid(`${what} of an extended header is out of range`)
  return number
}

const schily = "SCHILY.xattr."
const libarchive = "LIBARCHIVE.xattr."

const attributesOf = (records: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> => {
  const attributes = new Map<string, Buffer>()
  for (const [key, value] of records) {
    if (key.startsWith(schily)) attributes.set(key.slice(schily.length), value)
    // The other spelling has its name as a part of a URL and its value in base 64; the plain one wins where both are.
    else if (key.startsWith(libarchive)) {
      const name = key.slice(libarchive.length).replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      if (!records.has(`${schily}${name}`)) attributes.set(name, Buffer.from(value.toString("latin1"), "base64"))
    }
  }
  return attributes
}

const kinds: Readonly<Record<string, EntryKind>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "link",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo"
}

/** Reads an archive that is pushed in pieces of any size. Throws `TarInvalid`, or what the handler throws. */
export class TarParser {
  private readonly block = Buffer.alloc(blockSize)
  private filled = 0
  /** Bytes of content left, and what fills the last block. */
  private left = 0
  private padding = 0
  private meta: { readonly type: string; readonly pieces: Array<Buffer> } | undefined
  private local: ReadonlyMap<string, Buffer> = new Map()
  private global: ReadonlyMap<string, Buffer> = new Map()
  private globalBytes = 0
  private longPath: string | undefined
  private longTarget: string | undefined
  private inEntry = false
  private ended = false

  private readonly handler: TarHandler

  constructor(handler: TarHandler) {
    this.handler = handler
  }

  /** The next bytes. What follows the end of the archive is not looked at. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let at = 0; at < bytes.length && !this.ended;) {
      if (this.left > 0) {
        const piece = bytes.subarray(at, at + this.left)
        at += piece.length
        this.left -= piece.length
        if (this.meta === undefined) this.handler.data(piece)
        else this.meta.pieces.push(Buffer.from(piece))
        if (this.left === 0) this.finishEntry()
      } else if (this.padding > 0) {
        const skipped = Math.min(this.padding, bytes.length - at)
        at += skipped
        this.padding -= skipped
      } else {
        const copied = bytes.copy(this.block, this.filled, at, Math.min(bytes.length, at + blockSize - this.filled))
        at += copied
        this.filled += copied
        if (this.filled === blockSize) {
          this.filled = 0
          this.header()
        }
      }
    }
  }

  /** No more bytes come. An archive may lack its end marker, but must not end inside an entry. */
  finish(): void {
    if (this.ended) return
    if (this.left > 0 || this.padding > 0 || this.filled > 0 || this.inEntry) throw invalid("the archive is cut off")
    if (this.local.size > 0 || this.longPath !== undefined || this.longTarget !== undefined) throw invalid("the archive ends after an extended header")
  }

  private finishEntry(): void {
    if (this.meta === undefined) {
      this.inEntry = false
      this.handler.end()
      return
    }
    const content = Buffer.concat(this.meta.pieces)
    const { type } = this.meta
    this.meta = undefined
    if (type === "x") this.local = parsePax(content)
    else if (type === "g") this.global = new Map([...this.global, ...parsePax(content)])
    else if (type === "L") this.longPath = textAt(content, 0, content.length)
    else this.longTarget = textAt(content, 0, content.length)
  }

  private header(): void {
    const { block } = this
    if (block.every((byte) => byte === 0)) {
      this.finish()
      this.ended = true
      return
    }
    if (!checksumOk(block)) throw invalid("a header has a wrong checksum: this is not a tar archive, or it is damaged")
    const type = block.toString("latin1", 156, 157)
    const size = numberAt(block, 124, 12, "a size")
    if (type === "x" || type === "g" || type === "L" || type === "K") {
      // Global records are kept until the end, so all of them together have the limit of one header.
      if (type === "g") this.globalBytes += size
      if (Math.max(size, this.globalBytes) > metaLimit) throw invalid(`an extended header has more than ${metaLimit} bytes`)
      this.meta = { type, pieces: [] }
      this.expect(size)
      return
    }
    const entry = this.entryOf(type, size)
    this.local = new Map()
    this.longPath = undefined
    this.longTarget = undefined
    this.inEntry = true
    this.handler.entry(entry)
    this.expect(entry.size)
  }

  private expect(size: number): void {
    this.left = size
    this.padding = (blockSize - size % blockSize) % blockSize
    if (size === 0) this.finishEntry()
  }

  private entryOf(type: string, ownSize: number): TarEntry {
    const { block } = this
    const records = this.global.size === 0 ? this.local : new Map([...this.global, ...this.local])
    for (const key of records.keys()) if (key.startsWith("GNU.sparse.")) throw invalid("sparse files are not supported")
    const posix = block.toString("latin1", 257, 263) === "ustar\0"
    const prefix = posix ? textAt(block, 345, 155) : ""
    const name = textAt(block, 0, 100)
    const path = records.get("path")?.toString("latin1") ?? this.longPath ?? (prefix === "" ? name : `${prefix}/${name}`)
    const target = records.get("linkpath")?.toString("latin1") ?? this.longTarget ?? textAt(block, 157, 100)
    const kind = kinds[type]
    if (kind === undefined) throw invalid(`an entry has the unsupported type '${type}'`)
    for (const text of [path, target]) {
      if (text.includes("\0")) throw invalid("a name holds a NUL byte")
      if (text.length > pathLimit) throw invalid(`a name has ${text.length} bytes, more than ${pathLimit}`)
    }
    // Archives older than POSIX mark a folder by a slash only.
    const actual = kind === "file" && path.endsWith("/") ? "directory" : kind
    return {
      kind: actual,
      path,
      target: actual === "link" || actual === "symlink" ? target : "",
      mode: numberAt(block, 100, 8, "a mode") & 0o7777,
      uid: natural(records.get("uid"), "uid") ?? numberAt(block, 108, 8, "a uid"),
      gid: natural(records.get("gid"), "gid") ?? numberAt(block, 116, 8, "a gid"),
      size: kind === "file" ? natural(records.get("size"), "size") ?? ownSize : 0,
      mtime: decimal(records.get("mtime"), "mtime") ?? timeAt(block),
      attributes: attributesOf(records)
    }
  }
}
