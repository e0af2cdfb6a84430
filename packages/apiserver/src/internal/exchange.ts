/**
 * One HTTP request and its answer on a real connection, HTTP/1.1 or HTTP/2. Plain functions: every request passes here, and
 * an effect per step would cost more than the answer.
 */
import { ApiError, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { constants as http2, type Http2ServerRequest, type Http2ServerResponse, type OutgoingHttpHeaders } from "node:http2"
import { constants, createGzip, gzip } from "node:zlib"
import type { ApiResponse, StreamBody } from "../ApiResponse.js"
import type { RequestInfo } from "../RequestInfo.js"
import * as streamSink from "./streamSink.js"

/** Largest request body, as in Kubernetes. */
export const maxBodyBytes = 3 * 1024 * 1024

// As in Kubernetes: below, compressing costs more than it saves.
const gzipBytes = 128 * 1024
const gzipLevel = 1

/** What a request waits for from its peer, so that a peer that does nothing can be given up. */
export interface Exchange {
  readonly request: Http2ServerRequest
  readonly response: Http2ServerResponse
  /** Who the request counts for. */
  readonly client: string
  /** Milliseconds since the epoch at which the request came. */
  readonly began: number
  /** What it asks for, once that is known. */
  info: RequestInfo | undefined
  /** Milliseconds since the epoch at which waiting for the peer began; 0: not waiting. */
  waitingSince: number
  /** Ends the work on the answer, while there is any: nobody waits for it any more. */
  cancel: (() => void) | undefined
  closed: boolean
}

const tooLarge = ApiError.make(Status.requestEntityTooLarge(maxBodyBytes))
const cutOff = ApiError.make(Status.badRequest("the request ended before its body was complete"))

/** Bodies up to this size are read as they come, before anybody has asked for them. */
const smallBytes = 64 * 1024

/** Has the request said that it brings a body, and a small one? */
export const isSmall = ({ headers }: Http2ServerRequest): boolean => {
  const length = headers["content-length"]
  return length !== undefined && Number(length) <= smallBytes
}

/** Has the request said that it brings none? */
export const isBodiless = (request: Http2ServerRequest): boolean => {
  const stream = "stream" in request ? request.stream : undefined
  if (stream !== undefined) return stream.endAfterHeaders
  return request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined
}

/** The body of such a request. */
export const noBody: Body = Effect.succeed(new Uint8Array(0))

/** What reading a body ended with. */
export type Body = Effect.Effect<Uint8Array, ApiError.ApiError>

/** Reads the body and gives it to `settle`, once. What exceeds the limit is neither kept nor read. */
export const receive = (exchange: Exchange, now: () => number, settle: (body: Body) => void): void => {
  const { request } = exchange
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) return settle(Effect.fail(tooLarge))
  const chunks: Array<Uint8Array> = []
  let size = 0
  let settled = false
  exchange.waitingSince = now()
  const done = (body: Body) => {
    if (settled) return
    settled = true
    exchange.waitingSince = 0
    settle(body)
  }
  request.on("data", (chunk: Uint8Array) => {
    size += chunk.length
    if (size > maxBodyBytes) {
      request.removeAllListeners("data")
      done(Effect.fail(tooLarge))
    } else chunks.push(chunk)
  })
  request.on("end", () => {
    const [only] = chunks
    done(Effect.succeed(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, size)))
  })
  const onCutOff = () => done(Effect.fail(cutOff))
  request.on("aborted", onCutOff)
  request.on("error", onCutOff)
}

/** Reads the body as soon as somebody wants it. */
export const readBody = (exchange: Exchange, now: () => number): Body => Effect.async((resume) => receive(exchange, now, resume))

const acceptsGzip = ({ headers, method }: Http2ServerRequest): boolean =>
  method === "GET" && (headers["accept-encoding"] ?? "").includes("gzip")

const headersOf = (exchange: Exchange, { headers }: ApiResponse): OutgoingHttpHeaders => {
  const sent: OutgoingHttpHeaders = { "audit-id": exchange.request.headers["audit-id"] ?? randomUUID() }
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) sent[name] = typeof value === "string" ? value : [...value]
  }
  return sent
}

/**
 * Lets go of a request whose body nobody wants. HTTP/2 tells the peer to stop sending once it has the answer; HTTP/1.1 can
 * only read on, within the time that the server gives a request.
 */
const discardBody = ({ request, response }: Exchange): void => {
  if (request.readableEnded) return
  const stream = "stream" in request ? request.stream : undefined
  if (stream === undefined || stream.endAfterHeaders) request.resume()
  else response.once("finish", () => stream.close(http2.NGHTTP2_NO_ERROR))
}

const sendBytes = (exchange: Exchange, answer: ApiResponse, bytes: Uint8Array, now: () => number): void => {
  const { request, response } = exchange
  // From here on only the peer can be slow: the exchange is over when it has taken the answer.
  exchange.waitingSince = now()
  const headers = headersOf(exchange, answer)
  const bodiless = answer.status === 204 || answer.status === 304
  if (!bodiless) headers["content-length"] = bytes.length
  response.writeHead(answer.status, headers)
  if (request.method === "HEAD" || bodiless) response.end()
  else response.end(bytes)
  discardBody(exchange)
}

/** Sends an answer that is complete in memory. */
export const sendComplete = (exchange: Exchange, answer: ApiResponse, bytes: Uint8Array, now: () => number): void => {
  if (exchange.closed || exchange.response.headersSent) return
  if (bytes.length < gzipBytes || !acceptsGzip(exchange.request)) return sendBytes(exchange, answer, bytes, now)
  gzip(bytes, { level: gzipLevel }, (error, packed) => {
    if (exchange.closed || exchange.response.headersSent) return
    if (error !== null) return sendBytes(exchange, answer, bytes, now)
    const vary = answer.headers["vary"] === undefined ? "Accept-Encoding" : "Accept-Encoding, Accept"
    sendBytes(exchange, { ...answer, headers: { ...answer.headers, "content-encoding": "gzip", vary } }, packed, now)
  })
}

// HTTP/1.1 holds the head back until there is a body; HTTP/2 never does and has no such method.
const flushHeaders = (response: object): void => {
  if ("flushHeaders" in response && typeof response.flushHeaders === "function") response.flushHeaders()
}

/** Sends an answer while it is produced. The effect ends when the last byte was handed to the connection. */
export const sendStream = (
  exchange: Exchange,
  answer: ApiResponse,
  body: StreamBody,
  now: () => number
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { request, response } = exchange
    if (exchange.closed || response.headersSent) return Effect.void
    const headers = headersOf(exchange, answer)
    if (request.method === "HEAD") {
      response.writeHead(answer.status, headers)
      response.end()
      return Effect.void
    }
    const compressed = !body.live && acceptsGzip(request)
    if (compressed) Object.assign(headers, { "content-encoding": "gzip", vary: "Accept-Encoding" })
    response.writeHead(answer.status, headers)
    if (!compressed) {
      flushHeaders(response)
      const target = body.live ? streamSink.connectionOf(response) ?? response : response
      return Effect.ensuring(body.run(streamSink.make(exchange, target, now)), Effect.sync(() => response.end()))
    }
    const packer = createGzip({ level: gzipLevel, flush: constants.Z_NO_FLUSH })
    packer.pipe(response)
    return Effect.ensuring(body.run(streamSink.make(exchange, packer, now)), Effect.sync(() => packer.end()))
  })
