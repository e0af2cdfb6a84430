/** A SPDY/3.1 client as small as the protocol allows: frames by hand, headers compressed without a dictionary. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Duplex } from "node:stream"
import { request } from "node:https"
import { constants, createDeflate } from "node:zlib"
import { Refused, type Server } from "./streamClient.js"

export interface SpdyStream {
  readonly text: () => string
  /** The other side has finished. */
  readonly ended: () => boolean
  readonly replied: () => boolean
  readonly send: (text: string, last?: boolean) => void
}

export interface SpdyClient {
  readonly protocol: string
  /** Opens a stream with these headers; `last`: nothing will be sent on it. */
  readonly open: (headers: Readonly<Record<string, string>>, last?: boolean) => Effect.Effect<SpdyStream>
  readonly leave: () => void
  /** The connection is closed. */
  readonly gone: () => boolean
}

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const speak = (socket: Duplex, head: Buffer, protocol: string): SpdyClient => {
  const deflate = createDeflate()
  const compressed: Array<Buffer> = []
  deflate.on("data", (chunk: Buffer) => void compressed.push(chunk))
  const streams = new Map<number, { text: string; ended: boolean; replied: boolean }>()
  let buffer: Buffer = Buffer.alloc(0)
  let lastId = -1
  const take = (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk])
    while (buffer.length >= 8 && buffer.length >= 8 + buffer.readUIntBE(5, 3)) {
      const payload = buffer.subarray(8, 8 + buffer.readUIntBE(5, 3))
      const control = ((buffer[0] ?? 0) & 0x80) !== 0
      const type = buffer.readUInt16BE(2)
      const stream = streams.get(control && payload.length >= 4 ? payload.readUInt32BE(0) : buffer.readUInt32BE(0))
      if (stream !== undefined && !control) stream.text += payload.toString("utf8")
      if (stream !== undefined && control && type === 2) stream.replied = true
      if (stream !== undefined && (!control || type === 2) && ((buffer[4] ?? 0) & 1) === 1) stream.ended = true
      buffer = buffer.subarray(8 + payload.length)
    }
  }
  socket.on("data", take)
  socket.on("error", () => undefined)
  take(head)
  const frame = (start: Buffer, flags: number, payload: Buffer) =>
    socket.write(Buffer.concat([start, Buffer.from([flags]), number(payload.length).subarray(1), payload]))
  return {
    protocol,
    leave: () => void socket.destroy(),
    gone: () => socket.closed,
    open: (headers, last = false) =>
      Effect.async((resume) => {
        lastId += 2
        const id = lastId
        const state = { text: "", ended: false, replied: false }
        streams.set(id, state)
        const words = Object.entries(headers).flat().flatMap((word) => [number(Buffer.byteLength(word)), Buffer.from(word)])
        deflate.write(Buffer.concat([number(Object.keys(headers).length), ...words]))
        deflate.flush(constants.Z_SYNC_FLUSH, () => {
          frame(Buffer.from([0x80, 3, 0, 1]), last ? 1 : 0, Buffer.concat([number(id), number(0), Buffer.alloc(2), ...compressed.splice(0)]))
          resume(Effect.succeed({
            text: () => state.text,
            ended: () => state.ended,
            replied: () => state.replied,
            send: (text, end = false) => void frame(number(id), end ? 1 : 0, Buffer.from(text))
          }))
        })
      })
  }
}

/** Asks for the upgrade as kubectl does. */
export const connect = (server: Server, path: string, protocols: ReadonlyArray<string>): Effect.Effect<SpdyClient, Refused, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<SpdyClient, Refused>((resume) => {
      const outgoing = request({
        host: "127.0.0.1",
        port: server.port,
        path,
        method: "POST",
        ca: server.ca,
        agent: false,
        ...server.client,
        headers: { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": [...protocols] }
      })
      outgoing.on("upgrade", (response, socket, head) => {
        resume(Effect.succeed(speak(socket, head, String(response.headers["x-stream-protocol-version"]))))
      })
      outgoing.on("response", (response) => {
        let body = ""
        response.setEncoding("utf8")
        response.on("data", (text: string) => void (body += text))
        response.on("end", () => resume(new Refused({ status: response.statusCode ?? 0, body })))
      })
      outgoing.on("error", (error) => resume(new Refused({ status: 0, body: error.message })))
      outgoing.end()
    }),
    (client) => Effect.sync(client.leave)
  )
