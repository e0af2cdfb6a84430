/**
 * The API on one TLS port, HTTP/2 and HTTP/1.1, directly on node:http2: every request passes here, and a router or an effect
 * per request would cost more than most answers. Everything is bounded: connections, requests, headers, bodies, waiting.
 */
import { Status } from "@reddwarf/api-types"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { constants, createSecureServer, type Http2SecureServer, type Http2Session, type Http2ServerRequest, type Http2ServerResponse } from "node:http2"
import type { Socket } from "node:net"
import type { ApiRequest } from "./ApiRequest.js"
import type { ApiResponse } from "./ApiResponse.js"
import * as ApiServer from "./ApiServer.js"
import * as Metrics from "./ApiServerMetrics.js"
import * as Authenticator from "./authentication/Authenticator.js"
import type { KeyPair } from "./Certificates.js"
import * as exchanges from "./internal/exchange.js"
import * as peers from "./internal/peers.js"
import * as places from "./internal/places.js"
import * as rawAnswer from "./internal/rawAnswer.js"
import * as render from "./internal/render.js"
import * as requestLimits from "./internal/requestLimits.js"
import * as sessionGuard from "./internal/sessionGuard.js"
import * as webSockets from "./internal/webSockets.js"

/**
 * The port cannot be opened, or the certificate cannot be used.
 *
 * @category errors
 */
export class EdgeUnavailable extends Schema.TaggedError<EdgeUnavailable>()("EdgeUnavailable", {
  host: Schema.String,
  port: Schema.Number,
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `cannot serve on ${this.host}:${this.port}: ${this.detail} (choose another address or port, or stop what uses it)`
  }
}

/**
 * An open port.
 *
 * @category services
 */
export class HttpsEdge extends Context.Tag("@reddwarf/apiserver/HttpsEdge")<HttpsEdge, {
  readonly host: string
  readonly port: number
  /** URL by which clients on this machine reach the port. */
  readonly url: string
}>() {}

/** Settings; durations are bounds for a single peer. @category models */
export interface Options {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0 takes a free one. Default 6443. */
  readonly port?: number
  readonly serving: KeyPair
  /** Where to look for a newer certificate, and how often; new connections get it. Absent: the one above is kept. */
  readonly renewal?: { readonly every: Duration.DurationInput; readonly pair: Effect.Effect<KeyPair> }
  /** Authority that client certificates must be signed by, as PEM. */
  readonly clientAuthority: string
  /** Default 4096. */
  readonly maxConnections?: number
  /** Requests in work at once, without watches and followed logs. Default 800. */
  readonly maxRequests?: number
  /**
   * Watches and followed logs at once. Default 16384. Of these and of the requests a single client gets three quarters at most,
   * and less the more clients there are.
   */
  readonly maxStreams?: number
  /** Watches and followed logs of one client (a user, or an address without one). Default 10000. */
  readonly maxStreamsPerClient?: number
  /** How long an answer may take before it is 504. Watches and logs may take as long as they like. Default 60 seconds. */
  readonly requestTimeout?: Duration.DurationInput
  /** How long a peer may neither send its body nor take its answer. Default 60 seconds. */
  readonly stallTimeout?: Duration.DurationInput
  /** How long a connection without requests is kept. Default 3 minutes. */
  readonly idleTimeout?: Duration.DurationInput
  /** How long requests may still take at shutdown. Default 10 seconds. */
  readonly shutdownGrace?: Duration.DurationInput
}

interface State {
  readonly requests: Set<exchanges.Exchange>
  readonly streams: Set<exchanges.Exchange>
  /** Turned away, but the answer may still be under way. */
  readonly refused: Set<exchanges.Exchange>
  readonly sockets: Set<Socket>
  readonly sessions: Set<Http2Session>
  stopping: boolean
}

