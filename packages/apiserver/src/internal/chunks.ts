/** Joins many small pieces to few writes, and lets a full receiver hold them back. */
import * as Effect from "effect/Effect"
import type { ApiResponse, Sink } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"

/** Pieces are joined up to about this many bytes. */
export const chunkBytes = 64 * 1024

// Up to here an answer is one piece of memory; above, it is produced while it is sent.
const eagerBytes = 256 * 1024

/** The next joined chunk of a sequence, or undefined when it is exhausted. */
export const nextChunk = (pieces: Iterator<Uint8Array>, limit = chunkBytes): Uint8Array | undefined => {
  const parts: Array<Uint8Array> = []
  let size = 0
  while (size < limit) {
    const { done, value } = pieces.next()
    if (done === true) break
    parts.push(value)
    size += value.length
  }
  if (parts.length === 0) return undefined
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size)
}

/** Writes all pieces, waiting whenever the sink is full. */
export const writeAll = (sink: Sink, pieces: Iterator<Uint8Array>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const chunk = nextChunk(pieces)
    if (chunk === undefined) return Effect.void
    const free = sink.write(chunk)
    // A short chunk is the last one.
    if (chunk.length < chunkBytes) return free ? Effect.void : sink.drained
    // Encoding a long list must not keep other requests waiting.
    return Effect.zipRight(free ? Effect.yieldNow() : sink.drained, Effect.suspend(() => writeAll(sink, pieces)))
  })

const prepend = function*(first: Uint8Array, rest: Iterator<Uint8Array>): Generator<Uint8Array> {
  yield first
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value
}

/** An answer from pieces, JSON unless told: complete in memory when it is small, else produced while it is sent. */
export const response = (pieces: Iterator<Uint8Array>, headers: ApiResponse["headers"] = Response.jsonHeaders): ApiResponse => {
  const first = nextChunk(pieces, eagerBytes) ?? Response.emptyBody
  if (first.length < eagerBytes) return { status: 200, headers, body: first }
  return Response.stream(200, headers, false, (sink) => writeAll(sink, prepend(first, pieces)))
}
