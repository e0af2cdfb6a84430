/**
 * The API on one TLS port, HTTP/2 and HTTP/1.1, directly on node:http2: every request passes here, and a router or an effect
 * per request would cost more than most answers. Everything is bounded: connections, requests, headers, bodies, waiting.
 */
import { Status } from "@reddwarf/api-types"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { IncomingMessage } from "node:http"
import { constants, createSecureServer, type Http2SecureServer, type Http2Session } from "node:http2"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { ApiRequest } from "./ApiRequest.js"
import type { ApiResponse } from "./ApiResponse.js"
import * as ApiServer from "./ApiServer.js"
import * as Metrics from "./ApiServerMetrics.js"
import * as Authenticator from "./authentication/Authenticator.js"
import type { UserInfo } from "./authentication/UserInfo.js"
import type { KeyPair } from "./Certificates.js"
import * as awakeClock from "./internal/awakeClock.js"
import * as Front from "./internal/front.js"
import * as peers from "./internal/peers.js"
import * as places from "./internal/places.js"
import * as rawAnswer from "./internal/rawAnswer.js"
import * as Refusals from "./internal/refusals.js"
import * as render from "./internal/render.js"
import * as requestLimits from "./internal/requestLimits.js"
import * as requestTrace from "./internal/requestTrace.js"
import * as RequestWork from "./internal/requestWork.js"
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
 * What a port serves.
 *
 * @category models
 */
export interface Api {
  /** See `ApiServer`. */
  readonly respond: (request: ApiRequest) => ApiResponse | Effect.Effect<ApiResponse>
  /** See `Authenticator`. */
  readonly authenticate: (credentials: Authenticator.Credentials) => UserInfo | undefined
  /** Runs before the first request is turned away at the end. */
  readonly drain: Effect.Effect<void>
}

/**
 * An open port. It opens first and closes last, so that whoever asks is told how things are.
 *
 * @category services
 */
export class HttpsEdge extends Context.Tag("@reddwarf/apiserver/HttpsEdge")<HttpsEdge, {
  readonly host: string
  readonly port: number
  /** URL by which clients on this machine reach the port. */
  readonly url: string
  /** Says that one of the `startup` checks has come true. */
  readonly pass: (check: string) => Effect.Effect<void>
  /**
   * Hands requests to the API until the scope closes; then requests that are under way finish within the grace, watches end, and
   * others are answered 503. One API at a time.
   */
  readonly serve: (api: Api) => Effect.Effect<void, never, Scope.Scope>
}>() {}

/** Settings; durations are bounds for a single peer. @category models */
export interface Options {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0 takes a free one. Default 6443. */
  readonly port?: number
  /** What `/readyz` lists as failed until it has been passed, as long as nobody serves. Default nothing. */
  readonly startup?: ReadonlyArray<string>
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
  /** Each request that has to be worked for becomes a span, with the one that its caller names as its parent. Default false. */
  readonly traced?: boolean
  /** How long requests may still take at shutdown. Default 10 seconds. */
  readonly shutdownGrace?: Duration.DurationInput
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

// Who has not sent a request in time gets no answer: it would be taken for that to the request that comes at last. The same holds for a
// handshake that took too long, which a busy server may notice when it is done.
const withoutAnswer: ReadonlySet<string> = new Set(["ECONNRESET", "ERR_HTTP_REQUEST_TIMEOUT", "ERR_TLS_HANDSHAKE_TIMEOUT"])

const malformed = render.status(Status.badRequest("the request is not valid HTTP"))

const make = (options: Options) =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime()
    const clock = yield* Effect.clock
    const stall = Duration.toMillis(options.stallTimeout ?? "60 seconds")
    const patience = Duration.toMillis(options.requestTimeout ?? "60 seconds")
    const sweepMillis = Math.max(20, Math.min(2000, stall / 4, patience / 4))
    const { now, tick } = awakeClock.make(() => clock.unsafeCurrentTimeMillis(), sweepMillis)
    const certificateOf = peers.make()
    const front = Front.make(options.startup ?? [])
    const refusals = Refusals.make(now)
    const sockets = new Set<Socket>()
    const sessions = new Set<Http2Session>()
    const maxRequests = options.maxRequests ?? 800
    const requestPlaces = places.make(maxRequests, maxRequests)
    const streamPlaces = places.make(options.maxStreams ?? 16_384, options.maxStreamsPerClient ?? 10_000)
    const sweeps = Schedule.spaced(Duration.millis(sweepMillis))

    interface Behind {
      readonly onRequest: RequestWork.RequestWork["onRequest"]
      readonly onUpgrade: ReturnType<typeof webSockets.make>
    }
    let behind: Behind | undefined

