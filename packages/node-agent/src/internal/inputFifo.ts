/**
 * The host's end of a container's input. The FIFO lies in a directory that whoever is root in the zone can change: it is opened through no
 * symbolic link, and only if it is a FIFO.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Socket } from "node:net"
import type { Writable } from "node:stream"
import * as attemptFifos from "./attemptFifos.js"

/** Opens the input of the attempt in `directory` for writing; fails when the container has none, or is gone. */
export const open = (directory: string): Effect.Effect<Writable, { readonly message: string }, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const socket = new Socket({ fd: attemptFifos.openToWrite(`${directory}/in`), readable: false, writable: true })
        socket.on("error", () => undefined)
        return socket
      },
      catch: (cause) => ({ message: cause instanceof Error ? cause.message : String(cause) })
    }),
    (socket) => Effect.sync(() => void socket.destroy())
  )

/** Lets go of the input for good: the container sees its end as soon as nobody writes to it any more. */
export const end = (directory: string): Effect.Effect<void> => Effect.sync(() => attemptFifos.sendLine(`${directory}/eof`))
