/** Admission: certificate signing requests say who asked, and only those decide about them whom the policy lets approve for the signer. */
import { ApiError, Kinds, type KubeObject, Status, Timestamp } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, Plugin } from "./Admission.js"
import type * as Authorizer from "../authorization/Authorizer.js"
import { get, isArray, isObject } from "../internal/jsonValue.js"
import type { UserInfo } from "../authentication/UserInfo.js"

const kind = Kinds.certificateSigningRequest

/** Who asks is the caller, whatever the body says. */
const withRequestor = (object: KubeObject.KubeObject, { extra, groups, name, uid }: UserInfo): KubeObject.KubeObject => {
  const spec = get(object, "spec")
  const next = {
    ...object,
    spec: {
      ...(isObject(spec) ? spec : {}),
      username: name,
      ...(uid === undefined ? {} : { uid }),
      groups,
      ...(extra === undefined ? {} : { extra })
    }
  }
  return next
}

const withTimes = (object: KubeObject.KubeObject, now: string): KubeObject.KubeObject => {
  const status = get(object, "status")
  const conditions = get(status, "conditions")
  if (!isObject(status) || !isArray(conditions)) return object
  const next = {
    ...object,
    status: {
      ...status,
      conditions: conditions.map((condition) =>
        isObject(condition)
          ? { ...condition, lastUpdateTime: condition["lastUpdateTime"] ?? now, lastTransitionTime: condition["lastTransitionTime"] ?? now }
          : condition)
    }
  }
  return next
}

/** The verb on the signer that a write needs besides that on the request. */
const verbOf = (subresource: string | undefined): string | undefined =>
  subresource === "approval" ? "approve" : subresource === "status" ? "sign" : undefined

const signer = (user: UserInfo, verb: string, name: string): Authorizer.Attributes => ({
  user,
  verb,
  isResource: true,
  group: kind.group,
  version: "*",
  resource: "signers",
  subresource: undefined,
  namespace: undefined,
  name,
  path: ""
})

const check = (
  { name, old, operation, subresource, user }: Attributes,
  authorize: (attributes: Authorizer.Attributes) => Authorizer.Decision
): Effect.Effect<void, ApiError.ApiError> => {
  const verb = operation === "UPDATE" ? verbOf(subresource) : undefined
  if (verb === undefined) return Effect.void
  const stored = get(get(old, "spec"), "signerName")
  const signerName = typeof stored === "string" ? stored : ""
  // A permission may also be for all signers of a domain.
  const domain = `${signerName.split("/")[0] ?? ""}/*`
  return [signerName, domain].some((asked) => authorize(signer(user, verb, asked)).allowed)
    ? Effect.void
    : ApiError.fail(Status.forbidden(kind, name, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`))
}

/** The plugin. @category constructors */
export const make = (
  authorize: (attributes: Authorizer.Attributes) => Authorizer.Decision,
  now: () => number
): Plugin => ({
  name: "CertificateApproval",
  mutate: (object, attributes) => {
    if (attributes.kind !== kind) return Effect.succeed(object)
    return Effect.succeed(
      attributes.operation === "CREATE"
        ? withRequestor(object, attributes.user)
        : withTimes(object, Timestamp.secondsFromMillis(now()))
    )
  },
  validate: (_, attributes) => attributes.kind === kind ? check(attributes, authorize) : Effect.void
})
