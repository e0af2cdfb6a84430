/** Two connections joined: what one sends the other gets, each at the pace of its receiver. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { STATUS_CODES, type IncomingMessage } from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"

/** A connection, and what came on it before it was joined. */
export interface End {
  readonly socket: Duplex
  readonly head: Buffer
}

// Agents end idle sessions themselves; this is for what they do not know of.
const idleMillis = Duration.toMillis("4 hours")

// How long a side may take to read what it was sent before the other side was gone.
const farewell = "5 seconds"

/** The head of an answer as it came, for a connection that leaves HTTP with it. */
export const headOf = ({ rawHeaders, statusCode = 101 }: IncomingMessage): string => {
  const lines = [`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ""}`]
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
  return `${lines.join("\r\n")}\r\n\r\n`
}

const prepare = ({ head, socket }: End): void => {
  socket.on("error", () => {})
  // The end of what one side says is not the end of what it hears.
  socket.allowHalfOpen = true
  if (head.length > 0) socket.unshift(head)
  if (!(socket instanceof Socket)) return
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 30_000)
  socket.setTimeout(idleMillis, () => socket.destroy())
}

const closed = ({ socket }: End): Effect.Effect<void> =>
  Effect.async((resume) => {
    const done = () => resume(Effect.void)
    if (socket.destroyed) return done()
    socket.once("close", done)
    return Effect.sync(() => socket.off("close", done))
  })

/** Ends when both are closed, or soon after one is. Interruption closes both. */
export const join = (a: End, b: End): Effect.Effect<void> =>
  Effect.suspend(() => {
    prepare(a)
    prepare(b)
    a.socket.pipe(b.socket)
    b.socket.pipe(a.socket)
    const [first, second] = [closed(a), closed(b)]
    const gone = Effect.raceFirst(first, second)
    // What one side said last still reaches the other, which is then told that there is nothing more.
    const told = Effect.sync(() => {
      for (const { socket } of [a, b]) {
        if (!socket.destroyed) socket.end()
      }
    })
    const both = Effect.zipRight(first, second)
    return gone.pipe(Effect.zipRight(told), Effect.zipRight(Effect.timeoutOption(both, farewell)), Effect.asVoid)
  }).pipe(Effect.ensuring(Effect.sync(() => {
    a.socket.destroy()
    b.socket.destroy()
  })))
