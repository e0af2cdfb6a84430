/**
 * Watches and followed logs over WebSocket, for browsers: the same URLs, one text frame per event (binary frames for logs). An
 * upgrade to anything else is answered as the plain request that it also is.
 */
import { Status } from "@reddwarf/api-types"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Schedule from "effect/Schedule"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import type { ApiRequest } from "../ApiRequest.js"
import type { ApiResponse, Sink, StreamBody, Tunnel } from "../ApiResponse.js"
import type { ClientCertificate, Credentials } from "../authentication/Authenticator.js"
import type { UserInfo } from "../authentication/UserInfo.js"
import { clientOf, type Places } from "./places.js"
import * as rawAnswer from "./rawAnswer.js"
import * as render from "./render.js"
import { refusalOf } from "./requestLimits.js"

/** What a server hands over for its upgrades. */
export interface Options {
  readonly respond: (request: ApiRequest) => ApiResponse | Effect.Effect<ApiResponse>
  readonly authenticate: (credentials: Credentials) => UserInfo | undefined
  readonly certificateOf: (request: IncomingMessage) => ClientCertificate | undefined
  readonly streams: Places
  /** Answers when the server stops. */
  readonly stopped: Effect.Effect<void>
  readonly fork: (effect: Effect.Effect<void>) => { readonly unsafeInterruptAsFork: (id: FiberId.FiberId) => void }
  /** How long a peer may not take what is sent to it, nor answer pings. */
  readonly stallMillis: number
}

const tokenProtocol = "base64url.bearer.authorization.k8s.io."

const offered = (request: IncomingMessage): ReadonlyArray<string> =>
  (request.headers["sec-websocket-protocol"] ?? "").split(",").map((text) => text.trim()).filter((text) => text !== "")

/** Browsers cannot set headers, so a token comes as the name of a protocol. */
const authorizationOf = (request: IncomingMessage): string | undefined => {
  if (request.headers.authorization !== undefined) return request.headers.authorization
  const token = offered(request).find((name) => name.startsWith(tokenProtocol))
  return token === undefined
    ? undefined
    : `Bearer ${Buffer.from(token.slice(tokenProtocol.length), "base64url").toString("utf8")}`
}

/** A page of another site must not use the certificate that the browser holds. */
const isForeignPage = ({ headers }: IncomingMessage): boolean => {
  const { host, origin } = headers
  if (origin === undefined) return false
  return !URL.canParse(origin) || new URL(origin).host !== host
}

const foreignPage = render.status(Status.forbiddenPath("a page of another origin may not use a client certificate"))
const tooMany = render.status(Status.tooManyRequests())
const unexpected = render.status(Status.internalError("an unexpected fault; see the log of the server"))

const newline = 10

/** How many bytes may wait in a connection before the producer does. */
const highWater = 256 * 1024

const sinkOf = (socket: WebSocket, lines: boolean, stallMillis: number): Sink => {
  let waiting: (() => void) | undefined
  const sent = () => {
    if (socket.bufferedAmount > highWater / 2) return
    waiting?.()
    waiting = undefined
  }
  const send = (data: Uint8Array) => socket.send(data, { binary: !lines }, sent)
  return {
    write: (chunk) => {
      if (socket.readyState !== socket.OPEN) return true
      if (!lines) send(chunk)
      else {
        for (let begin = 0; begin < chunk.length;) {
          const end = chunk.indexOf(newline, begin)
          const stop = end < 0 ? chunk.length : end
          if (stop > begin) send(chunk.subarray(begin, stop))
          begin = stop + 1
        }
      }
      return socket.bufferedAmount < highWater
    },
    drained: Effect.async<void>((resume) => {
      if (socket.readyState !== socket.OPEN || socket.bufferedAmount <= highWater / 2) return resume(Effect.void)
      waiting = () => resume(Effect.void)
    }).pipe(
      Effect.timeoutOption(Duration.millis(stallMillis)),
      Effect.map((drained) => {
        if (drained._tag === "None") socket.terminate()
      })
    )
  }
}

/** Ends connections whose peer does not answer. */
const pings = (socket: WebSocket, stallMillis: number): Effect.Effect<void> => {
  let answered = true
  socket.on("pong", () => {
    answered = true
  })
  // A client that asks and does not read the answers gets no more of them.
  socket.on("ping", (data) => {
    if (socket.readyState === socket.OPEN && socket.bufferedAmount <= highWater) socket.pong(data)
  })
  return Effect.sync(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }).pipe(Effect.delay(Duration.millis(stallMillis / 2)), Effect.repeat(Schedule.forever), Effect.asVoid)
}

