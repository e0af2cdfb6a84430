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
import type { WebhookClient } from "../internal/webhookClient.js"

/** What the plugin works with. @category models */
export interface Services {
  readonly registry: KindRegistry.Registry
  /** For kinds whose versions a webhook converts. */
  readonly webhooks: WebhookClient
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
): Either.Either<Kind.Kind | undefined, string> => {
  const { attributes } = subject
  if (resources === undefined) return Either.right(attributes.kind)
  const equivalents = match.takesEquivalents(resources) ? admissionRequest.equivalentsOf(registry, attributes.kind) : []
  const { excludeResourceRules = [], resourceRules = [] } = resources
  if (match.kindIn(excludeResourceRules, attributes, equivalents) !== undefined) return Either.right(undefined)
  const kind = resourceRules.length === 0 ? attributes.kind : match.kindIn(resourceRules, attributes, equivalents)
  return kind === undefined
    ? Either.right(undefined)
    : Either.mapBoth(match.selected(resources, subject, view), {
      onLeft: ({ message = "" }) => message,
      onRight: (selected) => selected ? kind : undefined
    })
}

type Params = ReadonlyArray<KubeObject.KubeObject | undefined>

/** The kind of the parameters of a policy; undefined when it takes none. */
const paramKindOf = ({ registry }: Services, policy: Policy): Either.Either<Kind.Kind | undefined, string> => {
  const paramKind = policy.spec?.paramKind
  if (paramKind === undefined) return Either.right(undefined)
  const [version = "", group = ""] = (paramKind.apiVersion ?? "").split("/").toReversed()
  const kind = registry.byKind(group, version, paramKind.kind ?? "")
  return kind === undefined
    ? Either.left(`failed to find resource referenced by paramKind: '${group}/${version}, Kind=${paramKind.kind ?? ""}'`)
    : Either.right(kind)
}

/** As the version of the parameters says it; versions that only a webhook converts are seen as they are stored. */
const inVersionOf = ({ storage }: Kind.Kind) => (object: KubeObject.KubeObject): KubeObject.KubeObject =>
  storage === undefined || storage.webhook !== undefined ? object : storage.fromStored(object)

