/** Who a request comes from, by the credentials its transport has seen. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as UserInfo from "./UserInfo.js"

/**
 * The subject of a client certificate that the transport has verified against the client authority.
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
