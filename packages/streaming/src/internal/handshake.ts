/** Agreeing on a protocol with the client, and changing to it. */
import { Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import type { Upgrade } from "../Upgrade.js"

/** What a client asks the connection to become. */
export type Carrier = "WebSocket" | "Spdy"

const listOf = (value: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  (typeof value === "string" ? [value] : value ?? [])
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "")

/** Left: the client asks for neither. */
export const carrierOf = ({ headers }: IncomingMessage): Either.Either<Carrier, Status.Status> => {
  const wanted = new Set(listOf(headers.upgrade).map((name) => name.toLowerCase()))
  if (wanted.has("websocket")) return Either.right("WebSocket")
  return wanted.has("spdy/3.1") ? Either.right("Spdy") : Either.left(Status.badRequest("Upgrade request required"))
}

const first = (offered: ReadonlyArray<string>, known: ReadonlyArray<string>): string | undefined => {
  const names = new Set(known)
  return offered.find((name) => names.has(name))
}

const disagreed = (offered: ReadonlyArray<string>, known: ReadonlyArray<string>): Status.Status =>
  Status.failure(
    403,
    "Forbidden",
    `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${known.join(" ")}]`
  )

/** The first protocol of a SPDY client that is `known`. */
export const spdyProtocol = ({ headers }: IncomingMessage, known: ReadonlyArray<string>): Either.Either<string, Status.Status> => {
  const offered = listOf(headers["x-stream-protocol-version"])
  if (offered.length === 0) return Either.left(Status.badRequest("unable to upgrade: X-Stream-Protocol-Version is required"))
  const chosen = first(offered, known)
  return chosen === undefined ? Either.left(disagreed(offered, known)) : Either.right(chosen)
}

/** The first sub-protocol of a WebSocket client that is `known`; none when the client offers none at all. */
export const webSocketProtocol = (
  { headers }: IncomingMessage,
  known: ReadonlyArray<string>
): Either.Either<Option.Option<string>, Status.Status> => {
  const offered = listOf(headers["sec-websocket-protocol"])
  if (offered.length === 0) return Either.right(Option.none())
  const chosen = first(offered, known)
  return chosen === undefined ? Either.left(disagreed(offered, known)) : Either.right(Option.some(chosen))
}

/** Sessions may be silent for long, and what they say must not wait. */
const settle = ({ socket }: Upgrade): void => {
  if (!(socket instanceof Socket)) return
  socket.setTimeout(0)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 30_000)
}

/** Grants SPDY: from here on the socket carries frames. */
export const acceptSpdy = (upgrade: Upgrade, protocol: string): void => {
  const { head, socket } = upgrade
  settle(upgrade)
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n" +
      `X-Stream-Protocol-Version: ${protocol}\r\n\r\n`
  )
  if (head.length > 0) socket.unshift(head)
}

/** As in Kubernetes. It is held only while a message of that size really comes in. */
const maxMessageBytes = 32 * 1024 * 1024

/** Answers that a client is owed but does not take. */
const maxUnsent = 256 * 1024

/** Answers pings, as long as the client reads the answers: the latest one is all that it has a right to. */
const answerPings = (webSocket: WebSocket): void => {
  webSocket.on("ping", (data) => {
    if (webSocket.readyState === webSocket.OPEN && webSocket.bufferedAmount <= maxUnsent) webSocket.pong(data)
  })
}

/**
 * Grants a WebSocket. `use` runs before the first message is read. None: the request was no proper one, which the client has been told, or
 * the client was gone.
 */
export const acceptWebSocket = <A>(
  upgrade: Upgrade,
  protocol: Option.Option<string>,
  use: (socket: WebSocket) => A
): Effect.Effect<Option.Option<A>> =>
  Effect.async((resume) => {
    const { head, request, socket } = upgrade
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxMessageBytes, clientTracking: false, autoPong: false })
    // The protocol is agreed already. Names with a slash, which clients do use, are no tokens, and the library would refuse them.
    delete request.headers["sec-websocket-protocol"]
    server.on("headers", (lines) => {
      if (Option.isSome(protocol)) lines.push(`Sec-WebSocket-Protocol: ${protocol.value}`)
    })
    const gone = () => resume(Effect.succeed(Option.none()))
    socket.once("close", gone)
    if (socket.destroyed) return gone()
    settle(upgrade)
    server.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off("close", gone)
      webSocket.on("error", () => {})
      answerPings(webSocket)
      resume(Effect.succeed(Option.some(use(webSocket))))
    })
  })
