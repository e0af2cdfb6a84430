/** Answers that are handed through from another server. */
import { Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { IncomingMessage } from "node:http"
import type { ApiResponse, Sink } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import { get } from "./jsonValue.js"
import { readChunks } from "./nodeStream.js"
import type { Answer } from "./outbound.js"
import * as tunnel from "./tunnel.js"

type Upgraded = Extract<Answer, { readonly _tag: "Upgraded" }>

/**
 * An answer that holds something of a scope for as long as it is sent. `make` is given what closes the scope, for answers that outlive the
 * effect; when there is none such, it is closed with the effect.
 */
export const holding = (
  make: (close: Effect.Effect<void>) => Effect.Effect<ApiResponse, Status.Status, Scope.Scope>
): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Scope.make(), (scope) => {
      const close = Scope.close(scope, Exit.void)
      return restore(Scope.extend(make(close), scope)).pipe(
        Effect.onError(() => close),
        Effect.tap(({ body, tunnel }) => body instanceof Uint8Array && tunnel === undefined ? close : Effect.void)
      )
    })
  )

/** The connection that the other server has changed the protocol of becomes the client's. */
export const joined = ({ incoming, socket }: Upgraded, close: Effect.Effect<void>): ApiResponse => ({
  status: 101,
  headers: {},
  body: Response.emptyBody,
  tunnel: {
    discard: close,
    join: (client, clientHead) =>
      Effect.suspend(() => {
        client.write(tunnel.headOf(incoming))
        return tunnel.join({ socket: client, head: clientHead }, { socket, head: Buffer.alloc(0) })
      }).pipe(Effect.ensuring(close))
  }
})

/** Copies a body as it comes. */
export const copy = (incoming: IncomingMessage, sink: Sink): Effect.Effect<void> =>
  readChunks(incoming).pipe(
    Effect.flatMap((chunk) => {
      if (chunk === undefined) return Effect.succeed(false)
      return sink.write(chunk) ? Effect.succeed(true) : Effect.as(sink.drained, true)
    }),
    Effect.repeat({ while: (more) => more }),
    // The status line is long sent: all that can be done is to end the body there.
    Effect.catchAll((error) => Effect.logDebug("a proxied answer ended early", error)),
    Effect.asVoid
  )

// What a server says about its refusal; more than this is not worth showing.
const maxMessage = 8192

/** The beginning of a body, complete unless it is longer than `most`. */
const beginning = (incoming: IncomingMessage, most: number): Effect.Effect<Buffer> => {
  const take = (chunks: ReadonlyArray<Uint8Array>, size: number): Effect.Effect<Buffer> =>
    readChunks(incoming).pipe(
      Effect.orElseSucceed(() => undefined),
      Effect.flatMap((chunk) =>
        chunk === undefined || size > most
          ? Effect.succeed(Buffer.concat(chunks).subarray(0, most))
          : take([...chunks, chunk], size + chunk.length))
    )
  return take([], 0)
}

// The answer to an upgrade that was not granted; there is nothing to stream it by.
const maxPlain = 256 * 1024

/** An ordinary answer where the client has asked for another protocol. */
export const plain = (incoming: IncomingMessage, headers: ApiResponse["headers"]): Effect.Effect<ApiResponse> =>
  Effect.map(beginning(incoming, maxPlain), (body) => {
    const { "content-length": _, ...rest } = headers
    return { status: incoming.statusCode ?? 502, headers: rest, body }
  })

const reasons: Readonly<Record<number, string>> = { 400: "BadRequest", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed" }

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The refusal of an agent, in its own words. */
export const refusal = (incoming: IncomingMessage): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.flatMap(beginning(incoming, maxMessage), (bytes) => {
    const text = bytes.toString("utf8").trim()
    const { statusCode: code = 502 } = incoming
    const json = parse(text)
    const message = get(json, "message")
    const said = get(json, "kind") === "Status" && typeof message === "string" ? message : text
    if (code >= 500 || code < 400) return Effect.fail(Status.internalError(said))
    return Effect.fail(Status.failure(code, reasons[code] ?? "", said))
  })
