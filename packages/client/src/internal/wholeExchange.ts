/**
 * One request and its whole answer, with plain callbacks: there are many of them, and a fiber for each wait would cost as much as the request.
 */
import type * as http from "node:http"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Response, TransportFailure } from "../Transport.js"
import { concat } from "./lines.js"

export interface Bounds {
  /** Time for the whole answer. */
  readonly timeout: Duration.Duration
  /** Largest answer, in bytes. */
  readonly maxBytes: number
}

type Failure = (reason: TransportFailure["reason"], detail: string, cause?: unknown) => TransportFailure

export const headersOf = (message: http.IncomingMessage): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = {}
  for (const name in message.headers) {
    const value = message.headers[name]
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value
  }
  return headers
}

/** Sends what `open` makes. Its connection is free again when the answer is here; it is closed when anything else ends this. */
export const run = (
  open: () => http.ClientRequest,
  body: Uint8Array | undefined,
  bounds: Bounds,
  failure: Failure
): Effect.Effect<Response, TransportFailure> =>
  Effect.async<Response, TransportFailure>((resume) => {
    const outgoing = open()
    let isOver = false
    let isAnswered = false
    // Plain time, on a hot path: what is bounded is a socket.
    const timer = setTimeout(() => fail("Timeout", `no answer within ${Duration.format(bounds.timeout)}`), Duration.toMillis(bounds.timeout))
    const end = (result: Effect.Effect<Response, TransportFailure>): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      resume(result)
    }
    const fail = (reason: TransportFailure["reason"], detail: string, cause?: unknown): void => {
      if (isOver) return
      end(Effect.fail(failure(reason, detail, cause)))
      outgoing.destroy()
    }
    outgoing.once("response", (message) => {
      isAnswered = true
      const parts: Array<Uint8Array> = []
      let length = 0
      message.on("data", (chunk: Uint8Array) => {
        length += chunk.length
        if (length > bounds.maxBytes) fail("TooLarge", `the answer is larger than ${String(bounds.maxBytes)} bytes`)
        else parts.push(chunk)
      })
      message.once("end", () => end(Effect.succeed({ status: message.statusCode ?? 0, headers: headersOf(message), body: concat(parts, length) })))
      message.on("error", (cause) => fail("Closed", cause.message, cause))
      message.once("close", () => fail("Closed", "the connection was closed before the end"))
    })
    outgoing.on("error", (cause) => fail(outgoing.reusedSocket ? "Closed" : "Connect", cause.message, cause))
    // Every exchange closes in the end: this counts only where nothing else came before.
    outgoing.once("close", () => {
      if (!isAnswered) fail("Closed", "the connection was closed before an answer came")
    })
    outgoing.end(body)
    return Effect.sync(() => {
      isOver = true
      clearTimeout(timer)
      outgoing.destroy()
    })
  })