/** The objects that parameterise a binding: one undefined for none, nothing at all when it does not apply. */
const paramsOf = (
  kind: Kind.Kind | undefined,
  { spec: { paramRef } }: Binding,
  { attributes }: match.Subject,
  view: ClusterView
): Either.Either<Params, string> => {
  if (kind === undefined || paramRef === undefined) return Either.right([undefined])
  const { name = "", parameterNotFoundAction, selector } = paramRef
  const given = paramRef.namespace ?? ""
  const own = attributes.namespace ?? ""
  if (!kind.namespaced && given !== "") return Either.left("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
  if (kind.namespaced && given === "" && own === "") {
    return Either.left("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
  }
  if (name === "" && selector === undefined) return Either.left("one of name or selector must be provided")
  const namespace = kind.namespaced ? given === "" ? own : given : undefined
  const found = name !== ""
    ? [view.get(kind, namespace, name)].flatMap((one) => one ?? [])
    : Either.match(LabelSelector.fromObject(selector), {
      onLeft: () => [],
      onRight: (labels) => view.list(kind, namespace).filter(({ metadata }) => LabelSelector.matches(labels, metadata.labels))
    })
  return found.length > 0 || parameterNotFoundAction !== "Deny"
    ? Either.right(found.map(inVersionOf(kind)))
    : Either.left("no params found for policy binding with `Deny` parameterNotFoundAction")
}

/** Longer messages of expressions are not used. */
const maximumMessage = 5 * 1024

const messageOf = ({ expression, message, messageExpression }: Validation, values: Expressions.Values, budget: Expressions.Budget): string => {
  const made = messageExpression === undefined || messageExpression === ""
    ? undefined
    : Either.getOrElse(expressions.evaluate(messageExpression, values, budget), () => undefined)
  const text = typeof made === "string" ? made.trim() : ""
  const usable = text.includes("\n") || Buffer.byteLength(text) > maximumMessage ? "" : text
  return usable || message?.trim() || `failed expression: ${expression.trim()}`
}

/** What a policy has against a subject, with one parameter. */
const denialsOf = (
  { authorize }: Services,
  policy: Policy,
  question: expressions.Question,
  view: ClusterView
): ReadonlyArray<Denial> => {
  const { failurePolicy, matchConditions = [], validations = [], variables = [] } = policy.spec ?? {}
  const failed = (message: string): ReadonlyArray<Denial> => failurePolicy === "Ignore" ? [] : [{ message, reason: "" }]
  const holds = matchConditions.length === 0 ? Either.right(true) : expressions.conditionsOf(matchConditions, question, view, authorize)
  if (Either.isLeft(holds)) return failed(holds.left)
  if (!holds.right) return []
  // Each policy has a budget of its own.
  const budget = new Expressions.Budget()
  const made = Either.try(() => {
    const values = expressions.valuesOf(question, view, authorize, budget)
    const definitions = variables.map(({ expression, name }) => ({ name, expression: expressions.compile(expression) }))
    return { ...values, variables: Expressions.composed(definitions, values, budget) }
  })
  if (Either.isLeft(made)) return failed("the object costs more than a policy may look at")
  const values = made.right
  return validations.flatMap((validation) => {
    const result = expressions.evaluate(validation.expression, values, budget)
    if (Either.isLeft(result)) return failed(result.left)
    return result.right === true ? [] : [{ message: messageOf(validation, values, budget), reason: validation.reason ?? "" }]
  })
}

/** A policy that is bound to what a request is about. */
interface Concern {
  readonly policy: Policy
  readonly binding: Binding
  /** The kind under which the policy sees the objects; left: why it cannot be applied. */
  readonly kind: Either.Either<Kind.Kind, string>
}

const concernOf = (services: Services, policy: Policy, binding: Binding, subject: match.Subject, view: ClusterView): Concern | undefined => {
  const about = (failure: string) => ({ policy, binding, kind: Either.left(failure) })
  const kind = matched(services, policy.spec?.matchConstraints, subject, view)
  if (Either.isLeft(kind)) return about(`failed to configure policy: ${kind.left}`)
  if (kind.right === undefined) return undefined
  const bound = matched(services, binding.spec.matchResources, subject, view)
  if (Either.isLeft(bound)) return about(`failed to configure binding: ${bound.left}`)
  return bound.right === undefined ? undefined : { policy, binding, kind: Either.right(kind.right) }
}

type ShownBy = ReadonlyMap<Kind.Kind, Either.Either<admissionRequest.Shown, string>>

/** What a bound policy has against a request; left: why it cannot be applied, which counts as a denial too. */
const decide = (services: Services, { binding, kind, policy }: Concern, subject: match.Subject, shownBy: ShownBy, view: ClusterView) =>
  Either.gen(function*() {
    const paramKind = yield* Either.mapLeft(paramKindOf(services, policy), (why) => `failed to configure policy: ${why}`)
    const shownAs = yield* kind
    const ofBinding = (why: string) => `failed to configure binding: ${why}`
    const params = yield* Either.mapLeft(paramsOf(paramKind, binding, subject, view), ofBinding)
    const shown = yield* Either.mapLeft(
      shownBy.get(shownAs) ?? Either.left("no such version"),
      (why) => ofBinding(`failed to convert object version: ${why}`)
    )
    return params.flatMap((param) => denialsOf(services, policy, { attributes: subject.attributes, shown, params: param }, view))
  })

const refusalOf = ({ attributes: { kind, name } }: match.Subject, who: string, { message, reason }: Denial): Status.Status => {
  const why = `${who} denied request: ${message}`
  const { code: _, ...status } = Status.forbidden(kind, name, why, [{ message: why }])
  const known = codes[reason] === undefined ? invalid : reason
  return { ...status, reason: known, code: codes[known] ?? 422 }
}

/** Who has denied a request: the binding has no part in it when the policy itself is wrong. */
const denier = ({ binding, policy }: Concern, message: string): string => {
  const name = `ValidatingAdmissionPolicy '${policy.metadata.name ?? ""}'`
  return message.startsWith("failed to configure policy: ") ? name : `${name} with binding '${binding.metadata.name ?? ""}'`
}

/** The first refusal by a policy that denies. All are evaluated, so that every warning is given. */
const judge = (services: Services, concerns: ReadonlyArray<Concern>, subject: match.Subject, shownBy: ShownBy, view: ClusterView) => {
  let refusal: Status.Status | undefined
  for (const concern of concerns) {
    const decided = decide(services, concern, subject, shownBy, view)
    if (Either.isLeft(decided)) {
      // What cannot be applied denies, whatever the binding does with what is found.
      if (concern.policy.spec?.failurePolicy === "Ignore") continue
      refusal ??= refusalOf(subject, denier(concern, decided.left), { message: decided.left, reason: "" })
      continue
    }
    const { validationActions } = concern.binding.spec
    for (const denial of decided.right) {
      const who = denier(concern, "")
      if (validationActions.includes("Warn")) subject.attributes.warn?.(`Validation failed for ${who}: ${denial.message}`)
      if (validationActions.includes("Deny")) refusal ??= refusalOf(subject, who, denial)
    }
  }
  return refusal === undefined ? Effect.void : ApiError.fail(refusal)
}

/** Looks at a request by all bound policies. Audit annotations are not written: there is no audit log. @category constructors */
export const make = (services: Services): Plugin => ({
  name: "ValidatingAdmissionPolicy",
  review: (object, attributes, view) => {
    const bindings = match.isExempt(attributes) ? [] : view.list(Kinds.validatingAdmissionPolicyBinding, undefined)
    // Most clusters have none: without an effect the write goes on at once.
    if (bindings.length === 0) return Effect.void
    return Effect.suspend(() => {
      const subject = { attributes, object }
      const concerns = bindings.flatMap((binding) => {
        if (!isBinding(binding)) return []
        const policy = view.get(Kinds.validatingAdmissionPolicy, undefined, binding.spec.policyName)
        return isPolicy(policy) ? concernOf(services, policy, binding, subject, view) ?? [] : []
      })
      if (concerns.length === 0) return Effect.void
      const kinds = new Set(concerns.flatMap(({ kind }) => Either.isRight(kind) ? [kind.right] : []))
      return Effect.forEach(kinds, (kind) =>
        Effect.map(Effect.either(admissionRequest.shownAs(services.webhooks, subject, kind)), (shown) => [kind, shown] as const)).pipe(
          Effect.flatMap((shown) => judge(services, concerns, subject, new Map(shown), view))
        )
    })
  }
})
