/** Writing to streams of Node no faster than they take it. */
import * as Effect from "effect/Effect"
import type { Writable } from "node:stream"

/** Hands over bytes and waits until more may come. Ends at once where the stream is closed: whoever reads it has the reason. */
export const write = (stream: Writable, bytes: Uint8Array): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (stream.destroyed || stream.write(bytes)) return resume(Effect.void)
    const done = () => {
      stream.off("drain", done)
      stream.off("close", done)
      resume(Effect.void)
    }
    stream.once("drain", done)
    stream.once("close", done)
    return Effect.sync(() => {
      stream.off("drain", done)
      stream.off("close", done)
    })
  })
