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

/** What a taker says of a chunk: there is room for more, it must be waited for that, or nothing more is wanted. */
export type Taken = "more" | "full" | "over"

/** A receiver that may be full. */
export interface Receiver {
  readonly drained: Effect.Effect<void>
  /** Calls back once, perhaps at once; the result forgets it. */
  readonly whenDrained?: (listener: () => void) => () => void
}

/**
 * Hands on every chunk as it comes until the stream ends, or the taker has enough. For megabytes a second: there is one effect for the
 * whole stream, not one for each chunk.
 */
export const pump = (stream: Readable, receiver: Receiver, take: (chunk: Uint8Array) => Taken): Effect.Effect<"ended" | "over", StreamBroken> => {
  const part = Effect.async<"ended" | "over" | "full", StreamBroken>((resume) => {
    let forgetWait: (() => void) | undefined
    const onData = (chunk: unknown) => {
      const taken = chunk instanceof Uint8Array ? take(chunk) : "more"
      if (taken === "more") return
      stream.pause()
      if (taken === "over") return done(Effect.succeed("over"))
      if (receiver.whenDrained === undefined) return done(Effect.succeed("full"))
      let isAtOnce = true
      const forget = receiver.whenDrained(() => {
        forgetWait = undefined
        isAtOnce = false
        stream.resume()
      })
      if (isAtOnce) forgetWait = forget
    }
    const onEnd = () => done(Effect.succeed("ended"))
    const onError = (cause: unknown) => done(Effect.fail(broken(cause)))
    const onClose = () => done(stream.readableEnded ? Effect.succeed("ended") : Effect.fail(cutOff))
    const forget = () => {
      stream.off("data", onData)
      stream.off("end", onEnd)
      stream.off("error", onError)
      stream.off("close", onClose)
      stream.pause()
      forgetWait?.()
    }
    const done = (result: Effect.Effect<"ended" | "over" | "full", StreamBroken>) => {
      forget()
      resume(result)
    }
    if (stream.readableEnded) return resume(Effect.succeed("ended"))
    if (stream.errored !== null) return resume(Effect.fail(broken(stream.errored)))
    if (stream.destroyed) return resume(Effect.fail(cutOff))
    stream.on("end", onEnd)
    stream.on("error", onError)
    stream.on("close", onClose)
    stream.on("data", onData)
    stream.resume()
    return Effect.sync(forget)
  })
  return Effect.flatMap(part, (state) => state === "full" ? Effect.zipRight(receiver.drained, Effect.suspend(() => pump(stream, receiver, take))) : Effect.succeed(state))
}
