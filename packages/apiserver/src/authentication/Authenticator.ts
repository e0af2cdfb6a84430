/** Who a request comes from, by the credentials its transport has seen. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TokenAuthenticator } from "./TokenAuthenticator.js"
import * as UserInfo from "./UserInfo.js"

/**
 * The subject of a client certificate that the transport has verified against the client authority; without a name when it was
 * shown one that it could not verify.
 *
 * @category models
 */
export interface ClientCertificate {
  readonly commonName: string
  readonly organizations: ReadonlyArray<string>
}

/** What a request proves its identity with. @category models */
export interface Credentials {
  readonly certificate: ClientCertificate | undefined
  /** The Authorization header. */
  readonly authorization: string | undefined
}

/**
 * Decides who a caller is. Plain and synchronous because it is on the path of every request: keep what it needs in memory.
 *
 * @category services
 */
export class Authenticator extends Context.Tag("@reddwarf/apiserver/Authenticator")<Authenticator, {
  /** The identity of the caller, or undefined when nothing proves one (401). */
  readonly authenticate: (credentials: Credentials) => UserInfo.UserInfo | undefined
}>() {}

/**
 * Client certificates: the common name is the user, each organisation a group. A request that also carries an Authorization
 * header is judged by its certificate; without a certificate nothing is accepted.
 *
 * @category layers
 */
export const layer: Layer.Layer<Authenticator> = Layer.succeed(Authenticator, {
  authenticate: ({ certificate }) =>
    certificate === undefined || certificate.commonName === ""
      ? undefined
      : UserInfo.authenticated(certificate.commonName, certificate.organizations)
})

/** Settings, all with defaults. @category models */
export interface Options {
  /** Requests without credentials are those of `system:anonymous`, who may do what the policy lets them. Default true. */
  readonly anonymous?: boolean
}

const bearer = /^bearer +(\S+) *$/i

/**
 * Client certificates and bearer tokens. A certificate counts before a token; a token that nobody accepts is refused, never
 * taken for anonymous.
 *
 * @category layers
 */
export const layerWith = (options: Options = {}): Layer.Layer<Authenticator, never, TokenAuthenticator> =>
  Layer.effect(
    Authenticator,
    Effect.map(TokenAuthenticator, (tokens) => ({
      authenticate: ({ authorization, certificate }) => {
        if (certificate !== undefined && certificate.commonName !== "") {
          return UserInfo.authenticated(certificate.commonName, certificate.organizations)
        }
        const token = authorization === undefined ? undefined : bearer.exec(authorization)?.[1]
        if (token !== undefined) return tokens.authenticate(token)?.user
        // Another scheme proves nothing, and asks for nothing that Kubernetes knows of.
        return options.anonymous === false || certificate !== undefined ? undefined : UserInfo.anonymous
      }
    }))
  )
