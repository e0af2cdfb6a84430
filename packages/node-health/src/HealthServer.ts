/** The HTTP socket of the endpoint: `/health`, `/livez`, `/metrics`. */
import { Exposition } from "@reddwarf/prometheus"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { BlockList, isIP } from "node:net"
import type { Health } from "./Health.js"
import type { HealthMetrics } from "./HealthMetrics.js"
import * as ListeningServer from "./ListeningServer.js"

/** The socket cannot be opened. @category errors */
export class ListenFailed extends Schema.TaggedError<ListenFailed>()("ListenFailed", {
  host: Schema.String,
  port: Schema.Number,
  detail: Schema.String
}) {
  override get message(): string {
    return `node-health on ${this.host}:${this.port}: ${this.detail}; free the port, or choose another one with --listen or LISTEN_PORT`
  }
}

/** @category models */
export interface Options {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly health: Pick<Health, "answer">
  readonly metrics: HealthMetrics
  /** Certificate and key as PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Ranges that may ask; everybody when empty. Read for every request, because it can change. */
  readonly allowed?: () => ReadonlyArray<string>
}

/** @category models */
export interface HealthServer {
  readonly port: number
}

/** A membership test for ranges; an IPv4 address in IPv6 clothes is one of IPv4. @category combinators */
export const inRanges = (ranges: ReadonlyArray<string>): (address: string) => boolean => {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = "", length] = range.split("/")
    const family = isIP(address) === 6 ? "ipv6" : "ipv4"
    list.addSubnet(address, length === undefined ? (family === "ipv6" ? 128 : 32) : Number(length), family)
  }
  return (peer) => {
    const address = peer.replace(/^::ffff:(?=\d+\.)/i, "")
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4")
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const text = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer => ({ status, type: "text/plain; charset=utf-8", body, headers })

const send = (request: IncomingMessage, response: ServerResponse, { body, headers = {}, status, type }: Answer): void => {
  response.writeHead(status, {
    ...(body === "" ? {} : { "content-type": type }),
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    ...headers
  })
  // A HEAD request gets everything but the body.
  response.end(request.method === "HEAD" ? undefined : body)
}

/**
 * Opens the socket for as long as the scope lives.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<HealthServer, ListenFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const { health, metrics } = options
    const run = yield* FiberSet.makeRuntime()
    let allowed: { readonly ranges: ReadonlyArray<string>; readonly covers: (address: string) => boolean } | undefined

    const mayAsk = (request: IncomingMessage): boolean => {
      const ranges = options.allowed?.() ?? []
      if (ranges.length === 0) return true
      // The list is the same object until it is read again.
      if (allowed?.ranges !== ranges) allowed = { ranges, covers: inRanges(ranges) }
      return allowed.covers(request.socket.remoteAddress ?? "")
    }

    const route = (request: IncomingMessage): Answer | Effect.Effect<Answer> => {
      const target = request.url ?? "/"
      const mark = target.indexOf("?")
      const path = mark < 0 ? target : target.slice(0, mark)
      if (path !== "/health" && path !== "/livez" && path !== "/metrics") return text(404, "not found\n")
      if (request.method !== "GET" && request.method !== "HEAD") return text(405, "method not allowed\n", { allow: "GET, HEAD" })
      if (path === "/livez") return text(200, "ok\n")
      if (path === "/metrics") return { status: 200, type: Exposition.contentType, body: metrics.render() }
      return Effect.map(health.answer(mark < 0 ? "" : target.slice(mark + 1)), ({ body, status }) => ({ status, type: "application/json", body }))
    }

    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      request.resume()
      if (!mayAsk(request)) return send(request, response, text(403, ""))
      const answer = route(request)
      if (!Effect.isEffect(answer)) return send(request, response, answer)
      const fiber = run(answer.pipe(
        Effect.matchCauseEffect({
          onFailure: (cause) => Effect.as(Effect.logError("a request could not be answered", cause), text(500, "internal error\n")),
          onSuccess: Effect.succeed
        }),
        Effect.map((answer) => {
          if (!response.destroyed) send(request, response, answer)
        })
      ))
      // Nobody waits any more; looks in progress go on for the cache.
      response.once("close", () => fiber.unsafeInterruptAsFork(fiber.id()))
      return undefined
    }

    const { port } = yield* ListeningServer.acquire<Server, ListenFailed>({
      host: options.host,
      port: options.port,
      make: () => {
        const created = options.tls === undefined ? createServer(handle) : createTlsServer({ ...options.tls, minVersion: "TLSv1.2" }, handle)
        created.maxConnections = 1024
        created.headersTimeout = 10_000
        created.requestTimeout = 10_000
        created.keepAliveTimeout = 30_000
        return created
      },
      failed: (detail) => new ListenFailed({ host: options.host, port: options.port, detail }),
      cut: (created) => created.closeAllConnections()
    })
    return { port }
  })
