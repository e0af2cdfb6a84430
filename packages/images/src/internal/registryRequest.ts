/** Requests to one registry: authorised, redirected, limited in number, repeated when that can help. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import { type ImageError, isTransient, RegistryFailed, Unauthorized } from "../ImageError.js"
import type { Credential } from "../Keyring.js"
import { type Endpoint, hostOptions, isLoopback, type Options } from "../RegistryOptions.js"
import * as Challenge from "./challenge.js"
import { type Exchange, type HttpAnswer, type HttpRequest, readBody } from "./httpExchange.js"
import type { RegistryAuth, Subject } from "./registryAuth.js"
import { failureOf, unreachable } from "./registryFailure.js"

/** A place and the credentials for it. */
export interface Route {
  readonly endpoint: Endpoint
  readonly credential: Credential | undefined
}

export interface RegistryRequest {
  readonly method: HttpRequest["method"]
  /** Below `/v2/REPOSITORY/`, or, after an answer with a `location`, a URL. */
  readonly path: string | URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: HttpRequest["body"]
  readonly actions: "pull" | "pull,push"
  /** What is asked for, for messages: "manifest". */
  readonly what: string
  /** Statuses that are an answer; others are failures. */
  readonly accept: ReadonlyArray<number>
}

export interface Requests {
  /** One request, with the login it needs. The connection is kept until the scope is closed. */
  readonly send: (reference: string, route: Route, request: RegistryRequest) => Effect.Effect<HttpAnswer, ImageError, Scope.Scope>
  /** Repeats what failed for a reason that may pass; the limit of attempts is lower for mirrors, which others stand in for. */
  readonly retry: <A, R>(route: Route, effect: Effect.Effect<A, ImageError, R>) => Effect.Effect<A, ImageError, R>
  /** Waits before the next attempt after so many failures; fails with the error if it is not worth it. */
  readonly pause: (route: Route, failures: number, error: ImageError) => Effect.Effect<void, ImageError>
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const maxRedirects = 5
const maxErrorBytes = 64 * 1024

export const make = (exchange: Exchange, auth: RegistryAuth, options: Options): Requests => {
  const attempts = Math.max(1, options.attempts ?? 5)
  const firstDelay = Duration.toMillis(options.retryDelay ?? "500 millis")
  const maxDelay = Duration.toMillis(options.maxRetryDelay ?? "1 minute")
  /** By host: bounded by the hosts that are configured or pulled from. */
  const permits = new Map<string, Effect.Semaphore>()

  const permit = (endpoint: Endpoint): Effect.Effect<void, never, Scope.Scope> =>
    Effect.suspend(() => {
      const semaphore = permits.get(endpoint.host) ?? Effect.unsafeMakeSemaphore(Math.max(1, endpoint.options.concurrency ?? 6))
      permits.set(endpoint.host, semaphore)
      return Effect.uninterruptibleMask((restore) =>
        Effect.zipRight(restore(semaphore.take(1)), Effect.addFinalizer(() => semaphore.release(1)))
      )
    })

  const tlsFor = (endpoint: Endpoint, url: URL) => (url.origin === new URL(endpoint.origin).origin ? endpoint.options : hostOptions(options, url.host))

  /** Follows redirections; proves who one is to the registry only, never to the places it refers to. */
  const follow = (
    reference: string,
    route: Route,
    request: RegistryRequest,
    url: URL,
    authorization: string | undefined,
    left = maxRedirects
  ): Effect.Effect<HttpAnswer, ImageError, Scope.Scope> =>
    Effect.gen(function*() {
      const { endpoint } = route
      const own = url.origin === new URL(endpoint.origin).origin
      const answer = yield* Effect.mapError(
        exchange({
          method: request.method,
          url,
          headers: {
            // The digest is of the bytes as they are stored.
            "accept-encoding": "identity",
            ...request.headers,
            ...(own && authorization !== undefined ? { authorization } : {})
          },
          body: request.body,
          tls: tlsFor(endpoint, url)
        }),
        unreachable(reference, own ? endpoint.host : `${endpoint.host} (sent on to ${url.host})`)
      )
      const location = answer.headers["location"]
      if (!redirects.has(answer.status) || location === undefined || (request.method !== "GET" && request.method !== "HEAD")) return answer
      const failed = (detail: string) => new RegistryFailed({ reference, source: endpoint.host, status: answer.status, detail })
      const next = URL.parse(location, url.href)
      if (next === null || !/^https?:$/.test(next.protocol)) return yield* failed("it sends on to something that is not a web address")
      if (left === 0) return yield* failed(`it sends on more than ${maxRedirects} times`)
      if (url.protocol === "https:" && next.protocol === "http:" && !isLoopback(next.host) && hostOptions(options, next.host).scheme !== "http") {
        return yield* failed(`it sends on to ${next.host} without encryption`)
      }
      return yield* follow(reference, route, request, next, authorization, left - 1)
    })

  const urlOf = (endpoint: Endpoint, path: string | URL): URL => {
    if (path instanceof URL) return path
    const url = new URL(`/v2/${endpoint.repository}/${path}`, endpoint.origin)
    // Tells a mirror of several registries which one is meant.
    if (endpoint.mirrorOf !== undefined) url.searchParams.set("ns", endpoint.mirrorOf)
    return url
  }

  /** Keeps the connection of the result only; those of answers that were not taken are given back at once. */
  const kept = <A>(effect: Effect.Effect<A, ImageError, Scope.Scope>): Effect.Effect<A, ImageError, Scope.Scope> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const scope = yield* Scope.fork(yield* Effect.scope, { _tag: "Sequential" })
        return yield* Effect.onExit(restore(Scope.extend(effect, scope)), (exit) => (Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit)))
      })
    )

  const send: Requests["send"] = (reference, route, request) =>
    kept(Effect.gen(function*() {
      const { credential, endpoint } = route
      yield* permit(endpoint)
      const subject: Subject = { reference, endpoint, credential, scope: `repository:${endpoint.repository}:${request.actions}` }
      const url = urlOf(endpoint, request.path)
      const bodyOf = (answer: HttpAnswer) =>
        Effect.orElseSucceed(Effect.map(readBody(answer, maxErrorBytes), (body) => body ?? new Uint8Array()), () => new Uint8Array())

      const first = yield* auth.known(subject)
      const attempt = (authorization: string | undefined) =>
        kept(Effect.flatMap(follow(reference, route, request, url, authorization), (answer) =>
          // Read to its end, its connection can be used for the next attempt.
          Effect.map(answer.status === 401 ? bodyOf(answer) : Effect.succeed(undefined), (body) => ({ answer, body }))))
      let { answer, body } = yield* attempt(first)
      if (answer.status === 401) {
        const challenges = Challenge.parse(answer.challenges)
        ;({ answer, body } = yield* attempt(yield* auth.answer(subject, challenges, first)))
        if (answer.status === 401) {
          return yield* new Unauthorized({
            reference,
            source: endpoint.host,
            status: 401,
            detail: "it does not accept the token or password it asked for",
            credentials: credential !== undefined
          })
        }
      }
      if (request.accept.includes(answer.status)) {
        // Nothing follows, but the connection is free for the next request only when that has been seen.
        if (request.method === "HEAD") yield* bodyOf(answer)
        return answer
      }
      return yield* Effect.fail(failureOf({
        reference,
        source: endpoint.host,
        what: request.what,
        credentials: credential !== undefined,
        status: answer.status,
        headers: answer.headers,
        body: body ?? (yield* bodyOf(answer)),
        now: yield* Clock.currentTimeMillis
      }))
    }))

  const pause: Requests["pause"] = (route, failures, error) =>
    Effect.gen(function*() {
      const limit = route.endpoint.mirrorOf === undefined ? attempts : Math.min(2, attempts)
      const hopeless = error._tag === "Unreachable" && error.detail.startsWith("its certificate")
      if (failures >= limit || hopeless || !isTransient(error) || error._tag === "DiskFull" || error._tag === "StorageFailed") return yield* Effect.fail(error)
      const asked = error._tag === "TooManyRequests" ? error.retryAfter ?? 0 : 0
      if (asked > maxDelay) return yield* Effect.fail(error)
      const doubled = Math.min(maxDelay, firstDelay * 2 ** (failures - 1))
      // Many nodes fail at the same moment; they must not come back at the same moment.
      const jittered = doubled * (0.5 + (yield* Random.next) / 2)
      yield* Effect.logDebug("asking again", error)
      return yield* Effect.sleep(Math.max(asked, jittered))
    })

  const retry: Requests["retry"] = (route, effect) => {
    const attempt = (failures: number): typeof effect =>
      Effect.catchAll(effect, (error) => Effect.zipRight(pause(route, failures + 1, error), attempt(failures + 1)))
    return attempt(0)
  }

  return { send, retry, pause }
}
