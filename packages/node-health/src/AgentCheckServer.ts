/** The TCP socket of the agent-check: looks at the default checks every two seconds, and tells every caller the same line. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { createServer, type Server } from "node:net"
import * as AgentCheck from "./AgentCheck.js"
import { ListenFailed } from "./HealthServer.js"
import * as ListeningServer from "./ListeningServer.js"

/** @category models */
export interface Options {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly evaluation: Effect.Effect<AgentCheck.Evaluation>
  readonly override: () => AgentCheck.Override
  /** Who may ask; everybody when absent. */
  readonly mayAsk?: (address: string) => boolean
}

/** @category models */
export interface AgentCheckServer {
  readonly port: number
  /** The line that is told now. */
  readonly line: () => string
}

/**
 * Opens the socket for as long as the scope lives.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<AgentCheckServer, ListenFailed, Scope.Scope> =>
  Effect.gen(function*() {
    let state = AgentCheck.initial
    const line = () => AgentCheck.line(state, options.override())
    yield* options.evaluation.pipe(
      Effect.map((evaluation) => {
        state = AgentCheck.step(state, evaluation)
      }),
      Effect.repeat(Schedule.fixed("2 seconds")),
      Effect.forkScoped
    )
    const { port } = yield* ListeningServer.acquire<Server, ListenFailed>({
      host: options.host,
      port: options.port,
      make: () => {
        const created = createServer((socket) => {
          socket.on("error", () => undefined)
          // What the balancer sends is not part of this protocol; a peer that does not read is let go.
          socket.resume()
          socket.setTimeout(5000, () => socket.destroy())
          if (options.mayAsk?.(socket.remoteAddress ?? "") === false) return void socket.destroy()
          return void socket.end(line())
        })
        created.maxConnections = 64
        return created
      },
      failed: (detail) => new ListenFailed({ host: options.host, port: options.port, detail })
    })
    return { port, line }
  })
