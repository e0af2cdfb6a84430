import * as Effect from "effect/Effect"
import { connect, type Socket } from "node:net"
import { type Duplex } from "node:stream"
import { constants, createDeflate } from "node:zlib"
import { spdyDictionary } from "../../src/internal/spdyDictionary.js"
import * as frames from "../../src/internal/spdyFrames.js"
import { until } from "./server.js"

/** What a client has seen of a stream. */
export interface ClientStream {
  readonly id: number
  replied: boolean
  ended: boolean
  reset: number | undefined
  text: string
}

export interface SpdyClient {
  /** The answer to the upgrade, up to the empty line. */
  readonly head: string
  readonly open: (headers: Readonly<Record<string, string>>, flags?: number) => Effect.Effect<ClientStream>
  readonly send: (stream: ClientStream, data: string | Buffer, fin?: boolean) => void
  readonly raw: (bytes: Buffer) => void
  readonly pings: () => ReadonlyArray<number>
  readonly isClosed: () => boolean
  readonly transport: Duplex
}

const headerBlock = (headers: Readonly<Record<string, string>>): Buffer => {
  const entries = Object.entries(headers)
  const word = (text: string) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(text))
    return Buffer.concat([length, Buffer.from(text)])
  }
  const count = Buffer.alloc(4)
  count.writeUInt32BE(entries.length)
  return Buffer.concat([count, ...entries.flatMap(([name, value]) => [word(name), word(value)])])
}

/** Speaks SPDY/3.1 as a client on a transport that has been upgraded. */
export const onTransport = (transport: Duplex, head: string): SpdyClient => {
  const deflate = createDeflate({ dictionary: spdyDictionary })
  const reader = frames.makeReader()
  const streams = new Map<number, ClientStream>()
  const pings: Array<number> = []
  let closed = false
  let nextId = 1
  const take = (frame: frames.Frame) => {
    if (frame._tag === "Violation") throw new Error(frame.message)
    if (frame._tag === "Data") {
      const stream = streams.get(frame.id)
      if (stream === undefined) throw new Error(`data for the unknown stream ${frame.id}`)
      stream.text += frame.payload.toString("latin1")
      if (frame.last) stream.ended = true
      return
    }
    const number = frame.payload.length >= 4 ? frame.payload.readUInt32BE(0) : 0
    const stream = streams.get(number)
    if (frame.type === frames.types.synReply && stream !== undefined) stream.replied = true
    if (frame.type === frames.types.rstStream && stream !== undefined) stream.reset = frame.payload.readUInt32BE(4)
    if (frame.type === frames.types.ping) {
      pings.push(number)
      if (number % 2 === 0) transport.write(frames.control(frames.types.ping, 0, frame.payload))
    }
  }
  transport.on("data", (chunk: Buffer) => {
    reader.feed(chunk)
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) take(frame)
  })
  transport.on("error", () => {})
  transport.resume()
  transport.once("end", () => transport.end())
  transport.once("close", () => {
    closed = true
  })
  const compressed = (block: Buffer) =>
    Effect.async<Buffer>((resume) => {
      const parts: Array<Buffer> = []
      const listen = (part: Buffer) => void parts.push(part)
      deflate.on("data", listen)
      deflate.write(block)
      deflate.flush(constants.Z_SYNC_FLUSH, () =>
        setImmediate(() => {
          deflate.off("data", listen)
          resume(Effect.succeed(Buffer.concat(parts)))
        }))
    })
  return {
    head,
    transport,
    open: (headers, flags = 0) =>
      Effect.gen(function*() {
        const id = nextId
        nextId += 2
        const stream: ClientStream = { id, replied: false, ended: false, reset: undefined, text: "" }
        streams.set(id, stream)
        const ids = Buffer.alloc(10)
        ids.writeUInt32BE(id)
        transport.write(frames.control(frames.types.synStream, flags, Buffer.concat([ids, yield* compressed(headerBlock(headers))])))
        yield* until(`an answer to stream ${id}`, () => stream.replied || stream.reset !== undefined || closed)
        return stream
      }),
    send: ({ id }, data, fin = false) => {
      const bytes = typeof data === "string" ? Buffer.from(data) : data
      transport.write(Buffer.concat([frames.dataHead(id, fin ? frames.flagFin : 0, bytes.length), bytes]))
    },
    raw: (bytes) => void transport.write(bytes),
    pings: () => pings,
    isClosed: () => closed
  }
}

/** Sends an upgrade request and reads the head of its answer. */
export const upgrade = (port: number, path: string, method: string, headers: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.async<{ readonly socket: Socket; readonly head: string }>((resume) => {
      const socket = connect({ port, host: "127.0.0.1" }, () => {
        socket.write(`${[`${method} ${path} HTTP/1.1`, "Host: server", "Connection: Upgrade", ...headers].join("\r\n")}\r\n\r\n`)
      })
      let seen = Buffer.alloc(0)
      const listen = (chunk: Buffer) => {
        seen = Buffer.concat([seen, chunk])
        const end = seen.indexOf("\r\n\r\n")
        if (end < 0) return
        socket.off("data", listen)
        socket.pause()
        if (seen.length > end + 4) socket.unshift(seen.subarray(end + 4))
        resume(Effect.succeed({ socket, head: seen.subarray(0, end).toString() }))
      }
      socket.on("data", listen)
      socket.on("error", () => {})
    }),
    ({ socket }) => Effect.sync(() => void socket.destroy())
  )

/** A client with an upgraded connection. */
export const make = (port: number, path: string, protocols: ReadonlyArray<string>) =>
  Effect.map(
    upgrade(port, path, "POST", ["Upgrade: SPDY/3.1", ...protocols.map((name) => `X-Stream-Protocol-Version: ${name}`)]),
    ({ head, socket }) => onTransport(socket, head)
  )
