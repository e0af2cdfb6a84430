/**
 * A SPDY/3.1 session, server side, as Kubernetes uses it: the client opens streams, there is no flow control but that of the connection,
 * and header blocks that the server sends are empty. Plain functions and callbacks: every byte of a session passes here.
 */
import type { Duplex } from "node:stream"
import * as byteChannel from "./byteChannel.js"
import * as headerBlocks from "./headerBlocks.js"
import * as frames from "./spdyFrames.js"

/** A stream that the client has opened. */
export interface SpdyStream {
  readonly id: number
  readonly headers: headerBlocks.Headers
  readonly channel: Duplex
  /** Ends the stream at once, both ways. */
  readonly reset: (reason: number) => void
}

export interface Options {
  /** Open at once; more are refused. */
  readonly maxStreams: number
  /** False refuses the stream. */
  readonly onStream: (stream: SpdyStream) => boolean
  /** The connection is over: closed, broken, or left by the client. Called once. */
  readonly onClose: () => void
}

export interface Session {
  /** Asks the client for a sign of life. */
  readonly ping: () => void
  /** Grows with everything that the client sends. */
  readonly received: () => number
  /** Grows with every payload, either way. */
  readonly carried: () => number
  /** Whether the client is kept from sending. */
  readonly isPaused: () => boolean
  /** Says goodbye; what was written before still goes out, what still comes is dropped. */
  readonly goodbye: () => void
  /** Closes the connection and what is left of its streams. */
  readonly destroy: () => void
}

interface Open {
  readonly channel: Duplex
  /** The client has sent its last byte on this stream. */
  remoteEnded: boolean
  localEnded: boolean
}

/** Control frames that a client is owed but does not take. */
const maxUnsent = 256 * 1024

const isBuffer = (chunk: unknown): chunk is Buffer => Buffer.isBuffer(chunk)

