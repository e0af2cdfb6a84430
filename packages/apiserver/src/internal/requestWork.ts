/**
 * The requests of a port from their arrival to the end of their answer. Plain functions around the answer: every request passes
 * here, and an effect per step would cost more than most answers.
 */
import { Status } from "@reddwarf/api-types"
import { Direct } from "@reddwarf/store"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Schedule from "effect/Schedule"
import type { IncomingMessage } from "node:http"
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2"
import type { ApiRequest } from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import * as Metrics from "../ApiServerMetrics.js"
import type { ClientCertificate, Credentials } from "../authentication/Authenticator.js"
import type { UserInfo } from "../authentication/UserInfo.js"
import type { RequestInfo } from "../RequestInfo.js"
import * as exchanges from "./exchange.js"
import * as gathering from "./gathering.js"
import * as places from "./places.js"
import { giveUp, type Refusals } from "./refusals.js"
import * as render from "./render.js"
import * as requestLimits from "./requestLimits.js"

/** Who answers, and with what. */
export interface Options {
  readonly respond: (request: ApiRequest) => ApiResponse | Effect.Effect<ApiResponse>
  readonly authenticate: (credentials: Credentials) => UserInfo | undefined
  readonly certificateOf: (request: Http2ServerRequest | IncomingMessage) => ClientCertificate | undefined
  readonly refusals: Refusals
  readonly requests: places.Places
  readonly streams: places.Places
  /** Answers when watches and followed logs have to end. */
  readonly stopped: Deferred.Deferred<void>
  readonly now: () => number
  /** Wraps answers that have to be worked for; absent: nobody collects traces, and nothing is paid for them. */
  readonly trace?: ((request: Http2ServerRequest, info: () => RequestInfo | undefined) => <A>(answer: Effect.Effect<A>) => Effect.Effect<A>) | undefined
  readonly fork: <A>(effect: Effect.Effect<A>) => Fiber.RuntimeFiber<A>
}

/** The requests that one API answers. */
export interface RequestWork {
  readonly onRequest: (request: Http2ServerRequest, response: Http2ServerResponse) => void
  /** Gives up peers that have neither sent nor taken anything since `oldest`, in milliseconds since the epoch. */
  readonly sweep: (oldest: number) => void
  /** Answers 504 to requests from before `oldest`, unless it is their own body that is awaited. */
  readonly expire: (oldest: number) => void
  /** Waits until everything is answered, at most as long as the grace. */
  readonly finished: (grace: Duration.DurationInput) => Effect.Effect<void>
}

const overloaded = render.status(Status.tooManyRequests())
const timedOut = render.status(Status.timeout("request did not complete within the allotted timeout"))

/** How long a heartbeat waits for others, in milliseconds. */
const heartbeatMillis = 100

