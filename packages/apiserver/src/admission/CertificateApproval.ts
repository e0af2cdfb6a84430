/**
 * Admission: certificate signing requests say who asked, nobody asks to be master of the API, and only those decide about them whom the
 * policy lets approve for the signer.
 */
import { ApiError, Kinds, type KubeObject, Status, Timestamp } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, Plugin } from "./Admission.js"
import type * as Authorizer from "../authorization/Authorizer.js"
import { equals, get, isArray, isObject, textAt } from "../internal/jsonValue.js"
import * as signers from "../internal/signers.js"
import type { UserInfo } from "../authentication/UserInfo.js"

const kind = Kinds.certificateSigningRequest

/** Who asks is the caller, whatever the body says. */
const withRequestor = (object: KubeObject.KubeObject, { extra, groups, name, uid }: UserInfo): KubeObject.KubeObject => {
  const spec = get(object, "spec")
  const { extra: _, uid: __, ...asked } = isObject(spec) ? spec : {}
  const next = {
    ...object,
    spec: {
      ...asked,
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

const clientSigner = "kubernetes.io/kube-apiserver-client"
const unlimited = "system:masters"

/** Who may approve for clients of the API must not be able to make somebody its master. */
const checkSubject = (object: KubeObject.KubeObject, name: string): Effect.Effect<void, ApiError.ApiError> => {
  const spec = get(object, "spec")
  if (textAt(spec, "signerName") !== clientSigner) return Effect.void
  const refuse = (why: string) => ApiError.fail(Status.forbidden(kind, name, why))
  return Effect.tryPromise({
    // Loaded when there is a request, as the file says.
    try: async () => {
      const { read } = await import("../internal/x509Requests.js")
      return read(Buffer.from(textAt(spec, "request"), "base64").toString("utf8"))
    },
    catch: (problem) => problem instanceof Error ? problem.message : String(problem)
  }).pipe(
    Effect.matchEffect({
      onFailure: (problem) => refuse(`failed to parse CSR: ${problem}`),
      onSuccess: ({ organizations }) =>
        organizations.includes(unlimited) ? refuse(`use of ${clientSigner} signer with ${unlimited} group is not allowed`) : Effect.void
    })
  )
}

/** What a signer decides about. */
const decided = (object: KubeObject.KubeObject | undefined): readonly [unknown, unknown] => {
  const status = get(object, "status")
  return [get(status, "certificate") ?? "", get(status, "conditions") ?? []]
}

const check = (
  object: KubeObject.KubeObject | undefined,
  { name, old, operation, subresource, user }: Attributes,
  authorize: (attributes: Authorizer.Attributes) => Authorizer.Decision
): Effect.Effect<void, ApiError.ApiError> => {
  if (operation === "CREATE") return object === undefined ? Effect.void : checkSubject(object, name)
  const verb = operation === "UPDATE" ? verbOf(subresource) : undefined
  if (verb === undefined || verb === "sign" && equals(decided(object), decided(old))) return Effect.void
  const signerName = textAt(get(old, "spec"), "signerName")
  return signers.may(authorize, user, verb, signerName)
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
  validate: (object, attributes) => attributes.kind === kind ? check(object, attributes, authorize) : Effect.void
})
