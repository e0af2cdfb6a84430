/** The transport over HTTP/1.1 and TLS, with connections that are kept and bounded. */
import * as http from "node:http"
import * as https from "node:https"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as traceContext from "./internal/traceContext.js"
import { readChunk } from "./internal/readable.js"
import * as wholeExchange from "./internal/wholeExchange.js"
import type { KubeConfig } from "./KubeConfig.js"
import { type Request, type Response, type StreamResponse, Transport, TransportFailure } from "./Transport.js"

/**
 * Bounds of the connections to one server.
 *
 * @category models
 */
export interface Options {
  /** Connections for ordinary requests: 32 unless given. Further requests wait for one, within their timeout. */
  readonly maxConnections?: number
  /** Streams, each with a connection of its own, open at the same time: 256 unless given. Further ones wait, within the timeout. */
  readonly maxStreams?: number
  /** Time for a complete answer, or for the headers of a stream, including the wait for a connection: 30 seconds unless given. */
  readonly timeout?: Duration.DurationInput
  /** Largest complete answer, in bytes: 256 MiB unless given. */
  readonly maxResponseBytes?: number
  /** The `User-Agent` header: `reddwarf` unless given. */
  readonly userAgent?: string
}

const keepAliveMillis = 30_000
const idleSocketMillis = 60_000

/** Errors after an answer has begun are reported to its reader; an event without any listener would end the process. */
const ignore = (): void => {}

/**
 * A transport to the server of a kubeconfig. Tokens and client certificates are sent over https only.
 *
 * @category layers
 */
export const layer = (config: KubeConfig, options: Options = {}): Layer.Layer<Transport> => Layer.scoped(Transport, make(config, options))

const make = Effect.fnUntraced(function*(
  config: KubeConfig,
  options: Options
): Effect.fn.Return<typeof Transport.Service, never, Scope.Scope> {
  const url = new URL(config.server)
  const secure = url.protocol === "https:"
  const timeout = Duration.decode(options.timeout ?? "30 seconds")
  const maxResponseBytes = options.maxResponseBytes ?? 256 * 1024 * 1024
  const tls: https.AgentOptions = {
    rejectUnauthorized: !config.insecureSkipTlsVerify,
    ...(config.ca === undefined ? {} : { ca: config.ca }),
    ...(config.cert === undefined || config.key === undefined ? {} : { cert: config.cert, key: Redacted.value(config.key) }),
    ...(config.tlsServerName === undefined ? {} : { servername: config.tlsServerName })
  }
  const base = url.pathname.replace(/\/+$/, "")
  const agentFor = (maxSockets: number) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const settings = { keepAlive: true, keepAliveMsecs: keepAliveMillis, maxSockets, maxFreeSockets: maxSockets, timeout: idleSocketMillis }
        const agent = secure ? new https.Agent({ ...settings, ...tls }) : new http.Agent(settings)
        // All of its connections are alike. Otherwise a name is made of all certificates for each request.
        agent.getName = () => config.server
        return agent
      }),
      (agent) => Effect.sync(() => agent.destroy())
    )
  // Watches have connections of their own, so that they can never use up those of ordinary requests.
  const requests = yield* agentFor(options.maxConnections ?? 32)
  const streams = yield* agentFor(options.maxStreams ?? 256)
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1")

  const failure = (request: Request, reason: TransportFailure["reason"], detail: string, cause?: unknown) =>
    new TransportFailure({
      method: request.method,
      path: request.path,
      server: config.server,
      reason,
      detail,
      ...(cause === undefined ? {} : { cause })
    })
  const closed = (request: Request) => (cause: Error) => failure(request, "Closed", cause.message, cause)

  const headers = (request: Request): Effect.Effect<Record<string, string>, TransportFailure> =>
    Effect.flatMap(traceContext.headers, (trace) => headersIn(request, trace))

  const headersIn = (request: Request, trace: Readonly<Record<string, string>>): Effect.Effect<Record<string, string>, TransportFailure> => {
    const plain = { "user-agent": options.userAgent ?? "reddwarf", ...trace, ...request.headers }
    return config.token === undefined || !secure ? Effect.succeed(plain) : Effect.mapBoth(config.token, {
      onFailure: (cause) => failure(request, "Connect", cause.message, cause),
      onSuccess: (token) => ({ ...plain, authorization: `Bearer ${Redacted.value(token)}` })
    })
  }

  const bytesOf = (request: Request): Uint8Array | undefined => request.body === undefined ? undefined : Buffer.from(request.body)

  const open = (request: Request, agent: http.Agent, headers: Record<string, string>, body: Uint8Array | undefined): http.ClientRequest => {
    const settings: http.RequestOptions = {
      agent,
      method: request.method,
      protocol: url.protocol,
      // URL keeps the brackets of an IPv6 address, a socket address has none.
      hostname,
      port: url.port === "" ? (secure ? 443 : 80) : url.port,
      path: base + request.path,
      headers: body === undefined ? headers : { ...headers, "content-length": String(body.length) }
    }
    return secure ? https.request(settings) : http.request(settings)
  }

  /** Sends a request and waits for the headers of the answer. The connection lives as long as the scope. */
  const exchange = (request: Request): Effect.Effect<http.IncomingMessage, TransportFailure, Scope.Scope> =>
    Effect.flatMap(headers(request), (headers) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const body = bytesOf(request)
          const outgoing = open(request, streams, headers, body)
          outgoing.on("error", ignore)
          return { outgoing, body }
        }),
        ({ outgoing }) => Effect.sync(() => outgoing.destroy())
      )).pipe(
        Effect.flatMap(({ body, outgoing }) =>
          Effect.async<http.IncomingMessage, TransportFailure>((resume) => {
            outgoing.once("response", (message) => {
              message.on("error", ignore)
              resume(Effect.succeed(message))
            })
            outgoing.once("error", (cause) =>
              resume(Effect.fail(failure(request, outgoing.reusedSocket ? "Closed" : "Connect", cause.message, cause))))
            // Every exchange closes in the end: the failure is made only where nothing else came before.
            outgoing.once("close", () => resume(Effect.failSync(() => failure(request, "Closed", "the connection was closed before an answer came"))))
            outgoing.end(body)
          })
        )
      )

  const limit = <A>(request: Request, effect: Effect.Effect<A, TransportFailure, Scope.Scope>): Effect.Effect<A, TransportFailure, Scope.Scope> =>
    Effect.timeoutFail(effect, {
      duration: timeout,
      onTimeout: () => failure(request, "Timeout", `no answer within ${Duration.format(timeout)}`)
    })

  const once = (request: Request): Effect.Effect<Response, TransportFailure> =>
    Effect.flatMap(headers(request), (headers) => {
      const body = bytesOf(request)
      return wholeExchange.run(
        () => open(request, requests, headers, body),
        body,
        { timeout, maxBytes: maxResponseBytes },
        (reason, detail, cause) => failure(request, reason, detail, cause)
      )
    })

  return {
    // A kept connection that the server closed just then says nothing about the server: reading again is safe.
    request: (request) =>
      request.method === "GET" ? Effect.retry(once(request), { while: (error) => error.reason === "Closed", times: 1 }) : once(request),
    open: (request) =>
      Effect.map(limit(request, exchange(request)), (message): StreamResponse => {
        // A dead peer sends nothing, also no end: TCP probes find it.
        message.socket.setKeepAlive(true, keepAliveMillis)
        return {
          status: message.statusCode ?? 0,
          headers: wholeExchange.headersOf(message),
          body: Stream.repeatEffectOption(readChunk(message, closed(request)))
        }
      })
  }
})
