/** POST of a review: a question about identities or permissions, answered in the object that asks it and never stored. */
import {
  type AuthenticationV1,
  type AuthorizationV1,
  type Kind,
  Kinds,
  type KubeObject,
  type RbacV1,
  Status
} from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { ApiResponse } from "../ApiResponse.js"
import type * as Authorizer from "../authorization/Authorizer.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as commit from "../internal/commit.js"
import * as writeOptions from "../internal/writeOptions.js"
import type { UserInfo } from "../authentication/UserInfo.js"

/** The answer to a question, or why it cannot be answered. */
type Answer = (call: ResourceRequest, object: KubeObject.KubeObject) => object | Status.Status

type AccessSpec = Pick<AuthorizationV1.SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">

const orAbsent = (text: string | undefined): string | undefined => (text === undefined || text === "" ? undefined : text)

const attributesOf = (user: UserInfo, { nonResourceAttributes, resourceAttributes }: AccessSpec): Authorizer.Attributes => ({
  user,
  verb: (resourceAttributes ?? nonResourceAttributes)?.verb ?? "",
  isResource: resourceAttributes !== undefined,
  group: resourceAttributes?.group ?? "",
  version: resourceAttributes?.version ?? "",
  resource: resourceAttributes?.resource ?? "",
  subresource: orAbsent(resourceAttributes?.subresource),
  namespace: orAbsent(resourceAttributes?.namespace),
  name: orAbsent(resourceAttributes?.name),
  path: nonResourceAttributes?.path ?? ""
})

const decide = (call: ResourceRequest, user: UserInfo, spec: AccessSpec): object => {
  const decision = call.context.authorizer.authorize(attributesOf(user, spec))
  const { allowed, reason } = decision
  return { allowed, ...(reason === undefined ? {} : { reason }) }
}

const subjectOf = ({ extra, groups = [], uid, user = "" }: AuthorizationV1.SubjectAccessReviewSpec): UserInfo => ({
  name: user,
  groups,
  ...(uid === undefined ? {} : { uid }),
  ...(extra === undefined ? {} : { extra })
})

const hasResources = ({ resources }: RbacV1.PolicyRule): boolean => (resources ?? []).length > 0
const hasPaths = ({ nonResourceURLs }: RbacV1.PolicyRule): boolean => (nonResourceURLs ?? []).length > 0

const given = (name: string, values: ReadonlyArray<string> | undefined): object =>
  values === undefined || values.length === 0 ? {} : { [name]: values }

const rulesOf = (call: ResourceRequest, { spec }: AuthorizationV1.SelfSubjectRulesReview): object | Status.Status => {
  const namespace = spec.namespace ?? ""
  if (namespace === "") return Status.badRequest("no namespace on request")
  const { rulesFor } = call.context.authorizer
  const isNode = call.user.groups.includes("system:nodes")
  const { problems, rules } = rulesFor === undefined ? { problems: ["the policy cannot be listed"], rules: [] } : rulesFor(call.user, namespace)
  const why = isNode ? [...problems, "node authorizer does not support user rule resolution"] : problems
  return {
    resourceRules: rules.filter(hasResources).map((rule) => ({
      verbs: rule.verbs,
      ...given("apiGroups", rule.apiGroups),
      ...given("resources", rule.resources),
      ...given("resourceNames", rule.resourceNames)
    })),
    nonResourceRules: rules.filter(hasPaths).map((rule) => ({ verbs: rule.verbs, ...given("nonResourceURLs", rule.nonResourceURLs) })),
    incomplete: why.length > 0,
    ...(why.length === 0 ? {} : { evaluationError: why.join(", ") })
  }
}

const shown = ({ extra, groups, name, uid }: UserInfo): object => ({
  username: name,
  ...(uid === undefined ? {} : { uid }),
  ...given("groups", groups),
  ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra })
})

const reviewToken = (call: ResourceRequest, { spec }: AuthenticationV1.TokenReview): object | Status.Status => {
  // A body without the field has no token either, whatever the schema says.
  if (!spec.token) return Status.badRequest("token is required for TokenReview in authentication")
  const audiences = spec.audiences ?? []
  const holder = call.context.holders.authenticate(spec.token, audiences.length === 0 ? undefined : audiences)
  return holder === undefined
    ? { user: {}, error: "invalid bearer token" }
    : { authenticated: true, user: shown(holder.user), ...given("audiences", holder.audiences) }
}

// The kind tells what the object is: it was decoded for it.
const answerTo = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, answer: (call: ResourceRequest, object: A) => object | Status.Status) => {
  const isOf = (object: KubeObject.KubeObject): object is A => object.kind === kind.kind
  const entry: readonly [Kind.Kind, Answer] = [kind, (call, object) => {
    if (isOf(object)) return answer(call, object)
    throw new Error(`a ${object.kind} was decoded as a ${kind.kind}`)
  }]
  return entry
}

const answers: ReadonlyMap<Kind.Kind, Answer> = new Map([
  answerTo(Kinds.selfSubjectAccessReview, (call, { spec }) => decide(call, call.user, spec)),
  answerTo(Kinds.subjectAccessReview, (call, { spec }) => decide(call, subjectOf(spec), spec)),
  answerTo(Kinds.localSubjectAccessReview, (call, { spec }) => decide(call, subjectOf(spec), spec)),
  answerTo(Kinds.selfSubjectRulesReview, rulesOf),
  answerTo(Kinds.selfSubjectReview, ({ user }) => ({ userInfo: shown(user) })),
  answerTo(Kinds.tokenReview, reviewToken)
])

/** Whether a kind is a question and not an object. @category combinators */
export const isReview = (kind: Kind.Kind): boolean => answers.has(kind)

const namespaced = (call: ResourceRequest, object: KubeObject.KubeObject): KubeObject.KubeObject =>
  call.kind.namespaced && object.metadata.namespace === undefined && call.info.namespace !== undefined
    ? { ...object, metadata: { ...object.metadata, namespace: call.info.namespace } }
    : object

/** Answers a review: 201 with the object and its status. @category combinators */
export const review = (call: ResourceRequest): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { info, kind } = call
    const options = yield* writeOptions.parse(info.query, "CreateOptions")
    const { object: sent, warnings } = yield* body.read(call, kind, options.fieldValidation)
    const object = namespaced(call, sent)
    if (kind.namespaced && object.metadata.namespace !== info.namespace) {
      return yield* Effect.fail(
        Status.badRequest("the namespace of the provided object does not match the namespace sent on the request")
      )
    }
    const problems = kind.validate(object)
    if (problems.length > 0) return yield* Effect.fail(Status.invalid(kind, object.metadata.name ?? "", problems))
    const status = answers.get(kind)?.(call, object) ?? {}
    if (Status.isStatus(status)) return yield* Effect.fail(status)
    const answered = { ...object, status }
    return commit.respond(call, 201, commit.pretend(answered), warnings)
  })
