/** Authorisation at registries: which header proves who one is, and the tokens for it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { type ImageError, RegistryFailed, TooManyRequests, Unauthorized } from "../ImageError.js"
import type { Credential } from "../Keyring.js"
import { type Endpoint, hostOptions, isLoopback, type Options } from "../RegistryOptions.js"
import type { Challenge } from "./challenge.js"
import { type Exchange, readBody } from "./httpExchange.js"
import * as KeyedLock from "./keyedLock.js"
import { detailOf, retryAfterOf, unreachable } from "./registryFailure.js"

/** Who asks for what, where. */
export interface Subject {
  /** The image, for messages. */
  readonly reference: string
  readonly endpoint: Endpoint
  readonly credential: Credential | undefined
  /** `repository:NAME:pull`, or with `pull,push`. */
  readonly scope: string
}

export interface RegistryAuth {
  /** The header that was accepted last for the subject, if it is still good. */
  readonly known: (subject: Subject) => Effect.Effect<string | undefined>
  /** A header that answers the challenges; another one than `refused`. */
  readonly answer: (subject: Subject, challenges: ReadonlyArray<Challenge>, refused: string | undefined) => Effect.Effect<string, ImageError>
}

const maxKnown = 1024
const maxTokenAnswer = 1024 * 1024
/** What a token lasts at least, if its server does not say. */
const defaultLifeSeconds = 60

const Token = Schema.Struct({
  token: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" }),
  access_token: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" }),
  expires_in: Schema.optionalWith(Schema.Number, { nullable: true, default: () => defaultLifeSeconds })
})

const decodeToken = Schema.decodeUnknown(Schema.parseJson(Token))

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64")

const basicHeader = (credential: Credential): string => `Basic ${base64(`${credential.username}:${Redacted.value(credential.password)}`)}`

/** Equal credentials of different pods share their tokens; the key tells nothing about them. */
const keyOf = ({ credential, endpoint, scope }: Subject): string => {
  const secret = credential === undefined ? "" : JSON.stringify([
    credential.username,
    Redacted.value(credential.password),
    credential.identityToken === undefined ? "" : Redacted.value(credential.identityToken),
    credential.registryToken === undefined ? "" : Redacted.value(credential.registryToken)
  ])
  return `${endpoint.origin} ${scope} ${createHash("sha256").update(secret).digest("hex")}`
}

