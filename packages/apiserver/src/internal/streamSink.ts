/** Where a streamed body goes: a response, or the bare connection under it. */
import * as Effect from "effect/Effect"
import { ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Sink } from "../ApiResponse.js"

/** A stream that takes bytes and says when it is full. */
export interface Writable {
  readonly write: (chunk: Uint8Array) => boolean
  readonly once: (event: "drain", listener: () => void) => unknown
}

/** Of the exchange that is answered: whether its peer is gone, and since when it is waited for. */
export interface Receiver {
  waitingSince: number
  readonly closed: boolean
}

const nothing = (): void => {}

/**
 * A sink over a stream. The stream is listened to from the moment it is full: whoever waits may come later than its `drain`, and would
 * wait for ever for the next one.
 */
export const make = (receiver: Receiver, target: Writable, now: () => number): Sink => {
  let isFull = false
  const listeners = new Set<() => void>()
  const onDrain = (): void => {
    isFull = false
    receiver.waitingSince = 0
    const waiting = [...listeners]
    listeners.clear()
    for (const listener of waiting) listener()
  }
  const whenDrained = (listener: () => void): () => void => {
    if (!isFull || receiver.closed) {
      listener()
      return nothing
    }
    if (listeners.size === 0) receiver.waitingSince = now()
    listeners.add(listener)
    return () => {
      if (listeners.delete(listener) && listeners.size === 0) receiver.waitingSince = 0
    }
  }
  return {
    write: (chunk) => {
      if (receiver.closed || target.write(chunk)) return true
      if (!isFull) {
        isFull = true
        target.once("drain", onDrain)
      }
      return false
    },
    whenDrained,
    drained: Effect.async((resume) => Effect.sync(whenDrained(() => resume(Effect.void))))
  }
}

const lineEnd = Buffer.from("\r\n")

const framedOnes = new WeakMap<Uint8Array, Uint8Array>()

// Thousands of watches are sent the same piece, so it is framed for the first of them.
const framed = (chunk: Uint8Array): Uint8Array => {
  const known = framedOnes.get(chunk)
  if (known !== undefined) return known
  const bytes = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`, "latin1"), chunk, lineEnd])
  framedOnes.set(chunk, bytes)
  return bytes
}

/** From so many bytes on it costs more to copy a chunk than to write three pieces. */
const framedAsOne = 8192

const writeAround = (socket: Socket, chunk: Uint8Array): boolean => {
  socket.cork()
  socket.write(`${chunk.length.toString(16)}\r\n`, "latin1")
  socket.write(chunk)
  const isFree = socket.write(lineEnd)
  socket.uncork()
  return isFree
}

/**
 * The bare connection under an HTTP/1.1 answer in chunks whose head is on its way: a response object writes each chunk in four
 * pieces, which for small events costs more than sending them. Undefined where the answer has to wait for its turn.
 */
export const connectionOf = (response: object): Writable | undefined => {
  if (!(response instanceof ServerResponse) || !response.chunkedEncoding || response.writableNeedDrain) return undefined
  const { socket } = response
  if (socket === null) return undefined
  return {
    write: (chunk) => chunk.length === 0 || socket.destroyed || (chunk.length < framedAsOne ? socket.write(framed(chunk)) : writeAround(socket, chunk)),
    once: (event, listener) => socket.once(event, listener)
  }
}
