/** The transport of the client package, served by the API in the same process: no socket, no TLS, no copying through the kernel. */
import { ApiError, Status } from "@reddwarf/api-types"
import { Transport } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import * as Stream from "effect/Stream"
import type { ApiRequest } from "./ApiRequest.js"
import type { ApiResponse, Sink, StreamBody } from "./ApiResponse.js"
import * as ApiServer from "./ApiServer.js"
import type { UserInfo } from "./authentication/UserInfo.js"

const encoder = new TextEncoder()
const empty = new Uint8Array(0)
const maxBodyBytes = 3 * 1024 * 1024

const bodyOf = (body: string | Uint8Array | undefined): Effect.Effect<Uint8Array, ApiError.ApiError> => {
  const bytes = body === undefined ? empty : typeof body === "string" ? encoder.encode(body) : body
  return bytes.length > maxBodyBytes ? ApiError.fail(Status.requestEntityTooLarge(maxBodyBytes)) : Effect.succeed(bytes)
}

/** What a component in this process is called as the owner of fields: `kube-scheduler` for `system:kube-scheduler`. */
const componentOf = ({ name }: UserInfo): string => name.slice(name.lastIndexOf(":") + 1)

const toApiRequest = (request: Transport.Request, user: UserInfo): ApiRequest => ({
  method: request.method,
  url: request.path,
  headers: {
    "user-agent": componentOf(user),
    ...Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  },
  body: bodyOf(request.body),
  user
})

const headersOf = ({ headers }: ApiResponse): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : value.join(", ")])
  )

/** All chunks of a body that ends by itself. */
const collect = (body: StreamBody): Effect.Effect<Uint8Array> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    const sink: Sink = { write: (chunk) => chunks.push(chunk) > 0, drained: Effect.void }
    return body.run(sink).pipe(Effect.ensuring(body.discard), Effect.map(() => Buffer.concat(chunks)))
  })

const complete = (response: ApiResponse): Effect.Effect<Transport.Response> => {
  const { body, status } = response
  const headers = headersOf(response)
  return body instanceof Uint8Array
    ? Effect.succeed({ status, headers, body })
    : Effect.map(collect(body), (bytes) => ({ status, headers, body: bytes }))
}

// A reader that is this many chunks behind makes the producer wait.
const chunksAhead = 16

/** The chunks of a body while they are produced. A reader that stops makes the producer stop. */
const pipe = (body: StreamBody) => {
  let ahead = 0
  let resume: (() => void) | undefined
  const took = (): void => {
    ahead--
    if (ahead >= chunksAhead / 2) return
    resume?.()
    resume = undefined
  }
  return Effect.map(Mailbox.make<Uint8Array>(), (mailbox) => {
    const sink: Sink = {
      write: (chunk) => {
        ahead++
        mailbox.unsafeOffer(chunk)
        return ahead < chunksAhead
      },
      drained: Effect.async((done) => {
        if (ahead < chunksAhead) return done(Effect.void)
        resume = () => done(Effect.void)
      })
    }
    const produce = body.run(sink).pipe(Effect.ensuring(body.discard), Effect.ensuring(mailbox.end))
    return { produce, chunks: Stream.tap(Mailbox.toStream(mailbox), () => Effect.sync(took)) }
  })
}

/**
 * A transport that acts as `user`. Answers never fail: what the API refuses is a response with its status.
 *
 * @category layers
 */
export const layer = (user: UserInfo): Layer.Layer<Transport.Transport, never, ApiServer.ApiServer> =>
  Layer.effect(
    Transport.Transport,
    Effect.map(ApiServer.ApiServer, (api) =>
      Transport.Transport.of({
        request: (request) => Effect.flatMap(api.handle(toApiRequest(request, user)), complete),
        stored: (request) =>
          Effect.flatMap(api.handle({ ...toApiRequest(request, user), takesStored: true }), (response) =>
            response.stored === undefined
              ? Effect.map(complete(response), (answer) => ({ _tag: "Other" as const, response: answer }))
              : Effect.succeed(response.stored)),
        open: (request) =>
          Effect.gen(function*() {
            const response = yield* api.handle(toApiRequest(request, user))
            const { body, status } = response
            const headers = headersOf(response)
            if (body instanceof Uint8Array) return { status, headers, body: Stream.make(body) }
            const { chunks, produce } = yield* pipe(body)
            yield* Effect.forkScoped(produce)
            return { status, headers, body: chunks }
          })
      }))
  )
