/** Where a session host takes sessions: HTTPS at the address of the node, as the node, for clients of the kubelet API that have a ticket. */
import { Status } from "@reddwarf/api-types"
import { ListeningServer } from "@reddwarf/node-health"
import { Upgrade } from "@reddwarf/streaming"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { createServer } from "node:https"
import type { Duplex } from "node:stream"
import * as PeerIdentity from "../kubelet/PeerIdentity.js"
import type { Tls } from "./SessionControl.js"
import { type SessionHostUnusable, unusable } from "./SessionError.js"

/** The only path there is. @category models */
export const path = "/session"

/** @category models */
export interface Options {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly tls: Tls
  /** Serves the session of a ticket to its end, or refuses it. */
  readonly serve: (upgrade: Upgrade.Upgrade, ticket: string, holder: string) => Effect.Effect<void>
}

/** @category models */
export interface SessionEndpoint {
  readonly port: number
  /** Shows another certificate from now on. Connections that are there stay. */
  readonly renew: (tls: Tls) => void
  /** Takes no more connections. Those that are there stay. */
  readonly close: () => void
}

/** Connections at once; sessions are bounded by their tickets. */
const maxConnections = 1024

/** The ticket of a request for a session; undefined for anything else. */
const ticketOf = (url: string | undefined): string | undefined => {
  const place = `https://node${url ?? ""}`
  if (url?.startsWith("/") !== true || !URL.canParse(place)) return undefined
  const { pathname, searchParams } = new URL(place)
  return pathname === path && searchParams.size === 1 ? searchParams.get("ticket") ?? undefined : undefined
}

/**
 * Listens for as long as the scope lives; then everything it serves ends.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<SessionEndpoint, SessionHostUnusable, Scope.Scope> =>
  Effect.gen(function*() {
    const sockets = new Set<Duplex>()
    const run = yield* FiberSet.makeRuntime()

    const upgrade = (asked: Upgrade.Upgrade): Effect.Effect<void> =>
      Effect.suspend(() => {
        const refused = PeerIdentity.refusal(asked.request)
        if (refused !== undefined) return Upgrade.refuse(asked, Status.failure(refused.status, "", refused.message))
        const ticket = ticketOf(asked.request.url)
        return ticket === undefined
          ? Upgrade.refuse(asked, Status.failure(404, "NotFound", "404 page not found"))
          : options.serve(asked, ticket, PeerIdentity.fingerprint(asked.request))
      }).pipe(
        Effect.catchAllCause((cause) => Effect.logWarning("a session was cut off", cause)),
        Effect.onInterrupt(() => Effect.sync(() => void asked.socket.destroy()))
      )

    const { port, server } = yield* ListeningServer.acquire({
      host: options.host,
      port: options.port,
      make: () => {
        const created = createServer({ ...options.tls, requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.2", handshakeTimeout: 10_000 }, (request, response) => {
          const refused = PeerIdentity.refusal(request)
          response.writeHead(refused?.status ?? 400, { "content-type": "text/plain; charset=utf-8", connection: "close" })
          response.end(refused?.message ?? "Upgrade request required")
        })
        created.on("upgrade", (request, socket, head) => {
          socket.on("error", () => undefined)
          sockets.add(socket)
          socket.once("close", () => sockets.delete(socket))
          run(upgrade({ request, socket, head }))
        })
        created.headersTimeout = 10_000
        created.requestTimeout = 30_000
        created.maxConnections = maxConnections
        return created
      },
      failed: unusable("listen for sessions on", `${options.host}:${options.port}`),
      cut: (created) => {
        created.closeAllConnections()
        for (const socket of sockets) socket.destroy()
      }
    })
    return {
      port,
      renew: (tls) => server.setSecureContext(tls),
      close: () => void server.close()
    }
  })
