/** One HTTP request and its answer: bounded in time, the body read no faster than it is taken. */
import * as http from "node:http"
import * as https from "node:https"
import { getCACertificates } from "node:tls"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Readable } from "node:stream"
import type { Options, TlsOptions } from "../RegistryOptions.js"
import { write } from "./writing.js"

/** No answer, or not all of it. */
export class HttpFailure extends Data.TaggedError("HttpFailure")<{ readonly detail: string; readonly cause?: unknown }> {
  override get message(): string {
    return this.detail
  }
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT"
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: { readonly length: number; readonly bytes: Stream.Stream<Uint8Array, HttpFailure> } | undefined
  readonly tls: TlsOptions
}

export interface HttpAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Challenges, one per header line. */
  readonly challenges: ReadonlyArray<string>
  readonly body: Stream.Stream<Uint8Array, HttpFailure>
}

export type Exchange = (request: HttpRequest) => Effect.Effect<HttpAnswer, HttpFailure, Scope.Scope>

const ignore = (): void => {}

const headersOf = (message: http.IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(message.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]]
  ))

const awaitChange = (readable: Readable): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const events = ["readable", "end", "error", "close"]
    const changed = () => {
      cleanUp()
      resume(Effect.void)
    }
    const cleanUp = () => {
      for (const event of events) readable.off(event, changed)
    }
    for (const event of events) readable.once(event, changed)
    return Effect.sync(cleanUp)
  })

const failureOf = (cause: Error): HttpFailure => {
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : ""
  const first = "errors" in cause && Array.isArray(cause.errors) ? cause.errors.find((error) => error instanceof Error) : undefined
  const text = cause.message !== "" ? cause.message : first instanceof Error ? first.message : code
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(code)
  return new HttpFailure({ detail: certificate ? `its certificate is not accepted: ${text}` : text, cause })
}

const readChunk = (readable: Readable, idle: Duration.Duration): Effect.Effect<Uint8Array, Option.Option<HttpFailure>> =>
  Effect.suspend(() => {
    const chunk: unknown = readable.read()
    if (chunk instanceof Uint8Array) return Effect.succeed(chunk)
    if (readable.errored !== null) return Effect.fail(Option.some(failureOf(readable.errored)))
    if (readable.readableEnded) return Effect.fail(Option.none())
    if (readable.destroyed) return Effect.fail(Option.some(new HttpFailure({ detail: "the connection was closed before the end of the answer" })))
    const waited = Effect.timeoutFail(awaitChange(readable), {
      duration: idle,
      onTimeout: () => Option.some(new HttpFailure({ detail: `nothing came for ${Duration.format(idle)}` }))
    })
    return Effect.zipRight(waited, readChunk(readable, idle))
  })

/** The response, or what came instead. The listeners stay: whoever gives up earlier destroys the request. */
const response = (outgoing: http.ClientRequest): Effect.Effect<http.IncomingMessage, HttpFailure> =>
  Effect.async((resume) => {
    outgoing.once("response", (message) => {
      message.on("error", ignore)
      resume(Effect.succeed(message))
    })
    outgoing.once("error", (cause) => resume(Effect.fail(failureOf(cause))))
    outgoing.once("close", () => resume(Effect.fail(new HttpFailure({ detail: "the connection was closed before an answer came" }))))
  })

/** An exchange with connections that are kept while the scope is open. */
export const make = (options: Options): Effect.Effect<Exchange, never, Scope.Scope> =>
  Effect.gen(function*() {
    const timeout = Duration.decode(options.timeout ?? "30 seconds")
    const idle = Duration.decode(options.idleTimeout ?? "60 seconds")
    const agents = new Map<string, http.Agent>()
    yield* Effect.addFinalizer(() => Effect.sync(() => agents.forEach((agent) => agent.destroy())))

    const agentFor = (secure: boolean, tls: TlsOptions): http.Agent => {
      const key = secure ? JSON.stringify([tls.ca, tls.skipTlsVerify, tls.cert, tls.key]) : "plain"
      const known = agents.get(key)
      if (known !== undefined) return known
      const settings = {
        keepAlive: true,
        maxFreeSockets: 8,
        timeout: 120_000,
        ...(options.proxy === undefined ? {} : { proxyEnv: { ...options.proxy } })
      }
      const extra = [options.ca, tls.ca].filter((text) => text !== undefined)
      const made = secure
        ? new https.Agent({
          ...settings,
          rejectUnauthorized: tls.skipTlsVerify !== true,
          ...(extra.length === 0 ? {} : { ca: [...getCACertificates("default"), ...extra] }),
          ...(tls.cert === undefined || tls.key === undefined ? {} : { cert: tls.cert, key: tls.key })
        })
        : new http.Agent(settings)
      agents.set(key, made)
      return made
    }

    const open = (request: HttpRequest): http.ClientRequest => {
      const secure = request.url.protocol === "https:"
      const settings: http.RequestOptions = {
        agent: agentFor(secure, request.tls),
        method: request.method,
        headers: {
          "user-agent": options.userAgent ?? "reddwarf",
          ...request.headers,
          ...(request.body === undefined ? (request.method === "POST" || request.method === "PUT" ? { "content-length": "0" } : {}) : {
            "content-length": String(request.body.length)
          })
        }
      }
      const outgoing = secure ? https.request(request.url, settings) : http.request(request.url, settings)
      outgoing.on("error", ignore)
      return outgoing
    }

    const send = (outgoing: http.ClientRequest, request: HttpRequest): Effect.Effect<http.IncomingMessage, HttpFailure> => {
      const sent = request.body === undefined
        ? Effect.sync(() => void outgoing.end())
        : Effect.zipRight(Stream.runForEach(request.body.bytes, (bytes) => write(outgoing, bytes)), Effect.sync(() => void outgoing.end()))
      const limited = <A>(effect: Effect.Effect<A, HttpFailure>) =>
        Effect.timeoutFail(effect, { duration: timeout, onTimeout: () => new HttpFailure({ detail: `no answer within ${Duration.format(timeout)}` }) })
      // A large body may take long; a server may also answer, with a refusal, before it has read it.
      return request.body === undefined
        ? limited(Effect.zipRight(sent, response(outgoing)))
        : Effect.raceFirst(response(outgoing), Effect.zipRight(sent, limited(Effect.never)))
    }

    const connect = (request: HttpRequest): Effect.Effect<HttpAnswer, HttpFailure, Scope.Scope> =>
      Effect.gen(function*() {
        // A finished exchange has given its connection back by the end of the scope; destroying it again does nothing.
        const outgoing = yield* Effect.acquireRelease(
          Effect.try({ try: () => open(request), catch: (cause) => new HttpFailure({ detail: String(cause), cause }) }),
          (outgoing) => Effect.sync(() => outgoing.destroy())
        )
        const message = yield* send(outgoing, request)
        return {
          status: message.statusCode ?? 0,
          headers: headersOf(message),
          challenges: message.headersDistinct["www-authenticate"] ?? [],
          body: Stream.repeatEffectOption(readChunk(message, idle))
        }
      })

    return connect
  })

/** The whole body, refused when it is longer than the limit. */
export const readBody = (answer: HttpAnswer, limit: number): Effect.Effect<Uint8Array | undefined, HttpFailure> =>
  Effect.map(
    Stream.runFoldWhile(answer.body, { parts: new Array<Uint8Array>(), length: 0 }, ({ length }) => length <= limit, ({ length, parts }, bytes) => {
      parts.push(bytes)
      return { parts, length: length + bytes.length }
    }),
    ({ length, parts }) => (length > limit ? undefined : Buffer.concat(parts, length))
  )
