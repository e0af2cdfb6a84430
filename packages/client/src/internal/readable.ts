/** Reads a Node stream by pulling, so that a slow consumer slows down the sender. */
import type { Readable } from "node:stream"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** The bytes that have arrived, waiting for some if there are none. Fails with `None` at the end, with `Some` when the stream breaks. */
export const readChunk = <E>(readable: Readable, onError: (cause: Error) => E): Effect.Effect<Uint8Array, Option.Option<E>> =>
  Effect.suspend(() => {
    const chunk: unknown = readable.read()
    if (chunk instanceof Uint8Array) return Effect.succeed(chunk)
    if (readable.errored !== null) return Effect.fail(Option.some(onError(readable.errored)))
    if (readable.readableEnded) return Effect.fail(Option.none())
    if (readable.destroyed) return Effect.fail(Option.some(onError(new Error("the connection was closed before the end"))))
    return Effect.zipRight(awaitChange(readable), readChunk(readable, onError))
  })

const awaitChange = (readable: Readable): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const events = ["readable", "end", "error", "close"]
    const changed = () => {
      cleanUp()
      resume(Effect.void)
    }
    const cleanUp = () => {
      for (const event of events) readable.off(event, changed)
    }
    for (const event of events) readable.once(event, changed)
    return Effect.sync(cleanUp)
  })