    const server = yield* Effect.acquireRelease(createServer(options), (opened) =>
      Effect.sync(() => {
        opened.close()
        for (const socket of sockets) socket.destroy()
      }))
    // Node has these on the server only when it also speaks HTTP/1.1, which its types do not know.
    Object.assign(server, {
      // A new connection without a request costs no more than one that is kept after a request.
      headersTimeout: 60_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 75_000,
      maxHeadersCount: 100,
      maxHeaderSize: requestLimits.maxParsedHeader
    })
    server.maxConnections = options.maxConnections ?? 4096
    server.on("request", (request, response) => {
      if (behind !== undefined) return behind.onRequest(request, response)
      const tooLarge = requestLimits.refusalOf(request.url, request.rawHeaders)
      refusals.refuse(request, response, tooLarge ?? front.answer(request.method, request.url))
    })
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (behind !== undefined) return behind.onUpgrade(request, socket, head)
      socket.on("error", () => {})
      rawAnswer.send(socket, front.refusal())
    })
    server.on("connection", (socket: Socket) => {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.setKeepAlive(true, 30_000)
      socket.once("close", () => sockets.delete(socket))
    })
    const idle = Duration.toMillis(options.idleTimeout ?? "3 minutes")
    server.on("session", (session) => {
      let open = 0
      sessions.add(session)
      session.once("close", () => sessions.delete(session))
      sessionGuard.watch(session, now, sessionGuard.defaults, () => {
        Metrics.abusiveTotal.unsafeUpdate(1, [])
        cut(sockets, session)
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
      if (typeof code === "string" && withoutAnswer.has(code)) socket.destroy()
      else rawAnswer.send(socket, code === "HPE_HEADER_OVERFLOW" ? requestLimits.headersTooLarge : malformed)
    })

    const host = options.host ?? "127.0.0.1"
    const port = yield* listen(server, host, options.port ?? 6443)
    const sweepRefusals = Effect.sync(() => {
      tick()
      refusals.sweep(now() - stall)
    })
    yield* Effect.forkScoped(Effect.repeat(sweepRefusals, sweeps))
    const { renewal } = options
    if (renewal !== undefined) {
      yield* Effect.forkScoped(Effect.repeat(renew(server, options, renewal.pair), Schedule.spaced(renewal.every)))
    }

    /** No new requests; watches end, requests finish, what is left after the grace is cut off. */
    const withdraw = (api: Api, work: RequestWork.RequestWork, stopped: Deferred.Deferred<void>) =>
      Effect.gen(function*() {
        yield* api.drain
        front.stop()
        behind = undefined
        const held = [...sockets]
        // Tells clients to open a new connection for their next request; what is under way goes on.
        for (const session of sessions) session.close()
        yield* Deferred.succeed(stopped, undefined)
        yield* work.finished(options.shutdownGrace ?? "10 seconds")
        for (const socket of held) socket.destroy()
      })

    const serve = (api: Api) =>
      Effect.gen(function*() {
        const stopped = yield* Deferred.make<void>()
        // Requests are counted as requests; to count their fibers too takes a hundredth of what a create does.
        const fork = Runtime.runFork(Runtime.disableRuntimeFlag(runtime, RuntimeFlags.RuntimeMetrics))
        const shared = { respond: api.respond, authenticate: api.authenticate, certificateOf, fork }
        const trace = options.traced === true ? requestTrace.span : undefined
        const work = RequestWork.make({ ...shared, refusals, requests: requestPlaces, streams: streamPlaces, stopped, now, trace })
        const onUpgrade = webSockets.make({ ...shared, streams: streamPlaces, stopped: Deferred.await(stopped), stallMillis: stall })
        const sweep = Effect.sync(() => {
          tick()
          work.sweep(now() - stall)
          work.expire(now() - patience)
        })
        yield* Effect.forkScoped(Effect.repeat(sweep, sweeps))
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            behind = { onRequest: work.onRequest, onUpgrade }
          }),
          () => withdraw(api, work, stopped)
        )
      })

    const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
    return HttpsEdge.of({
      host,
      port,
      url: `https://${shown.includes(":") ? `[${shown}]` : shown}:${port}`,
      pass: (check) => Effect.sync(() => front.pass(check)),
      serve
    })
  })

/** Cuts the connection of a session. Destroying the session alone would wait for a peer that may never listen. */
const cut = (sockets: Iterable<Socket>, session: Http2Session): void => {
  if (session.destroyed) return
  const { remoteAddress, remotePort } = session.socket
  session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  for (const socket of sockets) {
    if (socket.remotePort === remotePort && socket.remoteAddress === remoteAddress) socket.destroy()
  }
}

/**
 * Opens the port, until the scope closes. As long as nobody serves it, it answers `/livez` with 200, and `/readyz` and everything
 * else with 503. Fails when the port is in use or the certificate cannot be used.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<HttpsEdge, EdgeUnavailable> => Layer.scoped(HttpsEdge, make(options))

/** Serves the API on the port, until the scope closes. @category layers */
export const layerServe: Layer.Layer<never, never, HttpsEdge | ApiServer.ApiServer | Authenticator.Authenticator> = Layer.scopedDiscard(
  Effect.gen(function*() {
    const { serve } = yield* HttpsEdge
    const { drain, respond } = yield* ApiServer.ApiServer
    const { authenticate } = yield* Authenticator.Authenticator
    yield* serve({ authenticate, drain, respond })
  })
)
