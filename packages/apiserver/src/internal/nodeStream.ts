/** Node's readable streams, taken chunk by chunk: nothing is read ahead of what the taker asks for. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Readable } from "node:stream"

/** The stream broke. */
export class StreamBroken extends Data.TaggedError("StreamBroken")<{ readonly detail: string; readonly cause?: unknown }> {}

const broken = (cause: unknown): StreamBroken =>
  new StreamBroken({ detail: cause instanceof Error ? cause.message : String(cause), cause })

const cutOff = new StreamBroken({ detail: "the connection was closed" })

/** The next chunk, undefined at the end. One taker at a time. */
export const readChunks = (stream: Readable): Effect.Effect<Uint8Array | undefined, StreamBroken> =>
  Effect.async<Uint8Array | undefined, StreamBroken>((resume) => {
    const take = (): boolean => {
      const chunk: unknown = stream.read()
      if (!(chunk instanceof Uint8Array)) return false
      done(Effect.succeed(chunk))
      return true
    }
    const onReadable = () => void take()
    const onEnd = () => done(Effect.succeed(undefined))
    const onError = (cause: unknown) => done(Effect.fail(broken(cause)))
    const onClose = () => done(stream.readableEnded ? Effect.succeed(undefined) : Effect.fail(cutOff))
    const forget = () => {
      stream.off("readable", onReadable)
      stream.off("end", onEnd)
      stream.off("error", onError)
      stream.off("close", onClose)
    }
    const done = (result: Effect.Effect<Uint8Array | undefined, StreamBroken>) => {
      forget()
      resume(result)
    }
    if (stream.readableEnded) return done(Effect.succeed(undefined))
    if (stream.errored !== null) return done(Effect.fail(broken(stream.errored)))
    if (stream.destroyed) return done(Effect.fail(cutOff))
    stream.on("readable", onReadable)
    stream.on("end", onEnd)
    stream.on("error", onError)
    stream.on("close", onClose)
    take()
    return Effect.sync(forget)
  })
