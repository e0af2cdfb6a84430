/** One HTTP/1.1 request to another server: its answer as it comes, or the connection when the other server changes its protocol. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request as plainRequest } from "node:http"
import { request as tlsRequest, type RequestOptions } from "node:https"
import type { Duplex } from "node:stream"

/** A request without its address. */
export interface Outgoing {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body?: Uint8Array
}

export type Answer =
  | { readonly _tag: "Response"; readonly incoming: IncomingMessage; readonly status: number }
  | {
    readonly _tag: "Upgraded"
    readonly incoming: IncomingMessage
    /** Its first bytes may have come with the answer. */
    readonly socket: Duplex
  }

/** There was no answer. */
export class OutboundFailed extends Data.TaggedError("OutboundFailed")<{
  readonly detail: string
  /** Whether the other server may have had the request: only one that it had not can be sent again. */
  readonly sent: boolean
  readonly cause?: unknown
}> {}

// As messages of Kubernetes' own clients, which users know.
const detailOf = (cause: unknown, host: string): string => {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined
  if (code === "ECONNREFUSED") return `dial tcp ${host}: connect: connection refused`
  return cause instanceof Error ? cause.message : String(cause)
}

/** Sends a request; closing the scope ends whatever came of it. `timeoutMillis` bounds the time to the beginning of the answer. */
export const send = (
  origin: string,
  options: RequestOptions,
  outgoing: Outgoing,
  timeoutMillis: number
): Effect.Effect<Answer, OutboundFailed, Scope.Scope> => {
  const { host, protocol } = new URL(origin)
  let sent = false
  const failed = (cause: unknown) => new OutboundFailed({ detail: detailOf(cause, host), sent, cause })
  let upgraded: Duplex | undefined
  const opened = Effect.acquireRelease(
    Effect.try({
      try: () => {
        const { headers, method, path } = outgoing
        const url = `${origin}${path}`
        const made = protocol === "https:"
          ? tlsRequest(url, { ...options, method, headers })
          : plainRequest(url, { method, headers })
        made.setTimeout(timeoutMillis, () => made.destroy(new Error(`no answer within ${timeoutMillis} ms`)))
        // Until then there is nobody to whom the request could go.
        made.once("socket", (socket) => {
          sent = !socket.connecting
          socket.once(protocol === "https:" ? "secureConnect" : "connect", () => {
            sent = true
          })
        })
        // Failures after the answer has begun are seen by its reader.
        made.on("error", () => {})
        return made
      },
      catch: failed
    }),
    (made) =>
      Effect.sync(() => {
        made.destroy()
        upgraded?.destroy()
      })
  )
  const answered = (made: ClientRequest) =>
    Effect.async<Answer, OutboundFailed>((resume) => {
      made.once("error", (cause) => resume(Effect.fail(failed(cause))))
      made.once("response", (incoming) => {
        made.setTimeout(0)
        resume(Effect.succeed({ _tag: "Response", incoming, status: incoming.statusCode ?? 502 }))
      })
      made.once("upgrade", (incoming, socket, head) => {
        made.setTimeout(0)
        upgraded = socket
        socket.on("error", () => {})
        // A short session may be over before anybody reads it. What came with the answer goes back at once, while the stream has not ended;
        // and its end closes nothing.
        socket.allowHalfOpen = true
        if (head.length > 0) socket.unshift(head)
        resume(Effect.succeed({ _tag: "Upgraded", incoming, socket }))
      })
      made.end(outgoing.body)
    })
  return Effect.flatMap(opened, answered)
}
