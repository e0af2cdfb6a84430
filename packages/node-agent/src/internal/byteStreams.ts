/** Node streams as effects: copying with back-pressure, and waiting. */
import * as Effect from "effect/Effect"
import type { Readable, Writable } from "node:stream"
import { finished, pipeline } from "node:stream"

/** Writes one chunk and waits while the reader is slow. A reader that is gone takes everything. */
export const write = (stream: Writable, bytes: Uint8Array): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (stream.destroyed || stream.writableEnded || stream.write(bytes)) return resume(Effect.void)
    const done = () => resume(Effect.void)
    stream.once("drain", done)
    stream.once("close", done)
    return Effect.sync(() => {
      stream.off("drain", done)
      stream.off("close", done)
    })
  })

/**
 * Begins to write one chunk at once; the result waits until it is written, and its memory free again. A reader that is gone takes everything.
 */
export const begin = (stream: Writable, bytes: Uint8Array): Effect.Effect<void> => {
  if (stream.destroyed || stream.writableEnded) return Effect.void
  let isDone = false
  let listener = (): void => undefined
  const done = () => {
    isDone = true
    stream.off("close", done)
    listener()
  }
  stream.once("close", done)
  stream.write(bytes, done)
  return Effect.async<void>((resume) => {
    if (isDone) return resume(Effect.void)
    listener = () => resume(Effect.void)
  })
}

/** Copies everything and ends the target. Either side may go away: that is the end of the copy, and no error. */
export const copyAll = (from: Readable, to: Writable): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    pipeline(from, to, () => resume(Effect.void))
  })

/** Copies everything and leaves the target open. */
export const copy = (from: Readable, to: Writable): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const stop = () => {
      from.unpipe(to)
      // Nobody listens any more; what still comes must not stop the sender.
      from.resume()
    }
    const done = () => {
      stop()
      resume(Effect.void)
    }
    const cleanSource = finished(from, { writable: false }, done)
    const cleanTarget = finished(to, { readable: false }, done)
    from.pipe(to, { end: false })
    return Effect.sync(() => {
      cleanSource()
      cleanTarget()
      stop()
    })
  })

/** Does something with every chunk, one after the other, to the end of the stream. A stream that breaks off ends. */
export const forEach = <E, R>(from: Readable, body: (chunk: Buffer) => Effect.Effect<void, E, R>): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    const next = Effect.async<Buffer | undefined>((resume) => {
      const clean = () => {
        from.off("readable", look)
        from.off("end", done)
        from.off("close", done)
      }
      const done = () => {
        clean()
        resume(Effect.succeed(undefined))
      }
      const look = () => {
        const chunk: unknown = from.read()
        if (chunk === null) return
        clean()
        resume(Effect.succeed(typeof chunk === "string" ? Buffer.from(chunk) : chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.alloc(0)))
      }
      if (from.readableEnded || from.destroyed) return done()
      from.on("readable", look)
      from.once("end", done)
      from.once("close", done)
      look()
      return Effect.sync(clean)
    })
    const loop: Effect.Effect<void, E, R> = Effect.flatMap(next, (chunk) =>
      chunk === undefined ? Effect.void : Effect.zipRight(body(chunk), Effect.suspend(() => loop)))
    return loop
  })