const listen = (server: Http2SecureServer, host: string, port: number): Effect.Effect<number, EdgeUnavailable> =>
  Effect.async((resume) => {
    const onError = (cause: Error) =>
      resume(Effect.fail(new EdgeUnavailable({ host, port, detail: cause.message, cause })))
    server.once("error", onError)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", onError)
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

const createServer = (options: Options): Effect.Effect<Http2SecureServer, EdgeUnavailable> =>
  Effect.try({
    try: () =>
      createSecureServer({
        allowHTTP1: true,
        requestCert: true,
        // Callers without a certificate are answered 401, with a Status that says so.
        rejectUnauthorized: false,
        cert: options.serving.cert,
        key: options.serving.key,
        ca: options.clientAuthority,
        minVersion: "TLSv1.2",
        handshakeTimeout: 10_000,
        settings: { maxConcurrentStreams: 1000, maxHeaderListSize: requestLimits.maxParsedHeader },
        maxHeaderListPairs: 100,
        maxSessionMemory: 64,
        maxSettings: 32,
        maxOutstandingPings: 10,
        maxSessionInvalidFrames: 100,
        maxSessionRejectedStreams: 100
      }),
    catch: (cause) =>
      new EdgeUnavailable({
        host: options.host ?? "127.0.0.1",
        port: options.port ?? 6443,
        detail: `the certificate cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause
      })
  })

/** Takes over a newer certificate as soon as there is one. */
const renew = (server: Http2SecureServer, options: Options, pair: Effect.Effect<KeyPair>): Effect.Effect<void> => {
  let current = options.serving.cert
  return Effect.flatMap(pair, ({ cert, key }) =>
    cert === current ? Effect.void : Effect.try(() => {
      server.setSecureContext({ cert, key, ca: options.clientAuthority, minVersion: "TLSv1.2" })
      current = cert
    }).pipe(Effect.catchAll((error) => Effect.logError("a renewed certificate cannot be used", error))))
}

const overloaded = render.status(Status.tooManyRequests())
const timedOut = render.status(Status.timeout("request did not complete within the allotted timeout"))
const malformed = render.status(Status.badRequest("the request is not valid HTTP"))
const shuttingDown = render.status(Status.failure(503, "ServiceUnavailable", "the server is shutting down", { retryAfterSeconds: 1 }))

const make = (options: Options) =>
  Effect.gen(function*() {
    const api = yield* ApiServer.ApiServer
    const { authenticate } = yield* Authenticator.Authenticator
    const runtime = yield* Effect.runtime()
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()
    const run = Runtime.runFork(runtime)
    const certificateOf = peers.make()
    const stopped = yield* Deferred.make<void>()
    const state: State = {
      requests: new Set(),
      streams: new Set(),
      refused: new Set(),
      sockets: new Set(),
      sessions: new Set(),
      stopping: false
    }
    const maxRequests = options.maxRequests ?? 800
    const requestPlaces = places.make(maxRequests, maxRequests)
    const streamPlaces = places.make(options.maxStreams ?? 16_384, options.maxStreamsPerClient ?? 10_000)
    const stall = Duration.toMillis(options.stallTimeout ?? "60 seconds")

    const stream = (exchange: exchanges.Exchange, answer: ApiResponse): Effect.Effect<void> => {
      const { body } = answer
      if (body instanceof Uint8Array) return Effect.sync(() => exchanges.sendComplete(exchange, answer, body, now))
      if (!body.live) return Effect.ensuring(exchanges.sendStream(exchange, answer, body, now), body.discard)
      // A peer that is gone already holds no place that it could give back.
      if (exchange.closed || !streamPlaces.enter(exchange.client)) {
        return Effect.zipRight(body.discard, Effect.suspend(() => stream(exchange, overloaded)))
      }
      if (state.requests.delete(exchange)) requestPlaces.leave(exchange.client)
      state.streams.add(exchange)
      const sent = exchanges.sendStream(exchange, answer, body, now)
      return Effect.raceFirst(sent, Deferred.await(stopped)).pipe(
        Effect.ensuring(body.discard),
        Effect.ensuring(Effect.sync(() => exchange.response.end()))
      )
    }

    const failed = (exchange: exchanges.Exchange) => (cause: Cause.Cause<never>) => {
      if (Cause.isInterruptedOnly(cause)) return Effect.void
      const report = Effect.annotateLogs(Effect.logError("a request died", cause), {
        method: exchange.request.method,
        path: exchange.request.url.slice(0, 256)
      })
      return Effect.zipRight(report, Effect.sync(() => {
        if (exchange.closed) return
        if (exchange.response.headersSent) {
          exchange.response.destroy()
          return
        }
        const answer = render.status(Status.internalError("an unexpected fault; see the log of the server"))
        if (answer.body instanceof Uint8Array) exchanges.sendComplete(exchange, answer, answer.body, now)
      }))
    }

    const send = (exchange: exchanges.Exchange, response: ApiResponse): Effect.Effect<void> => {
      const { body } = response
      if (!(body instanceof Uint8Array)) {
        const sending = exchange.closed ? Effect.void : stream(exchange, response)
        return Effect.catchAllCause(Effect.ensuring(sending, body.discard), failed(exchange))
      }
      try {
        exchanges.sendComplete(exchange, response, body, now)
        return Effect.void
      } catch (defect) {
        return failed(exchange)(Cause.die(defect))
      }
    }

    // One fiber for the answer, and a second one only for an answer that is streamed: most answers are bytes.
    const work = (exchange: exchanges.Exchange, answer: Effect.Effect<ApiResponse>) => {
      let running: Fiber.RuntimeFiber<ApiResponse | void> = run(answer)
      exchange.response.once("close", () => running.unsafeInterruptAsFork(FiberId.none))
      const follow = (sending: Effect.Effect<void>) => {
        if (!Exit.isExit(sending)) running = run(sending)
      }
      running.addObserver((exit) => {
        if (Exit.isFailure(exit)) run(failed(exchange)(exit.cause))
        else if (exit.value !== undefined) follow(send(exchange, exit.value))
      })
    }

    const finish = (exchange: exchanges.Exchange) => {
      exchange.closed = true
      if (state.requests.delete(exchange)) requestPlaces.leave(exchange.client)
      if (state.streams.delete(exchange)) streamPlaces.leave(exchange.client)
      Metrics.requests.unsafeUpdate(state.requests.size, [])
      Metrics.streams.unsafeUpdate(state.streams.size, [])
      Metrics.countAnswer(exchange.response.statusCode)
    }

    const reject = (exchange: exchanges.Exchange, answer: ApiResponse) => {
      Metrics.rejectedTotal.unsafeUpdate(1, [])
      state.refused.add(exchange)
      exchange.response.once("close", () => {
        exchange.closed = true
        state.refused.delete(exchange)
      })
      if (answer.body instanceof Uint8Array) exchanges.sendComplete(exchange, answer, answer.body, now)
    }

    const onRequest = (request: Http2ServerRequest, response: Http2ServerResponse) => {
      const user = authenticate({ certificate: certificateOf(request), authorization: request.headers.authorization })
      const client = places.clientOf(user, request.socket.remoteAddress)
      const exchange: exchanges.Exchange = { request, response, client, began: now(), waitingSince: 0, closed: false }
      // Nobody is there to be told about a broken connection.
      request.on("error", () => {})
      response.on("error", () => {})
      if (state.stopping) return reject(exchange, shuttingDown)
      const tooLarge = requestLimits.refusalOf(request.url, request.rawHeaders)
      if (tooLarge !== undefined) return reject(exchange, tooLarge)
      if (!requestPlaces.enter(client)) return reject(exchange, overloaded)
      state.requests.add(exchange)
      response.once("close", () => finish(exchange))
      const apiRequest: ApiRequest = {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: exchanges.readBody(exchange, now),
        user
      }
      try {
        const answer = api.respond(apiRequest)
        if (Effect.isEffect(answer)) return work(exchange, answer)
        if (answer.body instanceof Uint8Array) return exchanges.sendComplete(exchange, answer, answer.body, now)
        work(exchange, Effect.succeed(answer))
      } catch (defect) {
        run(failed(exchange)(Cause.die(defect)))
      }
    }

    const server = yield* Effect.acquireRelease(createServer(options), (opened) => stop(opened, state, stopped, api.drain, options))
    // Node has these on the server only when it also speaks HTTP/1.1, which its types do not know.
    Object.assign(server, {
      headersTimeout: 20_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 75_000,
      maxHeadersCount: 100,
      maxHeaderSize: requestLimits.maxParsedHeader
    })
    server.maxConnections = options.maxConnections ?? 4096
    server.on("request", onRequest)
    server.on("upgrade", webSockets.make({
      respond: api.respond,
      authenticate,
      certificateOf,
      streams: streamPlaces,
      stopped: Deferred.await(stopped),
      fork: run,
      stallMillis: stall
    }))
    server.on("connection", (socket: Socket) => {
      state.sockets.add(socket)
      socket.setNoDelay(true)
      socket.setKeepAlive(true, 30_000)
      socket.once("close", () => state.sockets.delete(socket))
    })
    const idle = Duration.toMillis(options.idleTimeout ?? "3 minutes")
    server.on("session", (session) => {
      let open = 0
      state.sessions.add(session)
      session.once("close", () => state.sessions.delete(session))
      sessionGuard.watch(session, now, sessionGuard.defaults, () => {
        Metrics.abusiveTotal.unsafeUpdate(1, [])
        cut(state, session)
      })
      session.on("stream", (opened) => {
        open++
        opened.once("close", () => open--)
      })
      session.on("error", () => {})
      session.setTimeout(idle, () => {
        if (open === 0) session.close()
      })
    })
    // Failed handshakes and malformed requests are the peer's business.
    for (const event of ["tlsClientError", "sessionError"]) server.on(event, () => {})
    server.on("clientError", (error: Error, socket: Socket) => {
      const code: unknown = Reflect.get(error, "code")
      if (code === "ECONNRESET") socket.destroy()
      else rawAnswer.send(socket, code === "HPE_HEADER_OVERFLOW" ? requestLimits.headersTooLarge : malformed)
    })

    const host = options.host ?? "127.0.0.1"
    const port = yield* listen(server, host, options.port ?? 6443)
    const patience = Duration.toMillis(options.requestTimeout ?? "60 seconds")
    const sweeps = Schedule.spaced(Duration.millis(Math.max(20, Math.min(2000, stall / 4, patience / 4))))
    yield* Effect.forkScoped(Effect.repeat(Effect.zipRight(sweep(state, now, stall), expire(state, now, patience)), sweeps))
    const { renewal } = options
    if (renewal !== undefined) {
      yield* Effect.forkScoped(Effect.repeat(renew(server, options, renewal.pair), Schedule.spaced(renewal.every)))
    }
    const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
    return HttpsEdge.of({ host, port, url: `https://${shown.includes(":") ? `[${shown}]` : shown}:${port}` })
  })

/** Cuts the connection of a session. Destroying the session alone would wait for a peer that may never listen. */
const cut = (state: State, session: Http2Session): void => {
  if (session.destroyed) return
  const { remoteAddress, remotePort } = session.socket
  session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  for (const socket of state.sockets) {
    if (socket.remotePort === remotePort && socket.remoteAddress === remoteAddress) socket.destroy()
  }
}

/** Gives up peers that neither send nor take anything. */
const sweep = (state: State, now: () => number, limit: number): Effect.Effect<void> =>
  Effect.sync(() => {
    const oldest = now() - limit
    for (const group of [state.requests, state.streams, state.refused]) {
      for (const exchange of group) {
        if (exchange.waitingSince === 0 || exchange.waitingSince > oldest) continue
        Metrics.stalledTotal.unsafeUpdate(1, [])
        exchange.response.destroy()
        exchange.request.destroy()
      }
    }
  })

/** Answers 504 to requests whose answer takes too long, unless it is their own body that is awaited. */
const expire = (state: State, now: () => number, limit: number): Effect.Effect<void> =>
  Effect.sync(() => {
    const oldest = now() - limit
    for (const exchange of state.requests) {
      if (exchange.began > oldest || exchange.waitingSince !== 0 || exchange.response.headersSent) continue
      if (timedOut.body instanceof Uint8Array) exchanges.sendComplete(exchange, timedOut, timedOut.body, now)
    }
  })

/** No new connections, no new requests; watches end, requests finish, what is left after the grace is cut off. */
const stop = (
  server: Http2SecureServer,
  state: State,
  stopped: Deferred.Deferred<void>,
  drain: Effect.Effect<void>,
  options: Options
): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* drain
    state.stopping = true
    server.close()
    // Tells clients to open a new connection for their next request; what is under way goes on.
    for (const session of state.sessions) session.close()
    yield* Deferred.succeed(stopped, undefined)
    yield* Effect.sync(() => state.requests.size + state.streams.size).pipe(
      Effect.repeat({ schedule: Schedule.spaced("10 millis"), until: (open) => open === 0 }),
      Effect.timeoutOption(options.shutdownGrace ?? "10 seconds"),
      Effect.interruptible
    )
    for (const socket of state.sockets) socket.destroy()
  })

/**
 * Opens the port and serves until the scope closes. Fails when the port is in use or the certificate cannot be used.
 *
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<HttpsEdge, EdgeUnavailable, ApiServer.ApiServer | Authenticator.Authenticator> =>
  Layer.scoped(HttpsEdge, make(options))