export const make = (exchange: Exchange, options: Options): RegistryAuth => {
  const headers = new Map<string, { readonly header: string; readonly until: number }>()
  /** Requests of one subject that are refused at the same time share one token. */
  const asking = KeyedLock.make()

  const known = (subject: Subject): Effect.Effect<string | undefined> =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const entry = headers.get(keyOf(subject))
      return entry !== undefined && entry.until > now ? entry.header : undefined
    })

  const remember = (subject: Subject, header: string, seconds: number): Effect.Effect<string> =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const key = keyOf(subject)
      headers.delete(key)
      // A part of its life is lost on the way.
      headers.set(key, { header, until: now + seconds * 900 })
      for (const oldest of headers.keys()) {
        if (headers.size <= maxKnown) break
        headers.delete(oldest)
      }
      return header
    })

  const refused = (subject: Subject, detail: string, status = 401) =>
    new Unauthorized({ reference: subject.reference, source: subject.endpoint.host, status, detail, credentials: subject.credential !== undefined })

  const tokenRequest = (subject: Subject, realm: URL, service: string, scope: string) => {
    const { credential } = subject
    if (credential?.identityToken !== undefined) {
      const form = new TextEncoder().encode(new URLSearchParams({
        grant_type: "refresh_token",
        client_id: "reddwarf",
        service,
        scope,
        refresh_token: Redacted.value(credential.identityToken)
      }).toString())
      return {
        method: "POST" as const,
        url: realm,
        headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
        body: { length: form.length, bytes: Stream.make(form) }
      }
    }
    const url = new URL(realm)
    if (service !== "") url.searchParams.set("service", service)
    for (const one of scope.split(" ").filter((part) => part !== "")) url.searchParams.append("scope", one)
    if (credential !== undefined && credential.username !== "") url.searchParams.set("account", credential.username)
    return {
      method: "GET" as const,
      url,
      headers: { accept: "application/json", ...(credential === undefined ? {} : { authorization: basicHeader(credential) }) }
    }
  }

  const fetchToken = (subject: Subject, parameters: Challenge["parameters"]): Effect.Effect<string, ImageError> =>
    Effect.gen(function*() {
      const { credential, endpoint, reference } = subject
      if (credential?.registryToken !== undefined) return yield* remember(subject, `Bearer ${Redacted.value(credential.registryToken)}`, defaultLifeSeconds)
      const realm = URL.parse(parameters["realm"] ?? "", endpoint.origin)
      if (realm === null || !/^https?:$/.test(realm.protocol) || parameters["realm"] === undefined) {
        return yield* refused(subject, "it names no token server that can be asked")
      }
      const plain = realm.protocol === "http:" && !isLoopback(realm.host) && hostOptions(options, realm.host).scheme !== "http"
      if (plain && credential !== undefined) {
        return yield* refused(subject, `its token server ${realm.host} is not encrypted, so the credentials were not sent`)
      }
      // What the registry asks for is what the token must be for; ours is there in case it does not say.
      const scopes = [...new Set([...(parameters["scope"] ?? "").split(" "), subject.scope])].filter((scope) => scope !== "").join(" ")
      const where = `${endpoint.host} (token server ${realm.host})`
      const { body, answer } = yield* Effect.scoped(Effect.gen(function*() {
        const answer = yield* exchange({ ...tokenRequest(subject, realm, parameters["service"] ?? "", scopes), tls: hostOptions(options, realm.host) })
        return { answer, body: (yield* readBody(answer, maxTokenAnswer)) ?? new Uint8Array() }
      })).pipe(Effect.mapError(unreachable(reference, where)))
      if (answer.status === 429) {
        const retryAfter = retryAfterOf(answer.headers, yield* Clock.currentTimeMillis)
        return yield* new TooManyRequests({ reference, source: where, ...(retryAfter === undefined ? {} : { retryAfter }) })
      }
      if (answer.status >= 400 && answer.status < 500) return yield* refused(subject, `its token server ${realm.host} says: ${detailOf(answer.status, body)}`, answer.status)
      if (answer.status !== 200) return yield* new RegistryFailed({ reference, source: where, status: answer.status, detail: detailOf(answer.status, body) })
      const broken = (detail: string) => new RegistryFailed({ reference, source: where, status: 200, detail })
      const token = yield* Effect.mapError(decodeToken(new TextDecoder().decode(body)), () => broken("its answer is not a token"))
      const text = token.token !== "" ? token.token : token.access_token
      if (!/^[\x21-\x7e]+$/.test(text)) return yield* broken("its answer has no token")
      return yield* remember(subject, `Bearer ${text}`, Math.max(defaultLifeSeconds, token.expires_in))
    })

  const answer = (subject: Subject, challenges: ReadonlyArray<Challenge>, old: string | undefined): Effect.Effect<string, ImageError> => {
    const bearer = challenges.find(({ scheme }) => scheme === "bearer")
    if (bearer !== undefined) return fetchToken(subject, bearer.parameters)
    if (!challenges.some(({ scheme }) => scheme === "basic")) return refused(subject, "it names no way to log in that is known here")
    if (subject.credential === undefined) return refused(subject, "it wants a user name and password")
    const header = basicHeader(subject.credential)
    return header === old ? refused(subject, "user name or password is wrong") : remember(subject, header, 3600)
  }

  return {
    known,
    answer: (subject, challenges, old) =>
      asking(
        keyOf(subject),
        Effect.flatMap(known(subject), (current) =>
          // Another request of the subject has got one meanwhile.
          current !== undefined && current !== old ? Effect.succeed(current) : answer(subject, challenges, old))
      )
  }
}
