/**
 * Header blocks of SPDY/3: pairs of names and values, compressed by one zlib stream for all blocks of a direction.
 */
import { createInflate } from "node:zlib"
import { spdyDictionary } from "./spdyDictionary.js"

/** The headers of one stream, uncompressed. Those of these protocols have some tens of bytes. */
const maxHeaderBytes = 16 * 1024

export type Headers = ReadonlyMap<string, string>

/** The pairs of an uncompressed block; undefined when it is none. */
export const parse = (block: Buffer): Headers | undefined => {
  const headers = new Map<string, string>()
  let at = 0
  const number = (): number | undefined => {
    if (at + 4 > block.length) return undefined
    at += 4
    return block.readUInt32BE(at - 4)
  }
  const text = (): string | undefined => {
    const length = number()
    if (length === undefined || length > block.length - at) return undefined
    at += length
    return block.toString("utf8", at - length, at)
  }
  const count = number()
  // Each pair takes eight bytes at least, so a count that cannot be true ends at once.
  if (count === undefined || count > block.length / 8) return undefined
  for (let index = 0; index < count; index++) {
    const name = text()
    const value = text()
    if (name === undefined || value === undefined) return undefined
    headers.set(name.toLowerCase(), value)
  }
  return at === block.length ? headers : undefined
}

/** Uncompresses the blocks of one connection, one after the other. */
export interface Decompressor {
  /** `done` gets the block; undefined when it is damaged or too large, and then nothing more can be read. One at a time. */
  readonly decompress: (block: Buffer, done: (block: Buffer | undefined) => void) => void
  readonly close: () => void
}

export const makeDecompressor = (): Decompressor => {
  const inflate = createInflate({ dictionary: spdyDictionary })
  let parts: Array<Buffer> = []
  let size = 0
  let waiting: ((block: Buffer | undefined) => void) | undefined
  const finish = (block: Buffer | undefined) => {
    const done = waiting
    waiting = undefined
    done?.(block)
  }
  const fail = () => {
    inflate.destroy()
    finish(undefined)
  }
  inflate.on("data", (part: Buffer) => {
    size += part.length
    if (size > maxHeaderBytes) return fail()
    parts.push(part)
  })
  inflate.on("error", fail)
  // A block that ends the compressed stream leaves nothing to read the next one with.
  inflate.on("end", fail)
  return {
    decompress: (block, done) => {
      parts = []
      size = 0
      waiting = done
      if (inflate.destroyed) return finish(undefined)
      // What it gave is handed out before this, but not always at once.
      inflate.write(block, (error) => void setImmediate(() => finish(error === null || error === undefined ? Buffer.concat(parts) : undefined)))
    },
    close: () => void inflate.destroy()
  }
}

const zlibHead = Buffer.from([0x78, 0x01])
const noPairs = Buffer.alloc(4)

/** A block as it is, then the empty block by which readers know that they have everything. */
const stored = (block: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt16LE(block.length, 1)
  head.writeUInt16LE(0xffff ^ block.length, 3)
  return Buffer.concat([head, block, Buffer.from([0, 0, 0, 0xff, 0xff])])
}

/**
 * Compressed blocks without headers, which is all that a server has to send: four bytes are not worth a compressor, and zlib can also
 * hold them as they are.
 */
export const makeEmptyBlocks = (): () => Buffer => {
  let begun = false
  return () => {
    const block = begun ? stored(noPairs) : Buffer.concat([zlibHead, stored(noPairs)])
    begun = true
    return block
  }
}