const isLive = (answer: ApiResponse): answer is ApiResponse & { readonly body: StreamBody } =>
  answer.status === 200 && !(answer.body instanceof Uint8Array) && answer.body.live

/** Handles the upgrades of one server. */
export const make = (options: Options): (request: IncomingMessage, socket: Duplex, head: Buffer) => void => {
  const { stallMillis, stopped, streams } = options
  // Nothing is expected from the peer but pongs and its close.
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 4096,
    autoPong: false,
    handleProtocols: (protocols) => [...protocols].find((name) => !name.startsWith(tokenProtocol)) ?? false
  })

  const serve = (socket: WebSocket, answer: ApiResponse & { readonly body: StreamBody }): Effect.Effect<void> => {
    const lines = answer.headers["content-type"] === "application/json"
    const ended = Effect.as(answer.body.run(sinkOf(socket, lines, stallMillis)), 1000)
    return Effect.raceFirst(Effect.raceFirst(ended, Effect.as(stopped, 1001)), Effect.as(pings(socket, stallMillis), 1000)).pipe(
      Effect.flatMap((code) => Effect.sync(() => socket.close(code))),
      Effect.ensuring(answer.body.discard)
    )
  }

  /** Joins the connection with another one, for as long as both live and the server does. */
  const hand = (socket: Duplex, head: Buffer, tunnel: Tunnel): void => {
    const joined = Effect.raceFirst(tunnel.join(socket, head), stopped)
    options.fork(joined.pipe(Effect.ensuring(tunnel.discard), Effect.ensuring(Effect.sync(() => void socket.destroy()))))
  }

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, answer: ApiResponse): void => {
    if (answer.tunnel !== undefined) return hand(socket, head, answer.tunnel)
    const refuse = (response: ApiResponse) => {
      if (!(response.body instanceof Uint8Array)) options.fork(response.body.discard)
      rawAnswer.send(socket, response)
    }
    if (!isLive(answer) || request.headers.upgrade?.toLowerCase() !== "websocket") {
      return refuse(isLive(answer) ? render.status(Status.badRequest("Upgrade request required")) : answer)
    }
    if (socket.destroyed) return refuse(tooMany)
    let opened = false
    socket.once("close", () => {
      if (!opened) options.fork(answer.body.discard)
    })
    server.handleUpgrade(request, socket, head, (webSocket) => {
      opened = true
      webSocket.on("error", () => {})
      const fiber = options.fork(serve(webSocket, answer))
      webSocket.once("close", () => fiber.unsafeInterruptAsFork(FiberId.none))
    })
  }

  return (request, socket, head) => {
    socket.on("error", () => {})
    const certificate = options.certificateOf(request)
    const authorization = authorizationOf(request)
    if (certificate !== undefined && isForeignPage(request)) return rawAnswer.send(socket, foreignPage)
    const url = request.url ?? "/"
    const tooLarge = refusalOf(url, request.rawHeaders)
    if (tooLarge !== undefined) return rawAnswer.send(socket, tooLarge)
    const user = options.authenticate({ certificate, authorization })
    const client = clientOf(user, request.socket.remoteAddress)
    // Before anything begins elsewhere that a client without a place would not be there for.
    if (socket.destroyed || !streams.enter(client)) return rawAnswer.send(socket, tooMany)
    socket.once("close", () => streams.leave(client))
    const apiRequest: ApiRequest = {
      method: request.method ?? "GET",
      url,
      headers: request.headers,
      body: Effect.succeed(new Uint8Array(0)),
      user,
      upgrade: request.headers.upgrade
    }
    const answer = Effect.suspend(() => {
      const given = options.respond(apiRequest)
      return Effect.isEffect(given) ? given : Effect.succeed(given)
    })
    const answered = Effect.uninterruptibleMask((restore) =>
      Effect.map(restore(answer), (response) => upgrade(request, socket, head, response)))
    const fiber = options.fork(
      answered.pipe(
        Effect.catchAllCause((cause) =>
          Cause.isInterruptedOnly(cause)
            ? Effect.void
            : Effect.zipRight(
              Effect.logError("an upgrade died", cause),
              Effect.sync(() => rawAnswer.send(socket, unexpected))
            )
        )
      )
    )
    socket.once("close", () => fiber.unsafeInterruptAsFork(FiberId.none))
  }
}
