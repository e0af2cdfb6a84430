/** Tokens of ServiceAccounts: signed claims about who a process is, good for a while, for some audiences and as long as what they are bound to exists. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createPrivateKey, generateKeyPair, type KeyObject, randomUUID } from "node:crypto"
import { Certificates, CertificateFailure } from "../Certificates.js"
import * as jwt from "../internal/jwt.js"
import { get, isArray, isObject, type JsonObject } from "../internal/jsonValue.js"

/** An object by name and uid. @category models */
export interface Reference {
  readonly name: string
  readonly uid: string
}

/**
 * What a token says about its holder. A token that names a pod, node or secret ends with it.
 *
 * @category models
 */
export interface Subject {
  readonly namespace: string
  readonly serviceAccount: Reference
  readonly pod?: Reference
  readonly node?: Reference
  readonly secret?: Reference
}

/** The claims of a token. Times are seconds since the epoch. @category models */
export interface Claims extends Subject {
  /** Unique for each token. */
  readonly id: string
  readonly audiences: ReadonlyArray<string>
  readonly notBefore: number
  readonly expires: number
}

/**
 * Issues tokens and reads those it has issued. Reading is plain and synchronous because it is on the path of every request.
 *
 * @category services
 */
export class ServiceAccountTokens extends Context.Tag("@reddwarf/apiserver/ServiceAccountTokens")<ServiceAccountTokens, {
  /** Who tokens say they are from; also the audience of the API itself. */
  readonly issuer: string
  /** The audiences of the API: a token for one of them is accepted by it. */
  readonly audiences: ReadonlyArray<string>
  /** Longest lifetime of a token in seconds, if there is a bound. */
  readonly maxSeconds: number | undefined
  /** A token for `seconds` from `now` (milliseconds since the epoch) on. */
  readonly issue: (
    subject: Subject,
    audiences: ReadonlyArray<string>,
    seconds: number,
    now: number
  ) => Effect.Effect<string>
  /** The claims of a token of this issuer whose signature is right; undefined for anything else. Times are not looked at. */
  readonly read: (token: string) => Claims | undefined
  /** The public keys as a JSON web key set. */
  readonly keySet: Effect.Effect<JsonObject>
}>() {}

/** Settings, all with defaults. @category models */
export interface Options {
  /** Default `https://kubernetes.default.svc`. */
  readonly issuer?: string
  /** Default the issuer. */
  readonly audiences?: ReadonlyArray<string>
  /** Longest lifetime of a token in seconds; longer requests get this. Default none beyond Kubernetes' own of 2^32 seconds. */
  readonly maxSeconds?: number
}

const own = "kubernetes.io"

const referenceOf = (value: unknown): Reference | undefined => {
  const name = get(value, "name")
  const uid = get(value, "uid")
  return typeof name === "string" && typeof uid === "string" ? { name, uid } : undefined
}

const numberOf = (value: unknown): number | undefined => typeof value === "number" && Number.isFinite(value) ? value : undefined

const textsOf = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string" ? [value] : isArray(value) ? value.filter((item) => typeof item === "string") : []

