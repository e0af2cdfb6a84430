/** Admission: ValidatingAdmissionPolicies that are bound. */
import { Expressions } from "@reddwarf/api-extensions"
import {
  type AdmissionregistrationV1,
  ApiError,
  type Kind,
  type KindRegistry,
  Kinds,
  type KubeObject,
  LabelSelector,
  Status
} from "@reddwarf/api-types"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ClusterView, Plugin } from "./Admission.js"
import type { Authorizer } from "../authorization/Authorizer.js"
import * as expressions from "../internal/admissionExpressions.js"
import * as match from "../internal/admissionMatch.js"
import * as admissionRequest from "../internal/admissionRequest.js"

/** What the plugin works with. @category models */
export interface Services {
  readonly registry: KindRegistry.Registry
  readonly authorize: Context.Tag.Service<Authorizer>["authorize"]
}

type Policy = AdmissionregistrationV1.ValidatingAdmissionPolicy
type Binding = AdmissionregistrationV1.ValidatingAdmissionPolicyBinding
type Validation = AdmissionregistrationV1.Validation

const isPolicy = (object: KubeObject.KubeObject | undefined): object is Policy => object?.kind === "ValidatingAdmissionPolicy"
const isBinding = (object: KubeObject.KubeObject): object is Binding => object.kind === "ValidatingAdmissionPolicyBinding"

/** One broken rule. */
interface Denial {
  readonly message: string
  readonly reason: string
}

const invalid = "Invalid"
const codes: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413, [invalid]: 422 }

/** The kind under which a policy or a binding is about a subject; undefined: it is not. */
const matched = (
  { registry }: Services,
  resources: AdmissionregistrationV1.MatchResources | undefined,
  subject: match.Subject,
  view: ClusterView
): Either.Either<Kind.Kind | undefined, Status.Status> => {
  const { attributes } = subject
  if (resources === undefined) return Either.right(attributes.kind)
  const equivalents = match.takesEquivalents(resources) ? admissionRequest.equivalentsOf(registry, attributes.kind) : []
  const { excludeResourceRules = [], resourceRules = [] } = resources
  if (match.kindIn(excludeResourceRules, attributes, equivalents) !== undefined) return Either.right(undefined)
  const kind = resourceRules.length === 0 ? attributes.kind : match.kindIn(resourceRules, attributes, equivalents)
  return kind === undefined
    ? Either.right(undefined)
    : Either.map(match.selected(resources, subject, view), (selected) => selected ? kind : undefined)
}

const describedParam = "failed to configure binding"

/** The objects that parameterise a binding: one undefined for none, nothing at all when it does not apply. */
const paramsOf = (
  { registry }: Services,
  policy: Policy,
  { spec: { paramRef } }: Binding,
  { attributes }: match.Subject,
  view: ClusterView
): Either.Either<ReadonlyArray<KubeObject.KubeObject | undefined>, string> => {
  const paramKind = policy.spec?.paramKind
  if (paramKind === undefined || paramRef === undefined) return Either.right([undefined])
  const [version = "", group = ""] = (paramKind.apiVersion ?? "").split("/").toReversed()
  const kind = registry.byKind(group, version, paramKind.kind ?? "")
  if (kind === undefined) return Either.left(`${describedParam}: failed to find resource referenced by paramKind: '${group}/${version}, Kind=${paramKind.kind ?? ""}'`)
  const namespace = kind.namespaced ? paramRef.namespace ?? attributes.namespace : undefined
  if (kind.namespaced && namespace === undefined) return Either.left(`${describedParam}: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources`)
  const found = paramRef.name !== undefined && paramRef.name !== ""
    ? [view.get(kind, namespace, paramRef.name)].flatMap((one) => one ?? [])
    : Either.match(LabelSelector.fromObject(paramRef.selector), {
      onLeft: () => [],
      onRight: (selector) => view.list(kind, namespace).filter(({ metadata }) => LabelSelector.matches(selector, metadata.labels))
    })
  return found.length > 0 || paramRef.parameterNotFoundAction === "Allow"
    ? Either.right(found)
    : Either.left(`${describedParam}: no params found for policy binding with \`Deny\` parameterNotFoundAction`)
}

