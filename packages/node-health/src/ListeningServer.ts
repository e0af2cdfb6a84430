/** A TCP server that listens as long as a scope: over HTTP, TLS or plain. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Server } from "node:net"

/**
 * What listens, and where.
 *
 * @category models
 */
export interface Options<S extends Server, E> {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Makes the server. What it throws, such as an error about a certificate, counts as a failure to listen. */
  readonly make: () => S
  readonly failed: (detail: string) => E
  /** Ends the connections that are open when the server closes; without it they end by themselves, and the scope waits for that. */
  readonly cut?: (server: S) => void
}

/**
 * A server that listens.
 *
 * @category models
 */
export interface Listening<S extends Server> {
  readonly server: S
  /** The port it listens on. */
  readonly port: number
}

/**
 * Listens until the scope ends. Fails when the server cannot be made, or the address is not to be had; errors after that are the connections' own.
 *
 * @category constructors
 */
export const acquire = <S extends Server, E>(options: Options<S, E>): Effect.Effect<Listening<S>, E, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<S, E>((resume) => {
      const fail = (cause: unknown) => resume(Effect.fail(options.failed(cause instanceof Error ? cause.message : String(cause))))
      try {
        const server = options.make()
        server.once("error", fail)
        server.listen(options.port, options.host, () => {
          server.off("error", fail)
          server.on("error", () => undefined)
          resume(Effect.succeed(server))
        })
      } catch (cause) {
        fail(cause)
      }
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        options.cut?.(server)
      })
  ).pipe(Effect.map((server) => {
    const address = server.address()
    return { server, port: typeof address === "object" && address !== null ? address.port : options.port }
  }))
