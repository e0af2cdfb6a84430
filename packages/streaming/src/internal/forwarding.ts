/** Between a client's data stream and the connection to a port of the pod. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Duplex } from "node:stream"

/** What a client opens for each connection. */
export interface Pair {
  readonly port: number
  readonly data: Duplex
  /** Carries the text of a failure, if there is one. */
  readonly error: Duplex
}

/** Hands bytes on in both directions, each until its own end. Ends when the client has all that came, or either side is gone. */
const bridge = (data: Duplex, pod: Duplex): Effect.Effect<void> =>
  Effect.async((resume) => {
    const check = () => {
      const answered = data.writableFinished && (pod.destroyed || pod.writableFinished)
      if (data.destroyed || answered) resume(Effect.void)
    }
    pod.on("error", () => {})
    data.on("finish", check)
    data.once("close", check)
    pod.once("finish", check)
    pod.once("close", () => {
      // Nobody takes what the client still sends; what the pod said before it closed is not cut.
      data.unpipe(pod)
      data.resume()
      if (pod.readableEnded) check()
      else data.destroy()
    })
    data.pipe(pod)
    pod.pipe(data)
    check()
    return Effect.sync(() => {
      data.off("finish", check)
      data.off("close", check)
    })
  })

const flushed = (stream: Duplex): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (stream.writableFinished || stream.destroyed) return resume(Effect.void)
    const done = () => resume(Effect.void)
    stream.once("finish", done)
    stream.once("close", done)
    stream.end()
    return Effect.sync(() => {
      stream.off("finish", done)
      stream.off("close", done)
    })
  })

/** Serves one pair to its end. The connection to the pod lives in the scope that `connect` is given. */
export const forward = <R>(
  { data, error, port }: Pair,
  connect: (port: number) => Effect.Effect<Duplex, { readonly message: string }, R | Scope.Scope>
): Effect.Effect<void, never, Exclude<R, Scope.Scope>> =>
  connect(port).pipe(
    Effect.flatMap((pod) => Effect.ensuring(bridge(data, pod), Effect.sync(() => void pod.destroy()))),
    Effect.scoped,
    Effect.catchAll(({ message }) =>
      Effect.sync(() => {
        data.resume()
        if (!error.destroyed && error.writable) error.write(Buffer.from(message))
      })
    ),
    Effect.zipRight(Effect.all([flushed(error), flushed(data)], { discard: true })),
    Effect.ensuring(Effect.sync(() => {
      data.destroy()
      error.destroy()
    }))
  )
