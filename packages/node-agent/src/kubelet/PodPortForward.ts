/** Connections to the ports of a pod. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createConnection, type Socket } from "node:net"

/**
 * The port cannot be reached.
 *
 * @category errors
 */
export class PortUnreachable extends Data.TaggedError("PortUnreachable")<{ readonly message: string }> {}

/** What Go's network library calls these errors; it is what users search for. */
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "i/o timeout",
  ECONNRESET: "connection reset by peer"
}

/**
 * The pod of a port.
 *
 * @category models
 */
export interface Target {
  readonly name: string
  readonly uid: string
  /** None before the pod has one. */
  readonly address: string | undefined
}

/**
 * Opens the port for as long as the scope lives; each direction can be closed alone. A program in the zone that listens on the zone's own
 * loopback address only is not reached.
 *
 * @category constructors
 */
export const connect = ({ address, name, uid }: Target, port: number): Effect.Effect<Socket, PortUnreachable, Scope.Scope> =>
  Effect.suspend(() => {
    const failed = (detail: string) => new PortUnreachable({ message: `error forwarding port ${port} to pod ${name}, uid ${uid}: ${detail}` })
    if (address === undefined || address === "") return Effect.fail(failed("the pod has no address"))
    const target = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
    const dialFailed = (detail: string) => failed(`failed to connect to ${target}: dial tcp ${target}: connect: ${detail}`)
    return Effect.acquireRelease(
      Effect.async<Socket, PortUnreachable>((resume) => {
        const socket = createConnection({ host: address, port, allowHalfOpen: true })
        const refused = (error: NodeJS.ErrnoException) => resume(dialFailed(words[error.code ?? ""] ?? error.message))
        socket.once("error", refused)
        socket.once("connect", () => {
          socket.off("error", refused)
          socket.on("error", () => undefined)
          resume(Effect.succeed(socket))
        })
        return Effect.sync(() => void socket.destroy())
      }).pipe(Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => dialFailed("i/o timeout") }), Effect.interruptible),
      (socket) => Effect.sync(() => void socket.destroy())
    )
  })
