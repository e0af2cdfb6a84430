/** Acting as somebody else: the `Impersonate-*` headers, for callers whom the policy lets impersonate (`kubectl --as`). */
import { Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { ApiRequest } from "../ApiRequest.js"
import type { Attributes, Decision } from "../authorization/Authorizer.js"
import { forbiddenMessage } from "../internal/forbidden.js"
import * as UserInfo from "./UserInfo.js"

const extraPrefix = "impersonate-extra-"
const authenticationGroup = "authentication.k8s.io"

/** Values of a header. A repeated one may have been joined; each part is checked on its own, so that splitting grants nothing. */
const valuesOf = (value: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  (value === undefined ? [] : typeof value === "string" ? [value] : value)
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "")

const decoded = (key: string): string => {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

interface Wanted {
  readonly user: string
  readonly groups: ReadonlyArray<string>
  readonly uid: string
  readonly extra: Readonly<Record<string, ReadonlyArray<string>>>
}

const wantedOf = ({ headers }: ApiRequest): Wanted => {
  const user = headers["impersonate-user"]
  const uid = headers["impersonate-uid"]
  const extra = Object.fromEntries(
    Object.keys(headers)
      .filter((name) => name.startsWith(extraPrefix))
      .map((name) => [decoded(name.slice(extraPrefix.length)).toLowerCase(), valuesOf(headers[name])])
  )
  return {
    user: (typeof user === "string" ? user : user?.[0]) ?? "",
    groups: valuesOf(headers["impersonate-group"]),
    uid: (typeof uid === "string" ? uid : uid?.[0]) ?? "",
    extra
  }
}

/** Plain and quick: every request is asked. */
const isAsked = ({ headers }: ApiRequest): boolean => {
  for (const name in headers) if (name.startsWith("impersonate-")) return true
  return false
}

const serviceAccount = /^system:serviceaccount:([^:]+):([^:]+)$/

const about = (user: UserInfo.UserInfo, what: Partial<Attributes> & { readonly resource: string; readonly name: string }): Attributes => ({
  user,
  verb: "impersonate",
  isResource: true,
  group: "",
  version: "v1",
  subresource: undefined,
  namespace: undefined,
  path: "",
  ...what
})

/** What the caller must be allowed to do. */
const demands = (user: UserInfo.UserInfo, wanted: Wanted): ReadonlyArray<Attributes> => {
  const account = serviceAccount.exec(wanted.user)
  const [, namespace, name = ""] = account ?? []
  return [
    account === null
      ? about(user, { resource: "users", name: wanted.user })
      : about(user, { resource: "serviceaccounts", namespace, name }),
    ...wanted.groups.map((group) => about(user, { resource: "groups", name: group })),
    ...Object.entries(wanted.extra).flatMap(([key, values]) =>
      values.map((value) => about(user, { group: authenticationGroup, resource: "userextras", subresource: key, name: value }))),
    ...(wanted.uid === "" ? [] : [about(user, { group: authenticationGroup, resource: "uids", name: wanted.uid })])
  ]
}

const groupsOf = ({ groups, user }: Wanted): ReadonlyArray<string> => {
  const [, namespace] = serviceAccount.exec(user) ?? []
  const given = groups.length === 0 && namespace !== undefined
    ? ["system:serviceaccounts", `system:serviceaccounts:${namespace}`]
    : groups
  const everyone = user === UserInfo.anonymous.name ? UserInfo.anonymous.groups : [UserInfo.authenticatedGroup]
  const known = given.includes(UserInfo.authenticatedGroup) || UserInfo.anonymous.groups.some((group) => given.includes(group))
  return known ? given : [...given, ...everyone]
}

/**
 * The identity that a request is to be judged by: that of the caller, or the one the caller asks to be taken for. Left is the
 * refusal.
 *
 * @category combinators
 */
export const resolve = (
  request: ApiRequest,
  user: UserInfo.UserInfo,
  authorize: (attributes: Attributes) => Decision
): Either.Either<UserInfo.UserInfo, Status.Status> => {
  if (!isAsked(request)) return Either.right(user)
  const wanted = wantedOf(request)
  if (wanted.user === "") {
    const nothing = wanted.groups.length === 0 && wanted.uid === "" && Object.keys(wanted.extra).length === 0
    return nothing
      ? Either.right(user)
      : Either.left(Status.badRequest("requested groups, uid or extra fields without impersonating a user"))
  }
  for (const demand of demands(user, wanted)) {
    const decision = authorize(demand)
    if (!decision.allowed) return Either.left(forbiddenMessage(demand, decision.reason))
  }
  return Either.right({
    name: wanted.user,
    groups: groupsOf(wanted),
    ...(wanted.uid === "" ? {} : { uid: wanted.uid }),
    ...(Object.keys(wanted.extra).length === 0 ? {} : { extra: wanted.extra })
  })
}
