/**
 * SPDY/3.1 frames: read from bytes in whatever pieces they come, and written. Plain functions: every byte of a session passes here.
 * Payloads of data frames are handed on as they arrive, so a long frame costs no memory; control frames are collected, and bounded.
 */

/** Types of control frames that mean something here; others are passed over. */
export const types = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const

/** Flag of SYN_STREAM and data frames: the sender sends nothing more on this stream. */
export const flagFin = 1

/** Reasons of RST_STREAM. */
export const resets = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5, internalError: 6 } as const

/** No header block of these protocols comes near. */
const maxControlBytes = 64 * 1024

/** A piece of a data frame; `last` on the piece that completes a frame with the FIN flag. */
export interface DataFrame {
  readonly _tag: "Data"
  readonly id: number
  readonly payload: Buffer
  readonly last: boolean
}

export interface ControlFrame {
  readonly _tag: "Control"
  readonly type: number
  readonly flags: number
  readonly payload: Buffer
}

/** Not SPDY/3.1, or more than is taken. */
export interface Violation {
  readonly _tag: "Violation"
  readonly message: string
}

export type Frame = DataFrame | ControlFrame | Violation

const none = Buffer.alloc(0)
const headBytes = 8

/** Takes bytes with `feed`, gives frames with `next` for as long as there are some. After a violation it gives nothing more. */
export interface FrameReader {
  readonly feed: (chunk: Buffer) => void
  readonly next: () => Frame | undefined
}

export const makeReader = (): FrameReader => {
  let input: Buffer = none
  let broken = false
  const head = Buffer.alloc(headBytes)
  let headFilled = 0
  // Of the frame whose head is complete.
  let left = 0
  let collected: Array<Buffer> = []

  const take = (most: number): Buffer => {
    const taken = input.subarray(0, most)
    input = input.subarray(taken.length)
    return taken
  }

  const violation = (message: string): Violation => {
    broken = true
    input = none
    collected = []
    return { _tag: "Violation", message }
  }

  const isControl = () => (head.readUInt8(0) & 0x80) !== 0

  const data = (): DataFrame | undefined => {
    const payload = take(left)
    left -= payload.length
    if (left > 0 && payload.length === 0) return undefined
    if (left === 0) headFilled = 0
    return { _tag: "Data", id: head.readUInt32BE(0), payload, last: left === 0 && (head.readUInt8(4) & flagFin) !== 0 }
  }

  const control = (): ControlFrame | undefined => {
    const part = take(left)
    left -= part.length
    if (part.length > 0) collected.push(part)
    if (left > 0) return undefined
    const [only = none] = collected
    const payload = collected.length < 2 ? only : Buffer.concat(collected)
    collected = []
    headFilled = 0
    return { _tag: "Control", type: head.readUInt16BE(2), flags: head.readUInt8(4), payload }
  }

  const next = (): Frame | undefined => {
    if (broken) return undefined
    if (headFilled < headBytes) {
      const part = take(headBytes - headFilled)
      part.copy(head, headFilled)
      headFilled += part.length
      if (headFilled < headBytes) return undefined
      left = head.readUIntBE(5, 3)
      if (isControl()) {
        if (head.readUInt16BE(0) !== 0x8003) return violation("not a frame of SPDY version 3")
        if (left > maxControlBytes) return violation(`a control frame of ${left} bytes, which is more than ${maxControlBytes}`)
      }
    }
    return isControl() ? control() : data()
  }

  return {
    feed: (chunk) => {
      if (!broken) input = input.length === 0 ? chunk : Buffer.concat([input, chunk])
    },
    next
  }
}

/** The eight bytes before the payload of a data frame. At most 16 MiB less one byte of payload. */
export const dataHead = (id: number, flags: number, length: number): Buffer => {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(id, 0)
  head.writeUInt8(flags, 4)
  head.writeUIntBE(length, 5, 3)
  return head
}

/** A whole control frame. */
export const control = (type: number, flags: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(headBytes)
  head.writeUInt16BE(0x8003, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt8(flags, 4)
  head.writeUIntBE(payload.length, 5, 3)
  return Buffer.concat([head, payload])
}

const words = (...values: ReadonlyArray<number>): Buffer => {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index))
  return bytes
}

export const rstStream = (id: number, reason: number): Buffer => control(types.rstStream, 0, words(id, reason))
export const ping = (id: number): Buffer => control(types.ping, 0, words(id))
export const goAway = (lastStream: number): Buffer => control(types.goAway, 0, words(lastStream, 0))
export const synReply = (id: number, headerBlock: Buffer): Buffer => control(types.synReply, 0, Buffer.concat([words(id), headerBlock]))
