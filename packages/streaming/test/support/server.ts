import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Schedule from "effect/Schedule"
import { createServer } from "node:http"
import type { Socket } from "node:net"
import type * as Upgrade from "../../src/Upgrade.js"

export interface TestServer {
  readonly port: number
  /** Sessions that have not ended. */
  readonly active: () => number
}

/** An HTTP server that hands its upgrades to `serve`, for as long as the scope lives. */
export const make = (serve: (upgrade: Upgrade.Upgrade, query: URLSearchParams) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime()
    let active = 0
    const sockets = new Set<Socket>()
    const server = yield* Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>>((resume) => {
        const created = createServer()
        created.on("connection", (socket) => {
          sockets.add(socket)
          socket.once("close", () => sockets.delete(socket))
        })
        created.on("upgrade", (request, socket, head) => {
          active++
          const { searchParams } = new URL(request.url ?? "/", "http://server")
          run(Effect.ensuring(serve({ request, socket, head }, searchParams), Effect.sync(() => active--)))
        })
        created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
      }),
      (created) =>
        Effect.async<void>((resume) => {
          created.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return { port, active: () => active } satisfies TestServer
  })

/** Waits until something holds; fails after 15 seconds. */
export const until = (what: string, holds: () => boolean): Effect.Effect<void> =>
  Effect.sync(holds).pipe(
    Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("5 millis") }),
    Effect.timeoutFail({ duration: "15 seconds", onTimeout: () => new Error(`waited in vain: ${what}`) }),
    Effect.orDie,
    Effect.asVoid
  )
