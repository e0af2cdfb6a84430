/**
 * Messages between two processes of one machine: the length in four bytes, then JSON. Plain synchronous functions: every command of a served
 * host passes here twice.
 */
import type { Socket } from "node:net"

/** A message of more bytes is not sent, and whoever sends one is let go. Output of 16 MiB fits, however many of its characters are escaped. */
export const maxBytes = 128 * 1024 * 1024

const head = 4

/** The bytes of a message; nothing when it is too large. */
export const encode = (message: object): Buffer | undefined => {
  const text = JSON.stringify(message)
  const length = Buffer.byteLength(text)
  if (length > maxBytes) return undefined
  const frame = Buffer.allocUnsafe(head + length)
  frame.writeUInt32BE(length)
  frame.write(text, head)
  return frame
}

/** Takes the bytes as they arrive, and gives every message that is whole to `hear`; `false` when they are no messages. */
export const reader = (hear: (message: unknown) => void): (chunk: Buffer) => boolean => {
  let parts: Array<Buffer> = []
  let size = 0
  /** So many bytes there must be before it is worth looking again: what is large is put together once. */
  let wanted = head
  return (chunk) => {
    parts.push(chunk)
    size += chunk.length
    if (size < wanted) return true
    const bytes = parts.length === 1 ? chunk : Buffer.concat(parts, size)
    let at = 0
    wanted = head
    while (bytes.length - at >= head) {
      const length = bytes.readUInt32BE(at)
      if (length > maxBytes) return false
      const end = at + head + length
      if (end > bytes.length) {
        wanted = head + length
        break
      }
      let message: unknown
      try {
        message = JSON.parse(bytes.toString("utf8", at + head, end))
      } catch {
        return false
      }
      hear(message)
      at = end
    }
    parts = at === bytes.length ? [] : [bytes.subarray(at)]
    size = bytes.length - at
    return true
  }
}

/** Writes frames; those of one turn of the event loop go out by one system call. */
export const writer = (socket: Socket): (frame: Buffer) => void => {
  let corked = false
  return (frame) => {
    if (socket.destroyed || !socket.writable) return
    if (!corked) {
      corked = true
      socket.cork()
      process.nextTick(() => {
        corked = false
        socket.uncork()
      })
    }
    socket.write(frame)
  }
}
