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

/** Sends an ordinary HTTP answer, and closes the connection when the client has had time to take it. */
const answer = ({ socket }: Upgrade, code: number, headers: ReadonlyArray<string>, body: Buffer): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
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
      "Cache-Control: no-cache, private",
      ...headers,
      `Content-Length: ${body.length}`
    ]
    socket.end(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]))
  }).pipe(Effect.timeoutOption(linger), Effect.asVoid, Effect.ensuring(Effect.sync(() => void socket.destroy())))

/**
 * Answers an upgrade that is not granted, as an ordinary HTTP response with the Status as its body, and closes the connection.
 *
 * @category combinators
 */
export const refuse = (upgrade: Upgrade, status: Status.Status): Effect.Effect<void> =>
  answer(upgrade, status.code ?? 500, ["Content-Type: application/json"], Buffer.from(`${JSON.stringify(status)}\n`))

/**
 * Answers an upgrade that somebody else grants: the client is to ask there, with the same method (307). Closes the connection. The location
 * goes into a header as it is.
 *
 * @category combinators
 */
export const redirect = (upgrade: Upgrade, location: string): Effect.Effect<void> => answer(upgrade, 307, [`Location: ${location}`], Buffer.alloc(0))
