/**
 * Channels in the messages of a WebSocket: the first byte of a message says which channel the rest belongs to. In the base64 variants
 * messages are text, and that byte is a digit.
 */
import type { Duplex } from "node:stream"
import type { WebSocket } from "ws"
import * as byteChannel from "./byteChannel.js"

/** How a sub-protocol puts channels into messages. */
export interface Framing {
  readonly base64: boolean
  /** Whether a channel can be half-closed, by a message of the byte 255 and its number. */
  readonly closes: boolean
}

export interface Channels {
  /** By number. */
  readonly channels: ReadonlyArray<Duplex>
  /** Sends a message without content on a channel. */
  readonly announce: (channel: number) => void
  readonly received: () => number
  readonly carried: () => number
  readonly isPaused: () => boolean
  /** From now on, what comes is dropped. */
  readonly drop: () => void
  /** Closes the connection and its channels. */
  readonly destroy: () => void
}

const closeMark = 255
const zeroDigit = 48

const bytesOf = (data: unknown): Buffer => {
  if (Buffer.isBuffer(data)) return data
  if (data instanceof ArrayBuffer) return Buffer.from(data)
  return Array.isArray(data) ? Buffer.concat(data.filter((part) => Buffer.isBuffer(part))) : Buffer.alloc(0)
}

/** `count` channels on a WebSocket. They end when it closes. */
export const make = (socket: WebSocket, framing: Framing, count: number): Channels => {
  const fullness = byteChannel.makeFullness()
  const ended = new Set<number>()
  let received = 0
  let carried = 0
  let dropping = false

  const relieved = (channel: number) => {
    if (fullness.clear(channel)) socket.resume()
  }

  const encode = (channel: number, chunk: Buffer): string | Buffer => {
    if (framing.base64) return `${channel}${chunk.toString("base64")}`
    const message = Buffer.allocUnsafe(chunk.length + 1)
    message[0] = channel
    chunk.copy(message, 1)
    return message
  }

  const makeChannel = (channel: number): Duplex =>
    byteChannel.make({
      send: (chunk, done) => {
        if (socket.readyState !== socket.OPEN) return done(new Error("the connection is closed"))
        carried++
        socket.send(encode(channel, chunk), done)
      },
      // Only clients say that a channel has ended; for the other way the connection ends.
      finish: (done) => done(),
      wanted: () => relieved(channel),
      closed: () => relieved(channel)
    })
  const channels = Array.from({ length: count }, (_, channel) => makeChannel(channel))

  const end = (number: number | undefined) => {
    const channel = number === undefined ? undefined : channels[number]
    if (number === undefined || channel === undefined || ended.has(number)) return
    ended.add(number)
    channel.push(null)
  }

  const take = (number: number, payload: Buffer) => {
    const channel = channels[number]
    if (channel === undefined || ended.has(number) || channel.destroyed || payload.length === 0) return
    carried++
    if (channel.push(payload)) return
    fullness.mark(number)
    socket.pause()
  }

  socket.on("message", (message, isBinary) => {
    received++
    if (dropping) return
    const bytes = bytesOf(message)
    const [first] = bytes
    if (first === undefined) return
    if (first === closeMark && framing.closes) return bytes.length === 2 ? end(bytes[1]) : undefined
    if (!framing.base64 || isBinary) return take(first, bytes.subarray(1))
    take(first - zeroDigit, Buffer.from(bytes.toString("latin1", 1), "base64"))
  })
  const alive = () => void received++
  socket.on("pong", alive)
  socket.on("ping", alive)
  // What came before is still read; writing fails from now on.
  socket.once("close", () => channels.forEach((_, number) => end(number)))

  return {
    channels,
    announce: (channel) => {
      if (socket.readyState === socket.OPEN) socket.send(encode(channel, Buffer.alloc(0)))
    },
    received: () => received,
    carried: () => carried,
    isPaused: () => fullness.any(),
    drop: () => {
      dropping = true
      socket.resume()
    },
    destroy: () => {
      socket.terminate()
      for (const channel of channels) channel.destroy()
    }
  }
}