/** User name of a ServiceAccount. @category combinators */
export const userName = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`

const claimsOf = (issuer: string, json: JsonObject): Claims | undefined => {
  const details = json[own]
  const namespace = get(details, "namespace")
  const serviceAccount = referenceOf(get(details, "serviceaccount"))
  const id = json["jti"]
  const expires = numberOf(json["exp"])
  const notBefore = numberOf(json["nbf"])
  if (json["iss"] !== issuer || typeof namespace !== "string" || serviceAccount === undefined) return undefined
  if (typeof id !== "string" || expires === undefined || notBefore === undefined) return undefined
  if (json["sub"] !== userName(namespace, serviceAccount.name)) return undefined
  const bound = { pod: get(details, "pod"), node: get(details, "node"), secret: get(details, "secret") }
  const pod = referenceOf(bound.pod)
  const node = referenceOf(bound.node)
  const secret = referenceOf(bound.secret)
  // A binding that cannot be read must not pass for none.
  const readable = (isObject(bound.pod) ? pod : true) && (isObject(bound.node) ? node : true) && (isObject(bound.secret) ? secret : true)
  if (!readable) return undefined
  return {
    id,
    audiences: textsOf(json["aud"]),
    expires,
    notBefore,
    namespace,
    serviceAccount,
    ...(pod === undefined ? {} : { pod }),
    ...(node === undefined ? {} : { node }),
    ...(secret === undefined ? {} : { secret })
  }
}

// So many tokens are remembered as genuine, so that a client's signature is checked once and not with each request.
const remembered = 4096

/** The service over a key that may be made only when it is first needed. */
const make = (options: Options, key: Effect.Effect<jwt.SigningKey>, known: () => jwt.SigningKey | undefined) => {
  const issuer = options.issuer ?? "https://kubernetes.default.svc"
  const genuine = new Map<string, Claims>()
  return ServiceAccountTokens.of({
    issuer,
    audiences: options.audiences ?? [issuer],
    maxSeconds: options.maxSeconds,
    issue: (subject, audiences, seconds, now) =>
      Effect.map(key, (signer) => {
        const begin = Math.floor(now / 1000)
        const { namespace, node, pod, secret, serviceAccount } = subject
        return jwt.sign(signer, {
          aud: audiences,
          exp: begin + seconds,
          iat: begin,
          iss: issuer,
          jti: randomUUID(),
          [own]: {
            namespace,
            ...(node === undefined ? {} : { node }),
            ...(pod === undefined ? {} : { pod }),
            ...(secret === undefined ? {} : { secret }),
            serviceaccount: serviceAccount
          },
          nbf: begin,
          sub: userName(namespace, serviceAccount.name)
        })
      }),
    read: (token) => {
      const before = genuine.get(token)
      if (before !== undefined) return before
      const verifier = known()
      const json = verifier === undefined ? undefined : jwt.verify(verifier, token)
      const claims = json === undefined ? undefined : claimsOf(issuer, json)
      if (claims === undefined) return undefined
      if (genuine.size >= remembered) for (const oldest of genuine.keys()) {
        genuine.delete(oldest)
        break
      }
      genuine.set(token, claims)
      return claims
    },
    keySet: Effect.map(key, (signer) => ({ keys: [jwt.webKey(signer)] }))
  })
}

const generate: Effect.Effect<KeyObject> = Effect.async((resume) => {
  generateKeyPair("rsa", { modulusLength: 2048 }, (error, _, privateKey) =>
    resume(error === null ? Effect.succeed(privateKey) : Effect.die(error)))
})

/** Tokens of a key that is made when it is first needed and ends with the process. @category layers */
export const layerEphemeral = (options: Options = {}): Layer.Layer<ServiceAccountTokens> =>
  Layer.effect(
    ServiceAccountTokens,
    Effect.gen(function*() {
      let known: jwt.SigningKey | undefined
      const key = yield* Effect.cached(
        Effect.map(generate, (privateKey) => {
          known = jwt.signingKey(privateKey)
          return known
        })
      )
      return make(options, key, () => known)
    })
  )

/**
 * Tokens of the cluster's signing key, which is made when it does not exist and kept, so that tokens outlive the server.
 *
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<ServiceAccountTokens, CertificateFailure, Certificates> =>
  Layer.effect(
    ServiceAccountTokens,
    Effect.gen(function*() {
      const certificates = yield* Certificates
      const pem = yield* certificates.signingKey
      const privateKey = yield* Effect.try({
        try: () => createPrivateKey(pem),
        catch: (cause) =>
          new CertificateFailure({
            path: "sa.key",
            detail: "it is not a PEM private key: restore it, or remove it to begin a new one (all ServiceAccount tokens then end)",
            cause
          })
      })
      if (privateKey.asymmetricKeyType !== "rsa") {
        return yield* new CertificateFailure({ path: "sa.key", detail: "it is not an RSA key: tokens are signed with RS256" })
      }
      const key = jwt.signingKey(privateKey)
      return make(options, Effect.succeed(key), () => key)
    })
  )