const messageOf = ({ expression, message, messageExpression }: Validation, values: Expressions.Values, budget: Expressions.Budget): string => {
  const made = messageExpression === undefined || messageExpression === ""
    ? undefined
    : Either.getOrElse(expressions.evaluate(messageExpression, values, budget), () => undefined)
  const text = typeof made === "string" && !made.includes("\n") ? made.trim() : ""
  return text || message?.trim() || `failed expression: ${expression.trim()}`
}

/** What a policy has against a subject, with one parameter. */
const denialsOf = (
  { authorize }: Services,
  policy: Policy,
  subject: match.Subject,
  kind: Kind.Kind,
  param: KubeObject.KubeObject | undefined,
  view: ClusterView
): ReadonlyArray<Denial> => {
  const { failurePolicy, matchConditions = [], validations = [], variables = [] } = policy.spec ?? {}
  const failed = (message: string): ReadonlyArray<Denial> => failurePolicy === "Ignore" ? [] : [{ message, reason: "" }]
  // Each policy has a budget of its own.
  const budget = new Expressions.Budget()
  const made = Either.try(() => {
    const values = expressions.valuesOf(subject, admissionRequest.make("", subject, kind), view, authorize, budget)
    const withParams = { ...values, params: Expressions.valueOf(param, budget) }
    const definitions = variables.map(({ expression, name }) => ({ name, expression: expressions.compile(expression) }))
    return { ...withParams, variables: Expressions.composed(definitions, withParams, budget) }
  })
  if (Either.isLeft(made)) return failed("the object costs more than a policy may look at")
  const values = made.right
  const holds = expressions.conditionsHold(matchConditions, values, budget)
  if (Either.isLeft(holds)) return failed(holds.left)
  if (!holds.right) return []
  return validations.flatMap((validation) => {
    const result = expressions.evaluate(validation.expression, values, budget)
    if (Either.isLeft(result)) return failed(result.left)
    return result.right === true ? [] : [{ message: messageOf(validation, values, budget), reason: validation.reason ?? "" }]
  })
}

const decide = (services: Services, policy: Policy, binding: Binding, subject: match.Subject, view: ClusterView) =>
  Either.gen(function*() {
    const kind = yield* matched(services, policy.spec?.matchConstraints, subject, view)
    if (kind === undefined || (yield* matched(services, binding.spec.matchResources, subject, view)) === undefined) return []
    return Either.match(paramsOf(services, policy, binding, subject, view), {
      onLeft: (message): ReadonlyArray<Denial> => policy.spec?.failurePolicy === "Ignore" ? [] : [{ message, reason: "" }],
      onRight: (params) => params.flatMap((param) => denialsOf(services, policy, subject, kind, param, view))
    })
  })

const refusalOf = ({ attributes: { kind, name } }: match.Subject, who: string, { message, reason }: Denial): Status.Status => {
  const why = `${who} denied request: ${message}`
  const { code: _, ...status } = Status.forbidden(kind, name, why, [{ message: why }])
  const known = codes[reason] === undefined ? invalid : reason
  return { ...status, reason: known, code: codes[known] ?? 422 }
}

/** Looks at a request by all bound policies. Audit annotations are not written: there is no audit log. @category constructors */
export const make = (services: Services): Plugin => ({
  name: "ValidatingAdmissionPolicy",
  review: (object, attributes, view) =>
    Effect.suspend(() => {
      const bindings = match.isExempt(attributes) ? [] : view.list(Kinds.validatingAdmissionPolicyBinding, undefined)
      const subject = { attributes, object }
      for (const binding of bindings) {
        if (!isBinding(binding)) continue
        const policy = view.get(Kinds.validatingAdmissionPolicy, undefined, binding.spec.policyName)
        if (!isPolicy(policy)) continue
        const decided = decide(services, policy, binding, subject, view)
        if (Either.isLeft(decided)) return ApiError.fail(decided.left)
        const [first] = decided.right
        const who = `ValidatingAdmissionPolicy '${policy.metadata.name ?? ""}' with binding '${binding.metadata.name ?? ""}'`
        const { validationActions } = binding.spec
        if (validationActions.includes("Warn")) {
          for (const { message } of decided.right) attributes.warn?.(`Validation failed for ${who}: ${message}`)
        }
        if (first !== undefined && validationActions.includes("Deny")) return ApiError.fail(refusalOf(subject, who, first))
      }
      return Effect.void
    })
})
