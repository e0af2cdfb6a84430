/**
 * One stream of several on a connection, as a Node stream. What the peer sends is pushed in; what is written goes out chunk by chunk, so
 * a channel never has more than its buffer and one chunk under way.
 */
import { Duplex } from "node:stream"

/** Bytes that wait in a channel, each way, before its connection or its writer has to. */
const highWaterMark = 64 * 1024

type Done = (error?: Error | null) => void

/** What a channel does on its connection. */
export interface Wire {
  readonly send: (chunk: Buffer, done: Done) => void
  /** Half-closes. */
  readonly finish: (done: Done) => void
  /** The reader has room again. */
  readonly wanted: () => void
  /** The channel is over; `early` before both its ends were. */
  readonly closed: (early: boolean) => void
}

const isBuffer = (chunk: unknown): chunk is Buffer => Buffer.isBuffer(chunk)

/** Sends pieces that no receiver finds too large. */
const sendAll = (wire: Wire, chunk: Buffer, done: Done): void => {
  if (chunk.length <= highWaterMark) return wire.send(chunk, done)
  wire.send(chunk.subarray(0, highWaterMark), (error) =>
    error === undefined || error === null ? sendAll(wire, chunk.subarray(highWaterMark), done) : done(error))
}

/** A channel over its connection. Nobody has to listen for its errors. */
export const make = (wire: Wire): Duplex => {
  const duplex = new Duplex({
    allowHalfOpen: true,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark,
    read: wire.wanted,
    write: (chunk: unknown, _encoding, done) => {
      if (!isBuffer(chunk) || chunk.length === 0) return done()
      sendAll(wire, chunk, done)
    },
    final: wire.finish,
    destroy: (error, done) => {
      wire.closed(!duplex.writableFinished || !duplex.readableEnded)
      done(error)
    }
  })
  duplex.on("error", () => {})
  return duplex
}

/** Which channels of a connection are full: while one is, the connection is not read. */
export interface Fullness {
  readonly mark: (channel: number) => void
  /** True when this was the last full one. */
  readonly clear: (channel: number) => boolean
  readonly any: () => boolean
}

export const makeFullness = (): Fullness => {
  const full = new Set<number>()
  return {
    mark: (channel) => void full.add(channel),
    clear: (channel) => full.delete(channel) && full.size === 0,
    any: () => full.size > 0
  }
}
