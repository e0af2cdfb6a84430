/** Who holds a bearer token: a user of the token file, or the processes of a pod that run as a ServiceAccount. */
import { Kinds, type KubeObject, Timestamp } from "@reddwarf/api-types"
import { WatchCache } from "@reddwarf/event-bus"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { objectOf } from "../internal/apiContext.js"
import { keyOf } from "../internal/keys.js"
import * as ServiceAccountTokens from "./ServiceAccountTokens.js"
import * as StaticTokens from "./StaticTokens.js"
import * as UserInfo from "./UserInfo.js"

/** The holder of a token, and for which of the audiences that were asked about it is good. @category models */
export interface Holder {
  readonly user: UserInfo.UserInfo
  readonly audiences: ReadonlyArray<string>
}

/**
 * Decides about bearer tokens. Plain and synchronous because it is on the path of every request.
 *
 * @category services
 */
export class TokenAuthenticator extends Context.Tag("@reddwarf/apiserver/TokenAuthenticator")<TokenAuthenticator, {
  /** The holder of a token that is good for one of the audiences, by default those of the API; undefined when nobody accepts it. */
  readonly authenticate: (token: string, audiences?: ReadonlyArray<string>) => Holder | undefined
}>() {}

/** Settings, all with defaults. @category models */
export interface Options {
  /** Tokens that do not come from a ServiceAccount. Default none. */
  readonly staticTokens?: StaticTokens.StaticTokens
}

// A pod that was asked to go may finish its work with its token.
const leewayMillis = 60_000

/** Whether an object is there under its uid, and not on its way out for longer than it takes to stop. */
const lives = (object: KubeObject.KubeObject | undefined, uid: string, now: number): boolean => {
  if (object === undefined || object.metadata.uid !== uid) return false
  const { deletionTimestamp } = object.metadata
  if (deletionTimestamp === undefined) return true
  return (Timestamp.toMillis(deletionTimestamp) ?? 0) + leewayMillis > now
}

const extraOf = ({ id, node, pod }: ServiceAccountTokens.Claims): Readonly<Record<string, ReadonlyArray<string>>> => ({
  "authentication.kubernetes.io/credential-id": [`JTI=${id}`],
  ...(node === undefined ? {} : {
    "authentication.kubernetes.io/node-name": [node.name],
    "authentication.kubernetes.io/node-uid": [node.uid]
  }),
  ...(pod === undefined ? {} : {
    "authentication.kubernetes.io/pod-name": [pod.name],
    "authentication.kubernetes.io/pod-uid": [pod.uid]
  })
})

const userOf = (claims: ServiceAccountTokens.Claims): UserInfo.UserInfo => {
  const { namespace, serviceAccount } = claims
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`]
  const name = ServiceAccountTokens.userName(namespace, serviceAccount.name)
  return { ...UserInfo.authenticated(name, groups), uid: serviceAccount.uid, extra: extraOf(claims) }
}

const make = (options: Options) =>
  Effect.gen(function*() {
    const tokens = yield* ServiceAccountTokens.ServiceAccountTokens
    const cache = yield* WatchCache.WatchCache
    const clock = yield* Effect.clock
    const fromFile = options.staticTokens ?? StaticTokens.none
    const find = (kind: Parameters<typeof keyOf>[0], namespace: string | undefined, name: string) => {
      const entry = cache.get(keyOf(kind, namespace, name))
      return entry === undefined ? undefined : objectOf(entry)
    }
    const isCurrent = (claims: ServiceAccountTokens.Claims): boolean => {
      const now = clock.unsafeCurrentTimeMillis()
      const { expires, namespace, node, notBefore, pod, secret, serviceAccount } = claims
      if (expires * 1000 <= now || notBefore * 1000 > now + leewayMillis) return false
      if (!lives(find(Kinds.serviceAccount, namespace, serviceAccount.name), serviceAccount.uid, now)) return false
      if (pod !== undefined && !lives(find(Kinds.pod, namespace, pod.name), pod.uid, now)) return false
      if (secret !== undefined && !lives(find(Kinds.secret, namespace, secret.name), secret.uid, now)) return false
      // The node of a pod is information about the pod; a token without a pod is bound to the node itself.
      return node === undefined || pod !== undefined || lives(find(Kinds.node, undefined, node.name), node.uid, now)
    }
    return TokenAuthenticator.of({
      authenticate: (token, wanted = tokens.audiences) => {
        const known = fromFile.userOf(token)
        // Tokens of the file are for whoever they are shown to.
        if (known !== undefined) return { user: known, audiences: wanted }
        const claims = tokens.read(token)
        if (claims === undefined) return undefined
        const audiences = wanted.filter((audience) => claims.audiences.includes(audience))
        return audiences.length > 0 && isCurrent(claims) ? { user: userOf(claims), audiences } : undefined
      }
    })
  })

/** Tokens of ServiceAccounts that exist, and those of the options. @category layers */
export const layer = (
  options: Options = {}
): Layer.Layer<TokenAuthenticator, never, ServiceAccountTokens.ServiceAccountTokens | WatchCache.WatchCache> =>
  Layer.effect(TokenAuthenticator, make(options))