export const make = (transport: Duplex, options: Options): Session => {
  const reader = frames.makeReader()
  const decompressor = headerBlocks.makeDecompressor()
  const emptyBlock = headerBlocks.makeEmptyBlocks()
  const open = new Map<number, Open>()
  const fullness = byteChannel.makeFullness()
  let decompressing = false
  let dropping = false
  let over = false
  let lastStream = 0
  let lastPing = 0
  let received = 0
  let carried = 0

  const close = () => {
    if (over) return
    over = true
    decompressor.close()
    // What came before is still read; writing fails from now on.
    for (const { channel, remoteEnded } of open.values()) {
      if (!remoteEnded) channel.push(null)
    }
    options.onClose()
  }

  const destroy = () => {
    transport.destroy()
    close()
    for (const { channel } of open.values()) channel.destroy()
    open.clear()
  }

  const send = (frame: Buffer) => {
    if (!over && transport.writable) transport.write(frame)
  }

  const forget = (id: number, stream: Open) => {
    if (stream.remoteEnded && stream.localEnded) open.delete(id)
  }

  const resume = () => {
    if (!over) pump()
  }

  const makeStream = (id: number, headers: headerBlocks.Headers, halfClosed: boolean): SpdyStream => {
    const finished = () => {
      stream.localEnded = true
      forget(id, stream)
    }
    const wire: byteChannel.Wire = {
      send: (chunk, done) => {
        if (over || !transport.writable) return done(new Error("the connection is closed"))
        carried++
        transport.cork()
        transport.write(frames.dataHead(id, 0, chunk.length))
        transport.write(chunk, done)
        transport.uncork()
      },
      finish: (done) => {
        finished()
        if (over || !transport.writable) return done()
        transport.write(frames.dataHead(id, frames.flagFin, 0), done)
      },
      wanted: () => {
        if (fullness.clear(id)) setImmediate(resume)
      },
      closed: (early) => {
        if (fullness.clear(id)) setImmediate(resume)
        // After our end of the stream a reset would tell nothing, and the client might take it as a loss of what came before.
        if (open.delete(id) && early && !stream.localEnded) send(frames.rstStream(id, frames.resets.cancel))
      }
    }
    const channel = byteChannel.make(wire)
    const stream: Open = { channel, remoteEnded: halfClosed, localEnded: false }
    open.set(id, stream)
    if (halfClosed) channel.push(null)
    const reset = (reason: number) => {
      if (open.delete(id)) send(frames.rstStream(id, reason))
      channel.destroy()
    }
    return { id, headers, channel, reset }
  }

  const opened = (id: number, flags: number, headers: headerBlocks.Headers) => {
    if (dropping || open.size >= options.maxStreams) return send(frames.rstStream(id, frames.resets.refusedStream))
    const stream = makeStream(id, headers, (flags & frames.flagFin) !== 0)
    // The answer comes before anything that the taker of the stream writes.
    transport.cork()
    send(frames.synReply(id, emptyBlock()))
    if (!options.onStream(stream)) stream.reset(frames.resets.refusedStream)
    transport.uncork()
  }

  const synStream = ({ flags, payload }: frames.ControlFrame) => {
    if (payload.length < 10) return destroy()
    const id = payload.readUInt32BE(0) & 0x7fffffff
    // Clients count odd numbers upwards.
    if (id % 2 === 0 || id <= lastStream) return destroy()
    lastStream = id
    decompressing = true
    decompressor.decompress(payload.subarray(10), (block) => {
      decompressing = false
      if (over) return
      const headers = block === undefined ? undefined : headerBlocks.parse(block)
      if (headers === undefined) return destroy()
      opened(id, flags, headers)
      pump()
    })
  }

  const control = (frame: frames.ControlFrame) => {
    const { payload, type } = frame
    switch (type) {
      case frames.types.synStream:
        return synStream(frame)
      case frames.types.rstStream: {
        if (payload.length < 8) return destroy()
        const id = payload.readUInt32BE(0) & 0x7fffffff
        const stream = open.get(id)
        open.delete(id)
        return stream?.channel.destroy()
      }
      case frames.types.ping:
        // Even numbers are answers to our own.
        if (payload.length !== 4) return destroy()
        return payload.readUInt32BE(0) % 2 === 1 ? send(frames.control(type, 0, payload)) : undefined
      case frames.types.goAway:
        // The client opens no more streams; those that there are go on until it closes.
        return
      default:
        // Settings, windows, and late headers change nothing here.
    }
  }

  const data = ({ id, last, payload }: frames.DataFrame) => {
    const stream = open.get(id)
    // Data may cross our end of its stream.
    if (stream === undefined || stream.remoteEnded) return
    carried++
    if (payload.length > 0 && !stream.channel.push(payload)) fullness.mark(id)
    if (!last) return
    stream.remoteEnded = true
    stream.channel.push(null)
    forget(id, stream)
  }

  const isBlocked = () => over || decompressing || (!dropping && fullness.any()) || transport.writableLength > maxUnsent

  // Also while one chunk is worked on, as a channel may be read from while it is filled.
  let pumping = false
  const pump = () => {
    if (pumping) return
    pumping = true
    while (!isBlocked()) {
      const frame = reader.next()
      if (frame === undefined) {
        const chunk: unknown = transport.read()
        if (!isBuffer(chunk)) break
        received++
        if (!dropping) reader.feed(chunk)
        continue
      }
      if (dropping) continue
      if (frame._tag === "Violation") destroy()
      else if (frame._tag === "Data") data(frame)
      else control(frame)
    }
    pumping = false
  }

  transport.on("readable", pump)
  transport.on("drain", resume)
  transport.on("end", close)
  transport.on("error", close)
  transport.on("close", close)
  pump()

  return {
    ping: () => {
      lastPing += 2
      send(frames.ping(lastPing))
    },
    received: () => received,
    carried: () => carried,
    isPaused: () => fullness.any(),
    goodbye: () => {
      if (over || dropping) return
      send(frames.goAway(lastStream))
      dropping = true
      transport.end()
      setImmediate(resume)
    },
    destroy
  }
}