/** No requests yet. */
export const make = (options: Options): RequestWork => {
  const { authenticate, certificateOf, fork, now, trace, refusals, requests: requestPlaces, respond, stopped, streams: streamPlaces } = options
  const requests = new Set<exchanges.Exchange>()
  const streams = new Set<exchanges.Exchange>()
  const ofTurn = gathering.ofTurn()
  const ofHeartbeats = gathering.ofMillis(heartbeatMillis)

  const stream = (exchange: exchanges.Exchange, answer: ApiResponse): Effect.Effect<void> => {
    const { body } = answer
    if (body instanceof Uint8Array) return Effect.sync(() => exchanges.sendComplete(exchange, answer, body, now))
    if (!body.live) return Effect.ensuring(exchanges.sendStream(exchange, answer, body, now), body.discard)
    // A peer that is gone already holds no place that it could give back.
    if (exchange.closed || !streamPlaces.enter(exchange.client)) {
      return Effect.zipRight(body.discard, Effect.suspend(() => stream(exchange, overloaded)))
    }
    if (requests.delete(exchange)) requestPlaces.leave(exchange.client)
    streams.add(exchange)
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

  const traced = <A>(exchange: exchanges.Exchange, answer: Effect.Effect<A>): Effect.Effect<A> =>
    trace === undefined ? answer : trace(exchange.request, () => exchange.info)(answer)

  // Most answers are bytes, and are there without a fiber (see `Direct`): one for what else has to be waited for, and one for an answer
  // that is streamed. A write goes on when its client goes away, because it may have happened already.
  const work = (exchange: exchanges.Exchange, answer: Effect.Effect<ApiResponse>) => {
    const follow = (sending: Effect.Effect<void>) => {
      if (Exit.isExit(sending)) return
      const running = fork(sending)
      exchange.cancel = () => running.unsafeInterruptAsFork(FiberId.none)
    }
    const answered: Direct.Done<ApiResponse, never> = (exit) => {
      if (Exit.isFailure(exit)) fork(failed(exchange)(exit.cause))
      else follow(send(exchange, exit.value))
    }
    Direct.run(answer, answered, (waiting, done) => {
      const running = fork(Effect.exit(waiting))
      exchange.cancel = () => running.unsafeInterruptAsFork(FiberId.none)
      running.addObserver((exit) => {
        // A fiber that has ended would be woken only to be told that nobody waits for it.
        exchange.cancel = undefined
        done(Exit.flatten(exit))
      })
    })
  }

  const finish = (exchange: exchanges.Exchange) => {
    exchange.closed = true
    exchange.cancel?.()
    if (requests.delete(exchange)) requestPlaces.leave(exchange.client)
    const isStream = streams.delete(exchange)
    if (isStream) streamPlaces.leave(exchange.client)
    Metrics.requests.unsafeUpdate(requests.size, [])
    Metrics.streams.unsafeUpdate(streams.size, [])
    Metrics.countAnswer({
      method: exchange.request.method,
      info: exchange.info,
      status: exchange.response.statusCode,
      // How long somebody watched says nothing about the server.
      seconds: isStream ? undefined : (now() - exchange.began) / 1000
    })
  }

  const reject = (request: Http2ServerRequest, response: Http2ServerResponse, answer: ApiResponse) => {
    Metrics.rejectedTotal.unsafeUpdate(1, [])
    refusals.refuse(request, response, answer)
  }

  const onRequest = (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const user = authenticate({ certificate: certificateOf(request), authorization: request.headers.authorization })
    const client = places.clientOf(user, request.socket.remoteAddress)
    const tooLarge = requestLimits.refusalOf(request.url, request.rawHeaders)
    if (tooLarge !== undefined) return reject(request, response, tooLarge)
    if (!requestPlaces.enter(client)) return reject(request, response, overloaded)
    const exchange: exchanges.Exchange = { request, response, client, began: now(), info: undefined, waitingSince: 0, cancel: undefined, closed: false }
    // Nobody is there to be told about a broken connection.
    request.on("error", () => {})
    response.on("error", () => {})
    requests.add(exchange)
    // Comes once; to say so would cost a second listener.
    response.on("close", () => finish(exchange))
    const { method } = request
    if (method === "GET" || method === "HEAD") return begin(exchange, user, exchanges.readBody(exchange, now))
    const together = gathering.isHeartbeat(method, request.url) ? ofHeartbeats : ofTurn
    const start = (body: exchanges.Body) => together(() => begin(exchange, user, body))
    // What is allowed is found out when the body is there: a fiber that had to wait for it would cost more.
    if (exchanges.isBodiless(request)) start(exchanges.noBody)
    else if (exchanges.isSmall(request)) exchanges.receive(exchange, now, start)
    else start(exchanges.readBody(exchange, now))
  }

  const begin = (exchange: exchanges.Exchange, user: UserInfo | undefined, body: exchanges.Body) => {
    if (exchange.closed) return
    const { headers, method, url } = exchange.request
    const seen = (info: RequestInfo) => {
      exchange.info = info
    }
    const apiRequest: ApiRequest = { method, url, headers, body, user, seen }
    try {
      const answer = respond(apiRequest)
      if (Effect.isEffect(answer)) return work(exchange, traced(exchange, answer))
      if (answer.body instanceof Uint8Array) return exchanges.sendComplete(exchange, answer, answer.body, now)
      work(exchange, Effect.succeed(answer))
    } catch (defect) {
      fork(failed(exchange)(Cause.die(defect)))
    }
  }

  return {
    onRequest,
    sweep: (oldest) => {
      giveUp(requests, oldest)
      giveUp(streams, oldest)
    },
    expire: (oldest) => {
      for (const exchange of requests) {
        if (exchange.began > oldest || exchange.waitingSince !== 0 || exchange.response.headersSent) continue
        if (timedOut.body instanceof Uint8Array) exchanges.sendComplete(exchange, timedOut, timedOut.body, now)
      }
    },
    finished: (grace) =>
      Effect.sync(() => requests.size + streams.size).pipe(
        Effect.repeat({ schedule: Schedule.spaced("10 millis"), until: (open) => open === 0 }),
        Effect.timeoutOption(grace),
        Effect.interruptible,
        Effect.asVoid
      )
  }
}
