/** A request to change the protocol of a connection, before it is granted or refused. */
import type { Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import { type IncomingMessage, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"

/**
 * What the `upgrade` event of a Node server hands over.
 *
 * @category models
 */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What the client already sent after its request. */
  readonly head: Buffer
}

// A connection that is closed on unread input is reset, and then the client may lose the answer as well.
const lingerBytes = 256 * 1024
const linger = "1 second"

/**
 * Answers an upgrade that is not granted, as an ordinary HTTP response with the Status as its body, and closes the connection.
 *
 * @category combinators
 */
export const refuse = ({ socket }: Upgrade, status: Status.Status): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const body = Buffer.from(`${JSON.stringify(status)}\n`)
    const code = status.code ?? 500
    let left = lingerBytes
    const done = () => resume(Effect.void)
    socket.on("error", () => {})
    if (socket.destroyed || !socket.writable) return done()
    socket.once("close", done)
    socket.once("end", done)
    socket.on("data", (chunk: Uint8Array) => {
      left -= chunk.length
      if (left < 0) done()
    })
    const lines = [
      `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ""}`,
      "Connection: close",
      "Content-Type: application/json",
      "Cache-Control: no-cache, private",
      `Content-Length: ${body.length}`
    ]
    socket.end(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]))
  }).pipe(Effect.timeoutOption(linger), Effect.asVoid, Effect.ensuring(Effect.sync(() => void socket.destroy())))
