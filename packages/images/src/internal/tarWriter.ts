/** Writes tar archives that depend on nothing but their entries: no names of users, no time of writing. */

/** An entry. Names are bytes as `latin1`, as in `tarParser`. */
export interface Header {
  readonly kind: "file" | "link" | "symlink" | "directory"
  readonly path: string
  readonly target?: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Whole seconds since the epoch. */
  readonly mtime: number
}

const blockSize = 512
const flags = { file: "0", link: "1", symlink: "2", directory: "5" } as const
const largestOctal = 0o77777777777
const largestId = 0o7777777

const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, "0")}\0`

/** Bytes that fill up the last block. */
export const padding = (size: number): Buffer => Buffer.alloc((blockSize - size % blockSize) % blockSize)

/** Two empty blocks. */
export const endOfArchive: Buffer = Buffer.alloc(2 * blockSize)

const block = (header: Header, type: string): Buffer => {
  const bytes = Buffer.alloc(blockSize)
  bytes.write(header.path, 0, 100, "latin1")
  bytes.write(octal(header.mode, 8), 100, "latin1")
  bytes.write(octal(Math.min(header.uid, largestId), 8), 108, "latin1")
  bytes.write(octal(Math.min(header.gid, largestId), 8), 116, "latin1")
  bytes.write(octal(Math.min(header.size, largestOctal), 12), 124, "latin1")
  bytes.write(octal(header.mtime, 12), 136, "latin1")
  bytes.write("        ", 148, "latin1")
  bytes.write(type, 156, "latin1")
  bytes.write(header.target ?? "", 157, 100, "latin1")
  bytes.write("ustar\x0000", 257, "latin1")
  let sum = 0
  for (const byte of bytes) sum += byte
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return bytes
}

const record = (key: string, value: string): Buffer => {
  const body = Buffer.from(` ${key}=${value}\n`, "latin1")
  let length = body.length + 1
  while (String(length).length + body.length !== length) length = String(length).length + body.length
  return Buffer.concat([Buffer.from(String(length)), body])
}

const isLong = (text: string): boolean => text.length > 100

const isPlain = (text: string): boolean => /^[\u0020-\u007e]*$/.test(text)

/** The header of an entry; before it an extended one when the plain one cannot say everything. */
export const encode = (header: Header): Buffer => {
  const { gid, path, size, target = "", uid } = header
  const records = [
    ...(isLong(path) || !isPlain(path) ? [record("path", path)] : []),
    ...(isLong(target) || !isPlain(target) ? [record("linkpath", target)] : []),
    ...(size > largestOctal ? [record("size", String(size))] : []),
    ...(uid > largestId ? [record("uid", String(uid))] : []),
    ...(gid > largestId ? [record("gid", String(gid))] : [])
  ]
  const plain = block(header, flags[header.kind])
  if (records.length === 0) return plain
  const content = Buffer.concat(records)
  const extended = block({ kind: "file", path: "PaxHeader", mode: 0o644, uid: 0, gid: 0, size: content.length, mtime: 0 }, "x")
  return Buffer.concat([extended, content, padding(content.length), plain])
}
