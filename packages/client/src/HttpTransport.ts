/** The transport over HTTP/1.1 and TLS, with connections that are kept and bounded. */
import * as http from "node:http"
import * as https from "node:https"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { concat } from "./internal/lines.js"
import * as traceContext from "./internal/traceContext.js"
import { readChunk } from "./internal/readable.js"
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

const headersOf = (message: http.IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(message.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]]
  ))

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
  const agentFor = (maxSockets: number) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const settings = { keepAlive: true, keepAliveMsecs: keepAliveMillis, maxSockets, maxFreeSockets: maxSockets, timeout: idleSocketMillis }
        return secure ? new https.Agent({ ...settings, ...tls }) : new http.Agent(settings)
      }),
      (agent) => Effect.sync(() => agent.destroy())
    )
  // Watches have connections of their own, so that they can never use up those of ordinary requests.
  const requests = yield* agentFor(options.maxConnections ?? 32)
  const streams = yield* agentFor(options.maxStreams ?? 256)
  const base = url.pathname.replace(/\/+$/, "")

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

  /** Sends a request and waits for the headers of the answer. The connection lives as long as the scope. */
  const exchange = (request: Request, agent: http.Agent): Effect.Effect<http.IncomingMessage, TransportFailure, Scope.Scope> =>
    Effect.flatMap(headers(request), (headers) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const body = request.body === undefined ? undefined : Buffer.from(request.body)
          const settings: http.RequestOptions = {
            agent,
            method: request.method,
            protocol: url.protocol,
            // URL keeps the brackets of an IPv6 address, a socket address has none.
            hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
            port: url.port === "" ? (secure ? 443 : 80) : url.port,
            path: base + request.path,
            headers: body === undefined ? headers : { ...headers, "content-length": String(body.length) }
          }
          const outgoing = secure ? https.request(settings) : http.request(settings)
          outgoing.on("error", ignore)
          return { outgoing, body }
        }),
        // A finished exchange has given its connection back by then; destroying it again does nothing.
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

  const readAll = (
    request: Request,
    message: http.IncomingMessage,
    parts: Array<Uint8Array> = [],
    length = 0
  ): Effect.Effect<Uint8Array, TransportFailure> =>
    Effect.matchEffect(readChunk(message, closed(request)), {
      onFailure: Option.match({ onNone: () => Effect.succeed(concat(parts, length)), onSome: (error) => Effect.fail(error) }),
      onSuccess: (chunk) => {
        parts.push(chunk)
        return length + chunk.length > maxResponseBytes
          ? Effect.fail(failure(request, "TooLarge", `the answer is larger than ${maxResponseBytes} bytes`))
          : readAll(request, message, parts, length + chunk.length)
      }
    })

  const once = (request: Request): Effect.Effect<Response, TransportFailure> =>
    Effect.scoped(limit(request, Effect.flatMap(exchange(request, requests), (message) =>
      Effect.map(readAll(request, message), (body) => ({ status: message.statusCode ?? 0, headers: headersOf(message), body })))))

  return {
    // A kept connection that the server closed just then says nothing about the server: reading again is safe.
    request: (request) =>
      request.method === "GET" ? Effect.retry(once(request), { while: (error) => error.reason === "Closed", times: 1 }) : once(request),
    open: (request) =>
      Effect.map(limit(request, exchange(request, streams)), (message): StreamResponse => {
        // A dead peer sends nothing, also no end: TCP probes find it.
        message.socket.setKeepAlive(true, keepAliveMillis)
        return {
          status: message.statusCode ?? 0,
          headers: headersOf(message),
          body: Stream.repeatEffectOption(readChunk(message, closed(request)))
        }
      })
  }
})
