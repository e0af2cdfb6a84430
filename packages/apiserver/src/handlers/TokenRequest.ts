/** POST of `serviceaccounts/<name>/token`: a signed token for a ServiceAccount, if wanted bound to a pod, secret or node. */
import { Kind, Kinds, Status, SubresourceKinds, Timestamp } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ApiResponse } from "../ApiResponse.js"
import { nodeOf as agentOf } from "../authorization/Authorizer.js"
import { objectOf, type ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as commit from "../internal/commit.js"
import * as failures from "../internal/failures.js"
import { get, textAt } from "../internal/jsonValue.js"
import { keyOf } from "../internal/keys.js"
import * as render from "../internal/render.js"
import * as sideAdmission from "../internal/sideAdmission.js"
import * as writeOptions from "../internal/writeOptions.js"
import type { Subject } from "../authentication/ServiceAccountTokens.js"

interface Bound {
  readonly kind?: string
  readonly apiVersion?: string
  readonly name?: string
  readonly uid?: string
}

type Binding = Pick<Subject, "pod" | "node" | "secret">

const bindable = new Map<string, Kind.Kind>([["Pod", Kinds.pod], ["Secret", Kinds.secret], ["Node", Kinds.node]])

const find = ({ context, info }: ResourceRequest, kind: Kind.Kind, name: string) => {
  const entry = context.cache.get(keyOf(kind, info.namespace, name))
  return entry === undefined ? undefined : objectOf(entry)
}

const nodeOf = (call: ResourceRequest, name: unknown): Binding => {
  if (typeof name !== "string" || name === "") return {}
  const uid = find(call, Kinds.node, name)?.metadata.uid
  return uid === undefined ? {} : { node: { name, uid } }
}

/** What a token is bound to: it must exist, and belong to the ServiceAccount. */
const bindingOf = (call: ResourceRequest, account: string, reference: Bound): Either.Either<Binding, Status.Status> => {
  const { apiVersion = "", kind: named = "", name = "" } = reference
  const kind = apiVersion === "v1" ? bindable.get(named) : undefined
  if (kind === undefined) {
    const [version = "", group = ""] = apiVersion.split("/").toReversed()
    return Either.left(Status.badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${named}`))
  }
  const object = find(call, kind, name)
  if (object === undefined) return Either.left(failures.missing(kind, name))
  const uid = object.metadata.uid ?? ""
  if ((reference.uid ?? "") !== "" && reference.uid !== uid) {
    return Either.left(
      Status.conflict(
        { group: "", plural: named },
        name,
        `the UID in the bound object reference (${reference.uid ?? ""}) does not match the UID in record. The object might have been deleted and then recreated`
      )
    )
  }
  if (kind === Kinds.node) return Either.right({ node: { name, uid } })
  if (kind === Kinds.secret) return Either.right({ secret: { name, uid } })
  const spec = get(object, "spec")
  return get(spec, "serviceAccountName") === account
    ? Either.right({ pod: { name, uid }, ...nodeOf(call, get(spec, "nodeName")) })
    : Either.left(
      Status.badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`)
    )
}

/** A node gets tokens only for the pods that it runs. */
const nodeRefusal = (call: ResourceRequest, reference: unknown, { pod }: Binding): string | undefined => {
  const own = agentOf(call.user)
  if (own === undefined) return undefined
  if (pod === undefined) return "node requested token not bound to a pod"
  // Without it a token could be for a pod that came after the one that the agent means.
  if (textAt(reference, "uid") === "") return "node requested token with a pod binding without a uid"
  const node = get(get(find(call, Kinds.pod, pod.name), "spec"), "nodeName")
  return node === own ? undefined : "node requested token bound to a pod scheduled on a different node"
}

/** Answers a token request: 201 with the request, completed and with the token in its status. @category combinators */
export const issueToken = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { context, info } = call
    const kind = SubresourceKinds.tokenRequest
    const options = yield* writeOptions.parse(info.query, "CreateOptions")
    const { object: sent, warnings } = yield* body.read(call, kind, options.fieldValidation)
    const account = find(call, Kinds.serviceAccount, name)
    if (account === undefined) return yield* Effect.fail(failures.missing(Kinds.serviceAccount, name))
    const { name: given = "", namespace: stated = "" } = sent.metadata
    if ((given !== "" && given !== name) || (stated !== "" && stated !== info.namespace)) {
      return yield* Effect.fail(Status.badRequest("the name and namespace of the provided object do not match those sent on the request"))
    }
    const request = kind.defaults({
      ...sent,
      metadata: {
        name,
        ...(info.namespace === undefined ? {} : { namespace: info.namespace }),
        creationTimestamp: Timestamp.secondsFromMillis(context.now())
      }
    })
    const problems = kind.validate(request)
    if (problems.length > 0) return yield* Effect.fail(Status.invalid(kind, "", problems))
    const spec = get(request, "spec")
    const reference = get(spec, "boundObjectRef")
    const bound = reference === undefined || reference === null ? {} : yield* bindingOf(call, name, referenceOf(reference))
    const refusal = nodeRefusal(call, reference, bound)
    if (refusal !== undefined) return yield* Effect.fail(Status.forbidden(Kinds.serviceAccount, name, refusal))
    yield* sideAdmission.create(call, name, request, options.dryRun)
    const { audiences: own, issue, maxSeconds = Infinity } = context.tokens
    const asked = textsOf(get(spec, "audiences"))
    const audiences = asked.length === 0 ? own : asked
    const wanted = get(spec, "expirationSeconds")
    const seconds = Math.min(typeof wanted === "number" ? wanted : 3600, maxSeconds)
    const subject: Subject = {
      namespace: info.namespace ?? "",
      serviceAccount: { name, uid: account.metadata.uid ?? "" },
      ...bound
    }
    const now = context.now()
    // A dry run checks everything and hands out nothing.
    const token = options.dryRun ? "" : yield* issue(subject, audiences, seconds, now)
    const answer = {
      kind: kind.kind,
      apiVersion: Kind.apiVersion(kind),
      metadata: request.metadata,
      spec: { audiences, expirationSeconds: seconds, boundObjectRef: reference ?? null },
      status: { token, expirationTimestamp: Timestamp.secondsFromMillis(now + seconds * 1000) }
    }
    return commit.warn(render.other(call, 201, answer), warnings)
  })

const textsOf = (value: unknown): ReadonlyArray<string> => Array.isArray(value) ? value.map(String) : []

const referenceOf = (value: unknown): Bound => {
  const text = (name: string) => {
    const part = get(value, name)
    return typeof part === "string" ? { [name]: part } : {}
  }
  return { ...text("kind"), ...text("apiVersion"), ...text("name"), ...text("uid") }
}
