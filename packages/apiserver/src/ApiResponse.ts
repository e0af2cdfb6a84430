/** A response of the API, free of any transport. */
import type { Transport } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type { Duplex } from "node:stream"

/**
 * Where a streamed body goes. Chunks are handed over, never modified afterwards.
 *
 * @category models
 */
export interface Sink {
  /** Takes a chunk; false means: full, wait for `drained` before the next one. */
  readonly write: (chunk: Uint8Array) => boolean
  /** Answers once the receiver has taken what was written. */
  readonly drained: Effect.Effect<void>
  /** The same for a plain function, which is called once, perhaps at once; the result forgets it. Absent: only as an effect. */
  readonly whenDrained?: (listener: () => void) => () => void
}

/**
 * A body that is produced while it is sent. `run` writes to the sink and ends when the body is complete; whoever runs it
 * interrupts it when the receiver is gone.
 *
 * @category models
 */
export interface StreamBody {
  readonly _tag: "Stream"
  /** A body without a natural end (watch, log): never compressed, flushed with each chunk, ended at shutdown. */
  readonly live: boolean
  readonly run: (sink: Sink) => Effect.Effect<void>
  /** Gives up what the body holds. Whoever has the response runs it once: after `run`, or instead of it. */
  readonly discard: Effect.Effect<void>
}

/**
 * Another connection that the client's own is to be joined with: the answer to an upgrade. Whoever has the response runs `join`, or
 * `discard` instead.
 *
 * @category models
 */
export interface Tunnel {
  /** Answers the upgrade on the client's connection and serves it to its end; `head` is what the client has sent after its request. */
  readonly join: (socket: Duplex, head: Buffer) => Effect.Effect<void>
  readonly discard: Effect.Effect<void>
}

/**
 * One response.
 *
 * @category models
 */
export interface ApiResponse {
  readonly status: number
  /** Header values by lower-case name; an array is sent as a repeated header. */
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body: Uint8Array | StreamBody
  /** Instead of the body, for a caller that takes it. */
  readonly stored?: Transport.StoredAnswer
  /** Only in answers to requests with `upgrade`; there is no body then. */
  readonly tunnel?: Tunnel
}

const encoder = new TextEncoder()

/** No bytes at all. @category constructors */
export const emptyBody: Uint8Array = new Uint8Array(0)

/** Headers that every JSON answer shares; answers without others use this very object. @category constructors */
export const jsonHeaders: Readonly<Record<string, string>> = {
  "content-type": "application/json",
  "cache-control": "no-cache, private"
}

const textHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-cache, private",
  "x-content-type-options": "nosniff"
}

/** Ready-made JSON bytes. @category constructors */
export const jsonBytes = (status: number, body: Uint8Array): ApiResponse => ({ status, headers: jsonHeaders, body })

/** One line of JSON. @category constructors */
export const json = (status: number, value: unknown): ApiResponse =>
  jsonBytes(status, encoder.encode(`${JSON.stringify(value)}\n`))

/** A list or watch for a caller in this process. @category constructors */
export const stored = (answer: Transport.StoredAnswer): ApiResponse => ({
  status: 200,
  headers: jsonHeaders,
  body: emptyBody,
  stored: answer
})

/** Plain text. @category constructors */
export const text = (status: number, body: string): ApiResponse => ({
  status,
  headers: textHeaders,
  body: encoder.encode(body)
})

/** A body that is produced while it is sent. @category constructors */
export const stream = (
  status: number,
  headers: ApiResponse["headers"],
  live: boolean,
  run: StreamBody["run"],
  discard: Effect.Effect<void> = Effect.void
): ApiResponse => ({ status, headers, body: { _tag: "Stream", live, run, discard } })

/** The same response with further headers. @category combinators */
export const withHeaders = (response: ApiResponse, headers: ApiResponse["headers"]): ApiResponse => ({
  ...response,
  headers: { ...response.headers, ...headers }
})
