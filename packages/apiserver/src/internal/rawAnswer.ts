/** Answers on a bare HTTP/1.1 connection, where there is no response object: refused upgrades and malformed requests. */
import { STATUS_CODES } from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { ApiResponse } from "../ApiResponse.js"

const clean = (text: string): string => text.replaceAll(/[\r\n]/g, " ")

// A connection closed on unread input is reset, and then the peer may lose the answer as well.
const lingerMillis = 1000
const lingerBytes = 256 * 1024

const linger = (socket: Duplex): void => {
  let left = lingerBytes
  socket.removeAllListeners("data")
  socket.on("data", (chunk: Uint8Array) => {
    left -= chunk.length
    if (left < 0) socket.destroy()
  })
  socket.once("end", () => socket.destroy())
  if (socket instanceof Socket) socket.setTimeout(lingerMillis, () => socket.destroy())
  socket.resume()
}

/** Writes a complete answer and closes the connection. */
export const send = (socket: Duplex, { body, headers, status }: ApiResponse): void => {
  if (!socket.writable) return void socket.destroy()
  const bytes = body instanceof Uint8Array ? body : new Uint8Array(0)
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, "connection: close", `content-length: ${bytes.length}`]
  for (const name in headers) {
    const value = headers[name]
    for (const text of typeof value === "string" ? [value] : value ?? []) lines.push(`${name}: ${clean(text)}`)
  }
  linger(socket)
  socket.end(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), bytes]))
}
